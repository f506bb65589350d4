package graph

import (
	"forge/graph/model"
	"forge/internal/gqlexec"
	"forge/internal/ids"
)

// references returns a reference for each ID, in the same order.
func references(list []*ids.ID) []model.Node {
	nodes := make([]model.Node, len(list))
	for i, id := range list {
		nodes[i] = gqlexec.Reference{ID: *id}
	}
	return nodes
}
