package sql

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/rows"
)

// TestEncloses checks which lists of related rows PostgreSQL has to read before it orders or groups
// them, and that conditions of the list are about these rows, and those of a policy around them.
func TestEncloses(t *testing.T) {
	t.Parallel()
	page := func(terms ...rows.Term) func(*Query) {
		return func(q *Query) {
			q.Page = &rows.Page{Size: 1, Limit: 1, Order: append(terms, rows.Term{Column: "id", Kind: entity.ID})}
		}
	}
	measure := func(f kind.Function) binding.Column {
		return binding.Column{Name: "size", Kind: entity.Int, Measure: &binding.Measure{Function: f, Of: entity.Int}}
	}
	summary := func(by []binding.Column, f kind.Function) func(*Query) {
		return func(q *Query) {
			q.Node.Of, q.Summary, q.Columns = q.Node, &rows.Summary{By: by}, []binding.Column{measure(f)}
		}
	}
	name := rows.Term{Column: "name", Kind: entity.String}
	for title, tt := range map[string]struct {
		set  func(*Query)
		want bool
	}{
		"by the key":                  {page(), false},
		"by a column":                 {page(name), true},
		"by a column with an index":   {page(rows.Term{Column: "name", Kind: entity.String, IndexedBelow: []string{"parent"}}), false},
		"with an index of other rows": {page(rows.Term{Column: "name", Kind: entity.String, IndexedBelow: []string{"maker"}}), true},
		"by language":                 {page(rows.Term{Column: "name", Kind: entity.String, Collation: "de"}), false},
		"groups":                      {summary([]binding.Column{{Name: "name", Kind: entity.String}}, kind.Count), true},
		"the greatest":                {summary(nil, kind.Max), true},
		"the smallest":                {summary(nil, kind.Min), true},
		"a sum":                       {summary(nil, kind.Sum), false},
	} {
		below := queryOf("b", entity.String)
		below.Where = func(s *sql.Selector) *sql.Predicate { return sql.EQ(s.C("size"), 5) }
		tt.set(below)
		policy := func(s *sql.Selector) { s.Where(sql.IsNull(s.C("hidden"))) }
		tree, err := WriteTree(t.Context(), plainWriter{policy}, []Branch{{Query: queryOf("a", entity.ID), Parent: -1, Inner: true}, {Query: below}})
		if err != nil {
			t.Fatal(err)
		}
		const enclosed = `FROM (SELECT "b".* FROM "b" WHERE "b"."parent" = _p.id AND "b"."size" = $1 OFFSET 0) AS "b" WHERE "b"."hidden" IS NULL`
		const plain = `FROM "b" WHERE ("b"."hidden" IS NULL AND "b"."parent" = _p.id) AND "b"."size" = $1`
		if want := map[bool]string{true: enclosed, false: plain}[tt.want]; !strings.Contains(tree.Text, want) {
			t.Errorf("%s: %s\nwant %s", title, tree.Text, want)
		}
	}
}
