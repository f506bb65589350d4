package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	"forge/internal/database"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// BenchmarkHeroes compares 1,000 heroes, 10 of which are not allowed, in one mutation with as many
// mutations of one each.
func BenchmarkHeroes(b *testing.B) {
	input := make([]vars, 1000)
	for i := range input {
		input[i] = vars{"name": fmt.Sprint("Hero ", i), "age": i % 90}
		if i%100 == 50 {
			input[i]["age"] = -1
		}
	}
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		db, err := database.Open(kind.url(b), database.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { db.Close() })
		handler := as(viewer.System, newServer(db, config{}, slog.New(slog.NewTextHandler(b.Output(), nil))))
		send := func(query string, input any) {
			body, err := json.Marshal(vars{"query": query, "variables": vars{"input": input}})
			if err != nil {
				b.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/graphql", bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, r); w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
		b.Run(kind.name+"/skip", func(b *testing.B) {
			for b.Loop() {
				send(`mutation($input: [CreateHeroInput!]!) { createHeroes(input: $input, onError: SKIP) { heroes { id } errors { index } } }`, input)
			}
		})
		b.Run(kind.name+"/single", func(b *testing.B) {
			for b.Loop() {
				for _, one := range input {
					send(`mutation($input: CreateHeroInput!) { createHero(input: $input) { hero { id } } }`, one)
				}
			}
		})
	}
}
