package gqlexec

import "forge/internal/ids"

// Reference is a reference to an entity of any type. The read engine finds the type by the prefix
// of the ID.
type Reference struct{ ID ids.ID }

// IsNode marks the reference as a Node.
func (Reference) IsNode() {}

// GetID returns the entity's ID.
func (r Reference) GetID() ids.ID { return r.ID }
