package graph

import (
	"forge/graph/model"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/input"
)

// references returns a reference for each ID, in the same order.
func references(list []*ids.ID) []model.Node {
	nodes := make([]model.Node, len(list))
	for i, id := range list {
		nodes[i] = gqlexec.Reference{ID: *id}
	}
	return nodes
}

// target returns the row with an ID. If version is not nil, the row must have that version.
func target(id ids.ID, version *int32) input.Target {
	return input.Target{ID: id, Expected: version}
}
