package api_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"

	"forge/internal/database"
	"forge/internal/viewer"
	"forge/seed"
	"forge/test/dbtest"
)

// BenchmarkOperations runs whole operations against the demo data, without a network.
func BenchmarkOperations(b *testing.B) {
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		b.Run(kind.name, func(b *testing.B) {
			db, err := database.Open(kind.url(b), database.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if err := seed.Run(b.Context(), db, 1); err != nil {
				b.Fatal(err)
			}
			handler := as(viewer.System, newServer(db, config{}, slog.New(slog.NewTextHandler(b.Output(), nil))))
			post := func(query string, v vars) *httptest.ResponseRecorder {
				body, err := json.Marshal(vars{"query": query, "variables": v})
				if err != nil {
					b.Fatal(err)
				}
				r := httptest.NewRequest("POST", "/graphql", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				return w
			}
			var first struct {
				Data struct {
					Users struct{ Nodes []struct{ ID string } }
				}
			}
			if w := post(`{ users(first: 1) { nodes { id } } }`, nil); json.Unmarshal(w.Body.Bytes(), &first) != nil || len(first.Data.Users.Nodes) == 0 {
				b.Fatal(w.Body)
			}
			if err != nil {
				b.Fatal(err)
			}
			id := vars{"id": first.Data.Users.Nodes[0].ID}
			for _, op := range []struct {
				name, query string
				vars        vars
			}{
				{"point", `query($id: ID!) { user(id: $id) { id username email } }`, id},
				{"list", `{ users(first: 50) { edges { node { id username email } } } }`, nil},
				{"nested", `{ users(first: 20) { edges { node { id username heroes(first: 10) { edges { node { id name team { name } } } } } } } }`, nil},
				{"deep", `{ users(first: 20) { edges { node { id orders(first: 5) { edges { node { id totalCents items { quantity product { name priceCents } } } } } } } } }`, nil},
			} {
				b.Run(op.name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if w := post(op.query, op.vars); w.Code != 200 || bytes.Contains(w.Body.Bytes(), []byte(`"errors"`)) {
							b.Fatal(w.Body)
						}
					}
				})
			}
		})
	}
}
