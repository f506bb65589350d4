package api_test

import (
	"strings"
	"testing"

	"forge/internal/entity"
	"forge/test/dbtest"
)

// TestReadRules runs the same operation in turns for viewers who may see deleted rows and for
// viewers who may not. A condition that a rule adds for one must not be there for the other.
func TestReadRules(t *testing.T) {
	t.Parallel()
	const query = `{ users { totalCount nodes { username heroes { nodes { owner { username } } } } } }`
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		made := a.Must(`mutation { gone: createUser(input: {username: "gone", password: "a long password"}) { user { id } }
			here: createUser(input: {username: "here", password: "a long password"}) { user { id } } }`, nil)
		a.Must(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, vars{"id": made.At("gone.user.id")})
		for turn := range 6 {
			ctx, count := t.Context(), 1
			if turn%2 == 1 {
				ctx, count = entity.WithDeleted(ctx), 2
			}
			got := a.Send(ctx, query, nil)
			if seen := strings.Contains(got.Body, `"gone"`); got.Number("users.totalCount") != count || seen != (turn%2 == 1) {
				t.Fatalf("turn %d: %s", turn, got)
			}
		}
	})
}
