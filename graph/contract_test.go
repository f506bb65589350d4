package graph

import "testing"

func TestContract(t *testing.T) {
	t.Parallel()
	if err := new(Resolver).API().Check(); err != nil {
		t.Error(err)
	}
}

// TestIndexes says which index is missing for an order that the schema offers.
func TestIndexes(t *testing.T) {
	t.Parallel()
	for _, missing := range new(Resolver).API().MissingIndexes() {
		t.Error(missing)
	}
}
