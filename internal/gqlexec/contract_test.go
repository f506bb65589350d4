package gqlexec

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// A resolver whose source is anything but a reference is called.
func TestRefersOnly(t *testing.T) {
	t.Parallel()
	const references = `package graph
func (r *queryResolver) Heroes(ctx context.Context, first *int32) (*model.HeroConnection, error) { return &model.HeroConnection{}, nil }
func (r *queryResolver) Hero(ctx context.Context, id ids.ID) (*model.Hero, error) { return &model.Hero{ID: id}, nil }
func (r *queryResolver) Node(ctx context.Context, id ids.ID) (model.Node, error) { return gqlexec.Reference{ID: id}, nil }
`
	if got := slices.Sorted(maps.Keys(refersOnly([]byte(references)))); !slices.Equal(got, []string{"hero", "heroes", "node"}) {
		t.Errorf("%v refer, want all three", got)
	}
	for _, body := range []string{
		`if viewer.RoleOf(ctx) < viewer.Admin { return nil, errClosed }; return &model.HeroConnection{}, nil`,
		`defer log(ctx); return &model.HeroConnection{}, nil`, `return &model.HeroConnection{}, check(ctx)`, `return r.heroes(ctx)`, `return heroes(ctx), nil`,
		`return &model.HeroConnection{Nodes: mine(ctx)}, nil`, `return &model.Hero{ID: mine(ctx)}, nil`, `return &model.Hero{ID: id, Name: "x"}, nil`,
		`return &model.Hero{Name: id}, nil`, `return gqlexec.Reference{ID: mine(ctx)}, nil`, `return other{id}, nil`, `return &other.HeroConnection{}, nil`,
		`return *new(model.Hero), nil`, `return nil, nil`, `return`, `panic("not implemented")`, ``,
	} {
		source := "package graph\nfunc (r *queryResolver) Heroes(ctx context.Context, id ids.ID) (*model.HeroConnection, error) {" + body + "}"
		if got := refersOnly([]byte(source)); len(got) > 0 {
			t.Errorf("%s is taken for a reference", body)
		}
	}
	for _, other := range []string{"func (r *mutationResolver)", "func (r queryResolver)", "func"} {
		source := strings.Replace(references, "func (r *queryResolver)", other, 1)
		if got := refersOnly([]byte(source)); got["heroes"] || len(got) != 2 {
			t.Errorf("%v refer, but Heroes is not a method of *queryResolver", got)
		}
	}
	if got := refersOnly([]byte(references + "func")); len(got) > 0 {
		t.Errorf("%v refer, in a file that is not Go", got)
	}
}
