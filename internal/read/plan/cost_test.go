package plan

import (
	"slices"
	"testing"

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
