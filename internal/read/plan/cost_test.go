package plan

import (
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

// TestDocumentCost expects a condition on a document or a list to cost more for each value that it
// compares with, because the value is decoded or compared for each row.
func TestDocumentCost(t *testing.T) {
	t.Parallel()
	words := slices.Repeat([]any{"word"}, 1000)
	document := &entity.Field{Kind: entity.JSON}
	o := &binding.Object{Filters: map[string]*binding.Filter{
		"wordsHasSome": {Op: "HasSome"}, "wordsHasEvery": {Op: "HasEvery"}, "data": {Field: document},
		"dataContains": {Op: "Contains", Field: document}, "dataPathEquals": {Op: "PathEquals", Field: document},
	}}
	for name := range o.Filters {
		few, many := costs{prices: rootPrices}, costs{prices: rootPrices}
		few.all(o, map[string]any{name: []any{"word"}})
		many.all(o, map[string]any{name: words})
		if few.total > 3000 || many.total < 20*few.total {
			t.Errorf("%s: %d points for a value, %d for %d", name, few.total, many.total, len(words))
		}
	}
}

// TestComputedCost expects a computed field to cost the call of its resolver beside its price, and
// one that uses the database to cost a statement, so that one row does not ask for hundreds of
// them.
func TestComputedCost(t *testing.T) {
	t.Parallel()
	for computed, want := range map[*entity.Computed]Price{
		{Price: 2}:                {Once: Unit * computedOnce, Each: 4 * Unit, Entries: 1},
		{Price: 2, Outside: true}: {Each: 4 * Unit, Entries: 1},
	} {
		b := &binding.Binding{Schema: new(ast.Schema), Objects: map[string]*binding.Object{"Thing": {Fields: map[string]*binding.Field{"worth": {Computed: computed}}}}}
		f := &ast.Field{Name: "worth", ObjectDefinition: &ast.Definition{Name: "Thing"}, Definition: &ast.FieldDefinition{Type: ast.NamedType("Int", nil)}}
		if got := PriceOf(b, f, nil, 0); got != want {
			t.Errorf("%+v: %+v, want %+v", *computed, got, want)
		}
	}
}

// TestListCost expects an argument that is no list of IDs not to make a list of unknown length
// cheaper, and neither the name of a type that has nothing to do with pages.
func TestListCost(t *testing.T) {
	t.Parallel()
	b := &binding.Binding{Objects: map[string]*binding.Object{"Thing": {Entity: &entity.Entity{Name: "Thing"}}}, Schema: gqlparser.MustLoadSchema(&ast.Source{Input: `
		interface Node { id: ID! }
		type Thing implements Node { id: ID! }
		type WaterEdge { things: [Thing!]! }
		type Query { nodes(ids: [ID!]!): [Node]! things(limit: Int, not: [ID!]): [Thing!]! edge: WaterEdge! }`})}
	for query, want := range map[string]Price{
		`{ things { id } }`:                 {Entries: listEntries, Entry: rowCost},
		`{ things(limit: 1000) { id } }`:    {Entries: listEntries, Entry: rowCost},
		`{ things(not: []) { id } }`:        {Entries: listEntries, Entry: rowCost},
		`{ nodes(ids: ["a", "b"]) { id } }`: {Entries: 2, Entry: rowCost},
		`{ edge { things { id } } }`:        {Entries: 1, Entry: objectCost},
	} {
		doc, errs := gqlparser.LoadQueryWithRules(b.Schema, query, rules.NewDefaultRules())
		if errs != nil {
			t.Fatal(errs)
		}
		f := doc.Operations[0].SelectionSet[0].(*ast.Field)
		if got := PriceOf(b, f, nil, 0); got != want {
			t.Errorf("%s: %+v, want %+v", query, got, want)
		}
		if below, ok := f.SelectionSet[0].(*ast.Field); ok && below.Name == "things" {
			if got := PriceOf(b, below, nil, 0); got.Entries != listEntries || got.Entry != rowCost {
				t.Errorf("%s: %+v for the list", query, got)
			}
		}
	}
}

// TestOrderCost expects an order by related rows or by language to cost what is done for each row
// that matches, also as the first term, which an index serves otherwise.
func TestOrderCost(t *testing.T) {
	t.Parallel()
	o := &binding.Object{Orders: map[string]*binding.Order{"NAME": {Field: &entity.Field{Kind: entity.String}}, "PARTS_COUNT": {Edge: &entity.Edge{}, Count: true}}}
	term := func(field string, collation any) any { return map[string]any{"field": field, "collation": collation} }
	for _, tt := range []struct {
		terms  []any
		nested bool
		want   int
	}{
		{[]any{term("NAME", nil)}, false, 0},
		{[]any{term("NAME", nil)}, true, rootPrices.order},
		{[]any{term("NAME", "de")}, false, rootPrices.derived},
		{[]any{term("PARTS_COUNT", nil)}, false, rootPrices.derived},
		{[]any{term("NAME", nil), term("PARTS_COUNT", nil)}, false, rootPrices.order + rootPrices.derived},
		{[]any{term("UNKNOWN", nil)}, false, 0},
	} {
		c := costs{prices: rootPrices}
		if c.orders(o, tt.terms, tt.nested); c.total != tt.want {
			t.Errorf("%v: %d points, want %d", tt.terms, c.total, tt.want)
		}
	}
}

// TestInputCost expects each object inside of an input to cost a point, wherever it stands, and ten
// other entries of lists together.
func TestInputCost(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for name, tt := range map[string]struct {
		input any
		want  int
	}{
		"flat":    {object{"name": "a", "age": 1}, 0},
		"a list":  {[]any{object{"name": "a"}, object{"name": "b"}}, 2 * Unit},
		"nested":  {object{"genre": object{"create": object{"name": "a"}}}, 2 * Unit},
		"in rows": {[]any{object{"genre": object{"create": object{"name": "a"}}}}, 3 * Unit},
		"IDs":     {object{"tracks": object{"connect": []any{"1", "2", "3"}}}, Unit + 3*Unit/entriesAPoint},
	} {
		if got := inputCost(tt.input); got != tt.want {
			t.Errorf("%s costs %d, want %d", name, got, tt.want)
		}
	}
}
