package sql

import (
	"context"
	"reflect"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
)

// plainWriter is a Writer that writes queries as ent does. The policy restricts all of them.
type plainWriter struct{ policy func(*sql.Selector) }

func (w plainWriter) Write(_ context.Context, e *entity.Entity, shape func(*sql.Selector)) (string, []any, error) {
	s := sql.Dialect(dialect.Postgres).Select().From(sql.Table(e.Table))
	if w.policy != nil {
		w.policy(s)
	}
	shape(s)
	text, args := s.Query()
	return text, args, nil
}

// queryOf returns a query for columns of the kinds. The first is the key.
func queryOf(table string, kinds ...entity.Kind) *Query {
	o := &binding.Object{Entity: &entity.Entity{Name: table, Table: table}, Key: binding.Column{Name: "id", Kind: entity.ID}}
	q := &Query{Dialect: dialect.Postgres, Node: &plan.Node{Object: o, Rows: true}, KeyColumn: "parent"}
	for i, kind := range kinds {
		q.Columns = append(q.Columns, binding.Column{Name: string(rune('a' + i)), Kind: kind})
	}
	return q
}

// TestTreeSlots checks that columns of one type share the columns of the UNION ALL, but never two
// of one branch.
func TestTreeSlots(t *testing.T) {
	t.Parallel()
	branches := []Branch{
		{Query: queryOf("a", entity.ID, entity.String, entity.String), Parent: -1},
		{Query: queryOf("b", entity.String, entity.Int, entity.ID, entity.Enum, entity.String), Parent: -1},
		{Query: queryOf("c", entity.Int), Parent: -1}, // a count
		{Query: queryOf("d", entity.Time, entity.ID, entity.ID), Parent: -1},
	}
	w := &treeWriter{tree: new(Tree), branches: branches}
	w.layOut()
	if want := []string{"bytea", "text", "text", "int8", "text", "timestamptz", "bytea"}; !reflect.DeepEqual(w.types, want) {
		t.Errorf("types %v, want %v", w.types, want)
	}
	if want := [][]int{{3, 4, 5}, {4, 6, 3, 5, 7}, {6}, {8, 3, 9}}; !reflect.DeepEqual(w.tree.Slots, want) {
		t.Errorf("slots %v, want %v", w.tree.Slots, want)
	}
}

// TestTreeParameters checks the numbers of the parameters: each branch goes on from those before
// it, and what looks like a parameter in a text of a policy stays as it is.
func TestTreeParameters(t *testing.T) {
	t.Parallel()
	policy := func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString(`"odd$1" <> '$2 it''s' AND E'\'$1' <> $t$ $1 ' $t$ AND 'x'::text = `).Arg(s.TableName())
		}))
	}
	root, below := queryOf("a", entity.ID), queryOf("b", entity.String)
	root.Page = &rows.Page{First: new(2), Size: 2, Limit: 3, Offset: 5, Order: []rows.Term{{Column: "id", Kind: entity.ID}}}
	below.Page = &rows.Page{First: new(4), Size: 4, Limit: 4, Offset: 1, Order: root.Page.Order}
	tree, err := WriteTree(t.Context(), plainWriter{policy}, []Branch{{Query: root, Parent: -1, Inner: true}, {Query: below}})
	if err != nil {
		t.Fatal(err)
	}
	const condition = ` WHERE "odd$1" <> '$2 it''s' AND E'\'$1' <> $t$ $1 ' $t$ AND 'x'::text = `
	want := `WITH _n0(c0, i, p, n) AS MATERIALIZED (SELECT c0, i, 0::int8, row_number() OVER () FROM (SELECT _s.*, row_number() OVER () FROM (` +
		`SELECT "a"."a" FROM "a"` + condition + `$1 ORDER BY "a"."id" LIMIT 3 OFFSET $2) AS _s) AS _c(c0, i)) ` +
		`SELECT 0::int8, p, n, uuid_send(c0), NULL::text FROM _n0 UNION ALL ` +
		`SELECT 1::int8, _p.n, 0::int8, NULL::bytea, c0::text FROM (SELECT n, c0 AS id FROM _n0 WHERE i <= 2) AS _p CROSS JOIN LATERAL (` +
		`SELECT "b"."a" FROM "b"` + condition + `$3 AND "b"."parent" = _p.id ORDER BY "b"."id" LIMIT 4 OFFSET $4) AS _c(c0)`
	if tree.Text != want {
		t.Errorf("got\n%s\nwant\n%s", tree.Text, want)
	}
	args := tree.BranchArguments(func(branch int, p Parameter) any { return []any{branch, p.of} })
	if want := []any{"a", []any{0, theOffset}, "b", []any{1, theOffset}}; !reflect.DeepEqual(args, want) {
		t.Errorf("arguments %v, want %v", args, want)
	}
}
