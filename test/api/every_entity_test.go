package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/entity"
	"forge/test/dbtest"
	"forge/test/fixture"
)

// TestEveryEntity tests all entities of the schema in the same way, so that a new entity is tested
// without a change here: its fields, its edges, its pages in every order, and its filters. None of
// these takes more than one statement.
func TestEveryEntity(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const n = 5
		rows, err := fixture.Fill(t.Context(), a.db, n)
		if err != nil {
			t.Fatal(err)
		}
		schema := generated.NewExecutableSchema(generated.Config{}).Schema()
		for _, e := range ent.Entities {
			if def := schema.Types[e.Name]; def != nil && !e.Files {
				everyEntity{a, schema, e, def, rows}.check(t, n)
			}
		}
	})
}

type everyEntity struct {
	api    *api
	schema *ast.Schema
	entity *entity.Entity
	def    *ast.Definition
	rows   fixture.Rows
}

func (e everyEntity) check(t *testing.T, n int) {
	id := e.rows[e.entity.Name][0].String()
	got := e.api.Must(fmt.Sprintf(`query($id: ID!) { node(id: $id) { ... on %s { %s } } }`, e.entity.Name, e.leaves()), vars{"id": id})
	if got.Text("node.id") != id {
		t.Errorf("node(%s) = %s", id, got)
	}
	for _, root := range e.schema.Query.Fields {
		if !refers(root.Name) {
			continue // it says by itself what it holds
		}
		switch root.Type.Name() {
		case e.entity.Name:
			if root.Arguments.ForName("id") != nil {
				e.checkOne(t, root.Name, id)
			}
		case e.entity.Name + "Connection":
			e.checkPages(t, root, n)
			e.checkFilters(t, root, id)
		}
	}
}

// leaves returns a selection of all fields that are values, and of the IDs of related rows.
func (e everyEntity) leaves() string {
	var b strings.Builder
	for _, f := range e.def.Fields {
		switch {
		case strings.HasPrefix(f.Name, "__"):
		case e.schema.Types[f.Type.Name()].IsLeafType():
			b.WriteString(f.Name + " ")
		case strings.HasSuffix(f.Type.Name(), "Connection") && e.entity.Unites[f.Name] != nil:
			b.WriteString(f.Name + "(first: 2) { totalCount nodes { __typename } } ")
		case strings.HasSuffix(f.Type.Name(), "Connection"):
			b.WriteString(f.Name + "(first: 2) { totalCount nodes { id } } ")
		case len(f.Arguments) > 0 || e.entity.Edge(f.Name) == nil:
			b.WriteString(f.Name + " { __typename } ") // computed, or of several edges
		default:
			b.WriteString(f.Name + " { id } ")
		}
	}
	return b.String()
}

func (e everyEntity) checkOne(t *testing.T, root, id string) {
	got := e.api.Must(fmt.Sprintf(`query($id: ID!) { %s(id: $id) { %s } }`, root, e.leaves()), vars{"id": id})
	if got.Text(root+".id") != id {
		t.Errorf("%s(%s) = %s", root, id, got)
	}
	for _, f := range e.def.Fields {
		shown, _ := e.entity.Shown(f.Name)
		if stored := e.entity.Field(f.Name) != nil || e.entity.Edge(f.Name) != nil || shown != nil; stored && got.At(root+"."+f.Name) == nil {
			t.Errorf("%s(%s).%s is null; the fixture fills every field", root, id, f.Name)
		}
	}
}

// checkPages walks through all rows, in every order and in both directions, two rows at a time.
func (e everyEntity) checkPages(t *testing.T, root *ast.FieldDefinition, n int) {
	orders := []string{""}
	if def := e.schema.Types[e.entity.Name+"OrderField"]; def != nil {
		for _, value := range def.EnumValues {
			if value.Name == "RELEVANCE" {
				continue // only for a search; see TestSearchByRelevance
			}
			orders = append(orders, fmt.Sprintf("orderBy: [{field: %s}]", value.Name),
				fmt.Sprintf("orderBy: [{field: %s, direction: DESC}]", value.Name))
		}
	}
	for _, order := range orders {
		query := fmt.Sprintf(`query($after: Cursor) { page: %s(first: 2, after: $after %s) {
			totalCount pageInfo { hasNextPage endCursor } nodes { %s } } }`, root.Name, order, e.leaves())
		var seen []string
		after := vars{}
		for more := true; more && len(seen) <= n; {
			got := e.api.Must(query, after)
			if got.Number("page.totalCount") != n {
				t.Fatalf("%s: totalCount of %d rows in %s", root.Name, n, got)
			}
			// The code of a computed field may read, and so may the engine what that refers to.
			levels := strings.Count(query, "{ id }") + strings.Count(query, "totalCount") + 2*len(e.entity.Computed) + 1
			for _, edges := range e.entity.Unites {
				levels += 2 * len(edges)
			}
			if got.Statements() > levels {
				t.Errorf("%s: %d statements for %d levels and counts", root.Name, got.Statements(), levels)
			}
			for i := range got.Len("page.nodes") {
				seen = append(seen, got.Text(fmt.Sprintf("page.nodes.%d.id", i)))
			}
			more, after = got.At("page.pageInfo.hasNextPage") == true, vars{"after": got.At("page.pageInfo.endCursor")}
		}
		slices.Sort(seen)
		if len(slices.Compact(seen)) != n || len(seen) != n {
			t.Errorf("%s(%s): %d rows in pages, %d different ones; want %d", root.Name, order, len(seen), len(slices.Compact(seen)), n)
		}
	}
}

// checkFilters filters by equality with the values of the first row, for each field that allows it.
func (e everyEntity) checkFilters(t *testing.T, root *ast.FieldDefinition, id string) {
	input := e.schema.Types[root.Arguments.ForName("where").Type.Name()]
	for _, f := range input.Fields {
		if e.entity.Field(f.Name) == nil || f.Type.Elem != nil {
			continue
		}
		if e.def.Fields.ForName(f.Name) == nil {
			continue // a foreign key: its edge shows it
		}
		value := e.api.Must(fmt.Sprintf(`query($id: ID!) { node(id: $id) { ... on %s { value: %s } } }`, e.entity.Name, f.Name), vars{"id": id}).At("node.value")
		query := fmt.Sprintf(`query($value: %s) { page: %s(where: {%s: $value}) { nodes { id } } }`, f.Type.Name(), root.Name, f.Name)
		got := e.api.Must(query, vars{"value": value})
		if !strings.Contains(got.String(), id) {
			t.Errorf("%s where %s is %v does not find %s: %s", root.Name, f.Name, value, id, got)
		}
	}
}
