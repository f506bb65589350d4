package api_test

import (
	"testing"

	"forge/graph"
	"forge/internal/application"
)

// TestIndexes expects an index for each condition and order that the schema offers, unless it reads
// a whole table by nature.
func TestIndexes(t *testing.T) {
	t.Parallel()
	missing, err := graph.Application("", "").API(application.Services{}).MissingIndexes()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range missing {
		if !m.Sorts {
			t.Errorf("%s. %s", m, m.Advice)
		}
	}
}
