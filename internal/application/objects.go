package application

import (
	"slices"

	"forge/internal/changes"
	"forge/internal/entity"
	"forge/internal/migrator/catalog"
	"forge/internal/onetime"
	"forge/internal/search"
	"forge/internal/shared"
)

// AllObjects returns what Objects returns, and the tables that the servers of a database share.
func AllObjects(entities []*entity.Entity) func(dialect string) []catalog.Object {
	of := Objects(entities)
	return func(dialect string) []catalog.Object {
		return slices.Concat(of(dialect), shared.Objects(dialect), onetime.Objects(dialect))
	}
}

// Objects returns what a kind of database has beside the tables of entities, in the order in which
// it can be created: the words that are searched, and the log of changes.
func Objects(entities []*entity.Entity) func(dialect string) []catalog.Object {
	return func(dialect string) []catalog.Object {
		return append(search.Objects(entities)(dialect), changes.Objects(entities)(dialect)...)
	}
}
