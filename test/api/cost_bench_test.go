package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"forge/internal/database"
	"forge/seed"
)

// BenchmarkCost measures what a point of cost takes, over operations that come near the default of
// MAX_COST in different ways. docs/limits.md has the figures.
func BenchmarkCost(b *testing.B) {
	onEach(b, func(b *testing.B, db *database.DB, send func(query string, v vars) []byte) {
		if err := seed.Run(b.Context(), db, 50); err != nil {
			b.Fatal(err)
		}
		for _, op := range []struct{ name, query string }{
			{"rows", `{ teams(first: 50) { nodes { heroes(first: 100) { nodes { id } } } } }`},
			{"fields", `{ teams(first: 50) { nodes { heroes(first: 100) { nodes { id name age version createdAt updatedAt } } } } }`},
			{"rows of edges to one", `{ teams(first: 50) { nodes { heroes(first: 100) { nodes { name team { name } owner { username } } } } } }`},
			{"counts", `{ teams(first: 50) { nodes { heroes(first: 50) { totalCount nodes { id } } } } }`},
			{"an order", `{ teams(first: 50) { nodes { heroes(first: 50, orderBy: {field: NAME}) { nodes { id } } } } }`},
			{"conditions", `{ heroes(where: {or: [` + strings.Repeat(`{name: "x", ageGT: 200}`, 60) + `]}) { nodes { id } } }`},
			{"conditions over related rows", `{ users(where: {or: [` + strings.Repeat(`{hasHeroesWith: {ageGT: 200}}`, 4) + `]}) { nodes { id } } }`},
			{"conditions below rows", `{ teams(first: 50) { nodes { heroes(where: {hasOwnerWith: {username: "x"}}) { nodes { id } } } } }`},
		} {
			b.Run(op.name, func(b *testing.B) {
				var points float64
				for b.Loop() {
					points = costIn(b, send(op.query, nil))
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/points, "µs/point")
				b.ReportMetric(points, "points")
			})
		}
	})
}

// costIn returns the cost that an answer tells.
func costIn(b *testing.B, answer []byte) float64 {
	var got struct {
		Extensions struct{ Cost struct{ Actual float64 } }
	}
	tail := answer[bytes.LastIndex(answer, []byte(`"extensions"`)):]
	if err := json.Unmarshal(append([]byte{'{'}, tail...), &got); err != nil || got.Extensions.Cost.Actual == 0 {
		b.Fatalf("%s: %v", tail, err)
	}
	return got.Extensions.Cost.Actual
}
