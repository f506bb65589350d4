package api_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"forge/test/dbtest"
)

func TestPriceOfSearch(t *testing.T) {
	if os.Getenv("PRICE") == "" {
		t.Skip()
	}
	const n = 50000
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		start := time.Now()
		fill := `INSERT INTO heroes (id, name, version, created_at, updated_at) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d) SELECT unhex(printf('%%032x', i)), 'Captain Hammer No ' || i, 1, 0, 0 FROM s`
		if a.db.Dialect == "postgres" {
			fill = `INSERT INTO heroes (id, name, version, created_at, updated_at) SELECT lpad(to_hex(i), 32, '0')::uuid, 'Captain Hammer No ' || i, 1, now(), now() FROM generate_series(1, %d) i`
		}
		if _, err := a.db.ExecContext(t.Context(), fmt.Sprintf(fill, n)); err != nil {
			t.Fatal(err)
		}
		fmt.Println(a.db.Dialect, "fill", time.Since(start))
		for _, q := range []string{
			`{ heroes(first: 1, where: {nameGTE: "zz"}) { nodes { id } } }`,
			`{ heroes(first: 1, where: {ageGTE: 5, versionGTE: 2}) { nodes { id } } }`,
			`{ heroes(first: 1) { totalCount } }`,
			`{ heroes(first: 1, search: "cap") { nodes { id } } }`,
			`{ heroes(first: 1, search: "cap ham no") { nodes { id } } }`,
			`{ heroes(first: 1, search: "cap") { totalCount } }`,
			`{ heroes(first: 1, search: "hammer 49999") { nodes { id } } }`,
			`{ heroes(first: 1, search: "cap ham no", orderBy: {field: RELEVANCE}) { nodes { id } } }`,
			`{ heroes(first: 1, where: {nameContains: "zz"}) { nodes { id } } }`,
			`{ heroes(first: 1, where: {hasTeam: true}) { nodes { id } } }`,
		} {
			var best time.Duration
			for range 4 {
				start := time.Now()
				if got := a.Do(q, nil); len(got.Errors) > 0 {
					fmt.Println(got)
					break
				}
				if d := time.Since(start); best == 0 || d < best {
					best = d
				}
			}
			fmt.Println(a.db.Dialect, best, q)
		}
	})
}
