package api_test

import (
	"slices"
	"testing"

	"forge/graph"
	"forge/internal/application"
	"forge/internal/read/index"
)

// TestIndexes expects an index for each condition and order that the schema offers, unless it reads
// a whole table by nature.
func TestIndexes(t *testing.T) {
	t.Parallel()
	for _, m := range missingIndexes(t) {
		t.Errorf("%s. %s", m, m.Advice)
	}
}

func missingIndexes(t *testing.T) []index.Missing {
	missing, err := graph.Application("", "").API(application.Services{}).MissingIndexes()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(missing, func(m index.Missing) bool { return m.Sorts })
}
