package edges

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"

	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/edges/ent"
	"forge/test/edges/ent/genre"
	"forge/test/edges/ent/listener"
	"forge/test/edges/ent/track"
)

// mutate runs a mutation of one root field as gqlgen does: change is the resolver of the field, and
// returns the ID of the entity in the payload's only field. mutate returns that field's JSON, and
// how many statements ran.
func (w *world) mutate(query string, change func(ctx context.Context, db *ent.Client) ids.ID, into any) (statements int) {
	w.Helper()
	op := w.operation(query, nil)
	u := unit.New(w.db, unit.Write)
	defer u.Rollback()
	ctx := viewer.NewContext(unit.NewContext(w.Context(), u), admin)
	ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	root := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Mutation"})[0]
	shown := graphql.CollectFields(op, root.Selections, []string{root.Definition.Type.Name()})[0]
	ctx = graphql.WithRootFieldContext(ctx, &graphql.RootFieldContext{Object: "Mutation", Field: root})
	var text bytes.Buffer
	w.engine.Mutate(ctx, func(ctx context.Context) graphql.Marshaler {
		id := change(read.WithReturning(ctx), ent.FromUnit(ctx))
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Mutation", Field: root})
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root.Definition.Type.Name(), Field: shown})
		value, err := w.engine.Read(ctx, func(context.Context) (any, error) { return reference{id}, nil })
		if err != nil {
			w.Fatal(err)
		}
		return value.(graphql.Marshaler)
	}).MarshalGQL(&text)
	if err := json.Unmarshal(text.Bytes(), into); err != nil {
		w.Fatalf("%v in %s", err, &text)
	}
	return u.Cost().Statements
}

// TestPayload reads on, over many-to-many edges, from rows that the statement of a mutation has
// returned.
func TestPayload(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		l, g := f.listeners[3], f.genres[2]
		var renamed struct {
			named
			Likes struct {
				TotalCount int
				Nodes      []struct {
					named
					LikedBy []named
				}
			}
			Rated struct {
				Edges []struct {
					Stars int32
					Node  named
				}
			}
		}
		n := w.mutate(`mutation { renameListener { listener { id name likes { totalCount nodes { id name likedBy { id name } } } rated(first: 2) { edges { stars node { id } } } } } }`,
			func(ctx context.Context, db *ent.Client) ids.ID {
				db.Listener.Update().Where(listener.ID(l.ID)).SetName("renamed").SaveX(ctx)
				return l.GlobalID()
			}, &renamed)
		if w.db.Dialect == dialect.Postgres && n != 2 {
			w.Errorf("%d statements, want 2", n)
		}
		likes := l.QueryLikes().Order(track.ByID()).AllX(w.system)
		if renamed.ID != l.GlobalID().String() || renamed.Name != "renamed" || renamed.Likes.TotalCount != len(likes) || len(renamed.Likes.Nodes) != len(likes) || len(renamed.Rated.Edges) != 2 {
			w.Fatalf("%+v, want %d likes", renamed, len(likes))
		}
		for i, liked := range likes {
			by := listeners(liked.QueryLikedBy().Order(listener.ByID()).AllX(w.system))
			for j, text := range by {
				if text == l.GlobalID().String()+" "+l.Name {
					by[j] = l.GlobalID().String() + " renamed"
				}
			}
			w.same(liked.Name, texts(renamed.Likes.Nodes[i].LikedBy), by)
		}
		var ranked struct {
			ID       string
			Rank     int32
			Parent   *named
			Children []named
			Similar  page
		}
		w.mutate(`mutation { rankGenre { genre { id rank parent { id } children { id } similar { totalCount nodes { id } } } } }`,
			func(ctx context.Context, db *ent.Client) ids.ID {
				db.Genre.Update().Where(genre.ID(g.ID)).SetRank(77).SaveX(ctx)
				return g.GlobalID()
			}, &ranked)
		similar := genres(g.QuerySimilar().Order(genre.ByID()).AllX(w.system))
		if ranked.ID != g.GlobalID().String() || ranked.Rank != 77 || ranked.Parent == nil || ranked.Parent.ID != f.genres[0].GlobalID().String() || ranked.Similar.TotalCount != len(similar) {
			w.Errorf("%+v", ranked)
		}
		w.same("children", idsOf(ranked.Children), genres(g.QueryChildren().Order(genre.ByID()).AllX(w.system)))
		w.same("similar", idsOf(ranked.Similar.Nodes), similar)
	})
}
