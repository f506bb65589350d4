// Package kinds is an application with one entity that has a column of every kind. Its tests
// compare what both databases answer.
package kinds

import (
	"context"
	"embed"
	"encoding/json"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/gqlexec"
	"forge/internal/read"
	"forge/internal/viewer"
	"forge/test/kinds/ent"
	"forge/test/kinds/ent/migrate"
	_ "forge/test/kinds/ent/runtime" // the policy of the entity
	"forge/test/kinds/ent/sample"
	"forge/test/kinds/generated"
)

//go:generate go tool gqlgen generate

// Resolver is the root of all resolvers.
type Resolver struct{}

//go:embed *.resolvers.go
var sources embed.FS

// API describes the application.
func (r *Resolver) API() gqlexec.API {
	everybody := gqlexec.Access{Role: viewer.Anonymous}
	return gqlexec.API{
		Executable: func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: r})
		},
		Access:       map[string]gqlexec.Access{"Query.node": everybody, "Query.sample": everybody, "Query.samples": everybody, "Mutation.createSample": everybody},
		Entities:     ent.Entities,
		Query:        ent.QueryEntity,
		Tables:       migrate.Tables,
		Resolvers:    reflect.TypeFor[generated.ResolverRoot](),
		Sources:      sources,
		SamplePrefix: "sample",
	}
}

func createSample(ctx context.Context, in generated.CreateSampleInput) (*generated.CreateSamplePayload, error) {
	c := ent.FromUnit(ctx).Sample.Create().
		SetFlag(in.Flag).
		SetWhole(in.Whole).
		SetBig(in.Big).
		SetHuge(uint64(in.Huge)).
		SetReal(in.Real).
		SetNear(float32(in.Near)).
		SetPrice(in.Price).
		SetMeasure(in.Measure).
		SetMoment(in.Moment).
		SetDay(in.Day).
		SetClock(in.Clock).
		SetSpan(in.Span).
		SetWord(in.Word).
		SetStory(in.Story).
		SetColor(sample.Color(in.Color)).
		SetToken(in.Token).
		SetData(in.Data).
		SetDocument(document(in.Document)).
		SetWords(in.Words).
		SetNumbers(ints(in.Numbers)).
		SetReals(in.Reals).
		SetBigs(in.Bigs).
		SetNears(floats(in.Nears)).
		SetFlags(in.Flags).
		SetTokens(in.Tokens).
		SetPrices(in.Prices)
	if of := in.OfID.Value(); of != nil {
		c.SetOfID(of.UUID)
	}
	c.SetNillableMaybeFlag(in.MaybeFlag.Value())
	c.SetNillableMaybeWhole(in.MaybeWhole.Value())
	c.SetNillableMaybeBig(in.MaybeBig.Value())
	if v := in.MaybeHuge.Value(); v != nil {
		c.SetMaybeHuge(uint64(*v))
	}
	c.SetNillableMaybeReal(in.MaybeReal.Value())
	if v := in.MaybeNear.Value(); v != nil {
		c.SetMaybeNear(float32(*v))
	}
	c.SetNillableMaybePrice(in.MaybePrice.Value())
	c.SetNillableMaybeMeasure(in.MaybeMeasure.Value())
	c.SetNillableMaybeMoment(in.MaybeMoment.Value())
	c.SetNillableMaybeDay(in.MaybeDay.Value())
	c.SetNillableMaybeClock(in.MaybeClock.Value())
	c.SetNillableMaybeSpan(in.MaybeSpan.Value())
	c.SetNillableMaybeWord(in.MaybeWord.Value())
	c.SetNillableMaybeStory(in.MaybeStory.Value())
	if v := in.MaybeColor.Value(); v != nil {
		c.SetMaybeColor(sample.MaybeColor(*v))
	}
	c.SetNillableMaybeToken(in.MaybeToken.Value())
	if v := in.MaybeData.Value(); v != nil {
		c.SetMaybeData(v)
	}
	if v := in.MaybeDocument.Value(); v != nil {
		c.SetMaybeDocument(document(v))
	}
	if v := in.MaybeWords.Value(); v != nil {
		c.SetMaybeWords(v)
	}
	if v := in.MaybeNumbers.Value(); v != nil {
		c.SetMaybeNumbers(ints(v))
	}
	if v := in.MaybeReals.Value(); v != nil {
		c.SetMaybeReals(v)
	}
	if v := in.MaybeBigs.Value(); v != nil {
		c.SetMaybeBigs(v)
	}
	if v := in.MaybeNears.Value(); v != nil {
		c.SetMaybeNears(floats(v))
	}
	if v := in.MaybeFlags.Value(); v != nil {
		c.SetMaybeFlags(v)
	}
	if v := in.MaybeTokens.Value(); v != nil {
		c.SetMaybeTokens(v)
	}
	if v := in.MaybePrices.Value(); v != nil {
		c.SetMaybePrices(v)
	}
	s, err := c.Save(read.WithFinalWrite(ctx))
	if err != nil {
		return nil, err
	}
	return &generated.CreateSamplePayload{Sample: &generated.Sample{ID: s.GlobalID()}}, nil
}

// document returns a document as ent stores it.
func document(value any) json.RawMessage {
	text, _ := json.Marshal(value) // it comes from an argument, so it is JSON
	return text
}

func ints(list []int32) []int {
	all := make([]int, len(list))
	for i, n := range list {
		all[i] = int(n)
	}
	return all
}

func floats(list []float64) []float32 {
	all := make([]float32, len(list))
	for i, f := range list {
		all[i] = float32(f)
	}
	return all
}
