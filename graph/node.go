package graph

import (
	"forge/graph/model"
	"forge/internal/ids"
)

// reference is an object of which only the ID is known; the read engine tells its type by it.
type reference struct{ id ids.ID }

// IsNode marks the reference as a Node.
func (reference) IsNode() {}

// GetID returns the object's ID.
func (r reference) GetID() ids.ID { return r.id }

func references(list []*ids.ID) []model.Node {
	nodes := make([]model.Node, len(list))
	for i, id := range list {
		nodes[i] = reference{*id}
	}
	return nodes
}
