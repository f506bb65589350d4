package read

import (
	"testing"

	"forge/internal/database"
	"forge/internal/unit"
	"forge/seed"
	"forge/test/dbtest"
)

// BenchmarkLoad runs the statements of a selection on SQLite, one level, three and four, and writes nothing.
func BenchmarkLoad(b *testing.B) {
	db, err := database.Open(dbtest.SQLite(b), database.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := seed.Run(b.Context(), db, 1); err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name, query string
		levels      int
	}{
		{"page", `{ users(first: 20) { edges { cursor node { id username email } } } }`, 1},
		{"nested", `{ users(first: 20) { edges { node { id username heroes(first: 10) { edges { node { id name team { name } } } } } } } }`, 3},
		{"deep", `{ users(first: 20) { edges { node { id orders(first: 5) { edges { node { id totalCents items { quantity product { name priceCents } } } } } } } } }`, 4},
	} {
		b.Run(bb.name, func(b *testing.B) {
			e := newTestEngine()
			op := parsed(b, e, bb.query)(nil)
			p := rootPlans(e, op)[0]
			b.ReportAllocs()
			for b.Loop() {
				r := &run{Engine: e, unit: unit.New(db, unit.Snapshot), op: op, results: make([]result, p.slots[""])}
				if err := r.preparePages(b.Context(), p.connection.level); err != nil {
					b.Fatal(err)
				}
				if err := r.load(b.Context(), &fetch{run: r, level: p.connection.level, page: r.results[0].page}); err != nil {
					b.Fatal(err)
				}
				if n := r.unit.Cost().Statements; n != bb.levels {
					b.Fatalf("%d statements for %d levels", n, bb.levels)
				}
				r.unit.Rollback()
			}
		})
	}
}
