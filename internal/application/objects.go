package application

import (
	"forge/internal/changes"
	"forge/internal/entity"
	"forge/internal/migrator/catalog"
	"forge/internal/search"
)

// Objects returns what a kind of database has beside the tables of entities, in the order in which
// it can be created: the words that are searched, and the log of changes.
func Objects(entities []*entity.Entity) func(dialect string) []catalog.Object {
	return func(dialect string) []catalog.Object {
		return append(search.Objects(entities)(dialect), changes.Objects(entities)(dialect)...)
	}
}
