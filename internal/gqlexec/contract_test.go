package gqlexec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestRefersOnly checks that only a resolver whose source is nothing but a reference is skipped.
func TestRefersOnly(t *testing.T) {
	t.Parallel()
	const references = `package graph
func (r *queryResolver) Things(ctx context.Context, first *int32) (*model.ThingConnection, error) { return &model.ThingConnection{}, nil }
func (r *queryResolver) Thing(ctx context.Context, id ids.ID) (*model.Thing, error) { return &model.Thing{ID: id}, nil }
func (r *queryResolver) Node(ctx context.Context, id ids.ID) (model.Node, error) { return gqlexec.Reference{ID: id}, nil }
`
	if got := slices.Sorted(maps.Keys(refersOnly([]byte(references)))); !slices.Equal(got, []string{"node", "thing", "things"}) {
		t.Errorf("%v refer, want all three", got)
	}
	for _, body := range []string{
		`if viewer.RoleOf(ctx) < viewer.Admin { return nil, errClosed }; return &model.ThingConnection{}, nil`,
		`defer log(ctx); return &model.ThingConnection{}, nil`, `return &model.ThingConnection{}, check(ctx)`, `return r.things(ctx)`, `return things(ctx), nil`,
		`return &model.ThingConnection{Nodes: mine(ctx)}, nil`, `return &model.Thing{ID: mine(ctx)}, nil`, `return &model.Thing{ID: id, Name: "x"}, nil`,
		`return &model.Thing{Name: id}, nil`, `return gqlexec.Reference{ID: mine(ctx)}, nil`, `return other{id}, nil`, `return &other.ThingConnection{}, nil`,
		`return *new(model.Thing), nil`, `return nil, nil`, `return`, `panic("not implemented")`, ``,
	} {
		source := "package graph\nfunc (r *queryResolver) Things(ctx context.Context, id ids.ID) (*model.ThingConnection, error) {" + body + "}"
		if got := refersOnly([]byte(source)); len(got) > 0 {
			t.Errorf("%s is taken for a reference", body)
		}
	}
	for _, other := range []string{"func (r *mutationResolver)", "func (r queryResolver)", "func"} {
		source := strings.Replace(references, "func (r *queryResolver)", other, 1)
		if got := refersOnly([]byte(source)); got["things"] || len(got) != 2 {
			t.Errorf("%v refer, but Things is not a method of *queryResolver", got)
		}
	}
	for _, other := range []string{"/*\n%s*/", "var text = `\n%s`"} {
		source := "package graph\n" + fmt.Sprintf(other, references)
		if got := refersOnly([]byte(source)); len(got) > 0 {
			t.Errorf("%v refer, in what is no code:\n%s", got, source)
		}
	}
}
