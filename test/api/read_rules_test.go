package api_test

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"forge/internal/entity"
	"forge/test/dbtest"
)

// TestReadRules has one and the same operation run for those who see deleted rows and for those who
// do not, in turns: what a rule adds to a statement for one of them must not be there for the
// other.
func TestReadRules(t *testing.T) {
	t.Parallel()
	const operation = `{"query":"{ users { totalCount nodes { username heroes { nodes { owner { username } } } } } }"}`
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		made := a.mustDo(`mutation { gone: createUser(input: {username: "gone", password: "a long password"}) { user { id } }
			here: createUser(input: {username: "here", password: "a long password"}) { user { id } } }`, nil)
		a.mustDo(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, vars{"id": made.at("gone.user.id")})
		for turn := range 6 {
			r := httptest.NewRequest("POST", "/graphql", strings.NewReader(operation))
			r.Header.Set("Content-Type", "application/json")
			if turn%2 == 1 {
				r = r.WithContext(entity.WithDeleted(r.Context()))
			}
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, r)
			count := []byte(`"totalCount":1`)
			if turn%2 == 1 {
				count = []byte(`"totalCount":2`)
			}
			seen := bytes.Contains(w.Body.Bytes(), []byte(`"gone"`))
			if !bytes.Contains(w.Body.Bytes(), count) || seen != (turn%2 == 1) {
				t.Fatalf("turn %d: %s", turn, w.Body)
			}
		}
	})
}
