package read_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/computed"
	"forge/internal/entity"
	"forge/internal/read"
	"forge/internal/read/binding"
)

// TestPayloadOfHookedEntity compiles payloads of entities with and without ent hooks of their own.
// A hook may write after the statement, so the statement must not commit by itself. If the payload
// shows no entity, nobody knows which entity changes, and a hook of any entity counts.
func TestPayloadOfHookedEntity(t *testing.T) {
	t.Parallel()
	entities := slices.Clone(ent.Entities)
	i := slices.IndexFunc(entities, func(e *entity.Entity) bool { return e.Name == "Team" })
	team := *entities[i]
	team.Hooked = true
	entities[i] = &team
	executable := generated.NewExecutableSchema(generated.Config{})
	contract := binding.Contract{Schema: executable.Schema(), Resolvers: reflect.TypeFor[generated.ResolverRoot]()}
	engine := func(entities []*entity.Entity) *read.Engine {
		contract.Entities = entities
		e, err := read.New(contract, read.Options{Code: executable.(computed.Code)})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	hooked, plain := engine(entities), engine(ent.Entities)
	for query, want := range map[string]bool{
		`mutation { createTeam(input: {name: "a"}) { team { id } } }`: true,
		`mutation { createHero(input: {name: "a"}) { hero { id } } }`: false,
		`mutation { deleteTeam(id: "team_1") { deletedId } }`:         true,
	} {
		for e, want := range map[*read.Engine]bool{hooked: want, plain: false} {
			if hooked, final := read.PayloadOf(t, e, query); hooked != want || !final {
				t.Errorf("%s: hooked is %t, want %t; final is %t", query, hooked, want, final)
			}
		}
	}
}

// TestComputedCodeMissing makes an engine without the code that calls resolvers of computed fields.
// The finding of each entity with such fields is there.
func TestComputedCodeMissing(t *testing.T) {
	t.Parallel()
	_, err := read.New(binding.Contract{
		Schema: generated.NewExecutableSchema(generated.Config{}).Schema(), Entities: ent.Entities,
		Resolvers: reflect.TypeFor[generated.ResolverRoot](),
	}, read.Options{})
	want := 0
	for _, e := range ent.Entities {
		if len(e.Computed) > 0 {
			want++
		}
	}
	if mismatch, ok := errors.AsType[*binding.MismatchError](err); !ok || len(mismatch.Findings) != want || want < 2 {
		t.Errorf("%v; want a finding for each of %d entities", err, want)
	}
}
