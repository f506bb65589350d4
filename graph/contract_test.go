package graph

import "testing"

func TestContract(t *testing.T) {
	t.Parallel()
	if err := new(Resolver).API().Check(); err != nil {
		t.Error(err)
	}
}
