package gqlexec

import "forge/internal/ids"

// Reference is an object of which only the ID is known. The read engine finds its type by the
// prefix of the ID.
type Reference struct{ ID ids.ID }

// IsNode marks the reference as a Node.
func (Reference) IsNode() {}

// GetID returns the object's ID.
func (r Reference) GetID() ids.ID { return r.ID }
