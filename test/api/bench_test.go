package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"testing"

	"forge/internal/database"
	"forge/internal/viewer"
	"forge/seed"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// onEach runs a benchmark on a database of each kind. The function send sends an operation and
// returns the body of the answer. It stops the benchmark if the status is not 200. It does not
// decode the answer, so that only the server is measured.
func onEach(b *testing.B, run func(b *testing.B, db *database.DB, send func(query string, v vars) []byte)) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			a := newAPI(b, url(b))
			run(b, a.db, func(query string, v vars) []byte {
				body, err := json.Marshal(gqltest.Request{Query: query, Variables: v})
				if err != nil {
					b.Fatal(err)
				}
				r := httptest.NewRequest("POST", "/graphql", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				a.handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
				return w.Body.Bytes()
			})
		})
	}
}

// BenchmarkOperations runs whole operations against the demo data, without a network.
func BenchmarkOperations(b *testing.B) {
	onEach(b, func(b *testing.B, db *database.DB, send func(query string, v vars) []byte) {
		if err := seed.Run(b.Context(), db, 1); err != nil {
			b.Fatal(err)
		}
		id := vars{"id": regexp.MustCompile("user_[0-9a-z]{26}").FindString(string(send(`{ users(first: 1) { nodes { id } } }`, nil)))}
		for _, op := range []struct {
			name, query string
			vars        vars
		}{
			{"point", `query($id: ID!) { user(id: $id) { id username email } }`, id},
			{"list", `{ users(first: 50) { edges { node { id username email } } } }`, nil},
			{"nested", `{ users(first: 20) { edges { node { id username heroes(first: 10) { edges { node { id name team { name } } } } } } } }`, nil},
			{"deep", `{ users(first: 20) { edges { node { id orders(first: 5) { edges { node { id totalCents items { quantity product { name priceCents } } } } } } } } }`, nil},
			{"update", `mutation($id: ID!, $email: String!) { updateUser(id: $id, input: {email: $email}) { user { id username email } } }`, vars{"id": id["id"]}},
		} {
			b.Run(op.name, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if op.name == "update" {
						op.vars["email"] = fmt.Sprintf("user.%d@example.com", i)
					}
					if body := send(op.query, op.vars); bytes.Contains(body, []byte(`"errors"`)) {
						b.Fatalf("%s", body)
					}
				}
			})
		}
	})
}
