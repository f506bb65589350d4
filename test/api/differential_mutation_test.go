package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// makeMutation returns the mutation that the choices lead to. It has one or two root fields.
func makeMutation(from choices, c *contents, values *valuePool) operation {
	g := &generator{choices: from, contents: c, values: values, left: 25, moving: true}
	var fields []string
	s := &scope{}
	for range 1 + g.below(2) {
		fields = append(fields, g.field(&ast.Definition{Kind: ast.Object, Name: c.schema.Mutation.Name, Fields: comparableMutations(c.schema)}, s, 0))
	}
	return g.finish(ast.Mutation, " { "+strings.Join(fields, " ")+" }", false)
}

// comparableMutations returns all mutations except those that return tokens, which are different
// each time.
func comparableMutations(schema *ast.Schema) ast.FieldList {
	return slices.DeleteFunc(slices.Clone(schema.Mutation.Fields), func(f *ast.FieldDefinition) bool {
		return slices.Contains([]string{"signUp", "signIn", "refreshSession", "signOut", "changePassword"}, f.Name)
	})
}

// input makes a value for an argument or an input field of a mutation.
func (g *generator) input(mutation, name string, t *ast.Type) any {
	def := g.schema.Types[t.Name()]
	switch {
	case !t.NonNull && g.often(15):
		return nil
	case t.Elem != nil:
		list := listValue{g.input(mutation, name, t.Elem)}
		for range g.below(3) {
			list = append(list, g.input(mutation, name, t.Elem))
		}
		return list
	case def.Kind == ast.InputObject:
		var fields object
		for _, f := range def.Fields {
			if f.Name != "password" && (f.Type.NonNull && f.DefaultValue == nil || g.often(60)) { // hashing takes its time
				fields = append(fields, objectField{f.Name, g.value(f.Type, func() any { return g.input(mutation, f.Name, f.Type) })})
			}
		}
		return fields
	case def.Kind == ast.Enum:
		return enumValue(choose(&g.choices, def.EnumValues).Name)
	case t.Name() == "ID":
		return g.id(g.meantBy(mutation, name))
	case t.Name() == "Int":
		return choose(&g.choices, []int{1, 2, 5, 0, 7, 250, -1})
	case t.Name() == "Boolean":
		return g.often(50)
	case name == "email":
		return choose(&g.choices, []string{"a@b.example", "A@b.example", "Reader1@Straße.example", "c@d.example", "none"})
	}
	return choose(&g.choices, awkwardNames) + choose(&g.choices, []string{"", "1", "2", "\x1b", " "})
}

// meantBy returns the entity whose ID an argument takes. The name of the argument says which, or
// else the name of the mutation.
func (g *generator) meantBy(mutation, argument string) string {
	if argument == "ownerId" {
		return "User"
	}
	for _, name := range g.values.shown {
		if strings.EqualFold(argument, name+"Id") || argument == "id" && strings.HasSuffix(mutation, name) {
			return name
		}
	}
	return "Node"
}

// someID matches IDs in an answer.
var someID = regexp.MustCompile(`(user|team|hero|product|order|item)_[0-9a-z]{26}`)

// withoutNewIDs returns the reply with the same text in place of every ID that no row of the world
// has.
func (d *differ) withoutNewIDs(r reply) reply {
	masked := func(text json.RawMessage) json.RawMessage {
		return someID.ReplaceAllFunc(text, func(id []byte) []byte {
			for _, known := range d.values.ids {
				if slices.Contains(known, string(id)) {
					return id
				}
			}
			return []byte("new")
		})
	}
	r.Data = masked(r.Data)
	for i, err := range r.Errors {
		r.Errors[i] = masked(err)
	}
	return r
}

// TestDifferentialMutations makes mutations. It runs each through the read engine on one database,
// and field by field on another one with the same contents. Each mutation works on what the earlier
// ones left.
func TestDifferentialMutations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newDiffer(t, url, makeWorld())
		twin := newAPI(t, another(t, url))
		twin.fill(makeWorld())
		var latest *contents
		read := fieldwise{func(ctx context.Context) *contents {
			if strings.HasSuffix(graphql.GetFieldContext(ctx).Object, "Payload") {
				latest = readContents(ctx, t, ent.FromUnit(ctx))
			}
			return latest
		}}
		d.plain = newClient(t, newPlainServer(twin.db, slog.New(slog.DiscardHandler), read.field), viewer.System)
		d.twins = true
		stored := newCoverage(d.contents.schema)
		for seed := range uint64(500) {
			op := makeMutation(seeded(seed), d.contents, d.values)
			got, difference := d.compare(op)
			if difference != "" {
				t.Fatalf("mutation %d: %s", seed, difference)
			}
			if len(got.Errors) == 0 {
				stored.add(t, op, got)
			}
		}
		for _, f := range comparableMutations(d.contents.schema) {
			if stored.parts["Mutation."+f.Name] == 0 {
				t.Errorf("no %s was stored", f.Name)
			}
		}
	})
}
