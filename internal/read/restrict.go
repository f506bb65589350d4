package read

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
)

// restriction collects the conditions that the resolver of a connection sets.
type restriction struct{ predicates []func(*sql.Selector) }

type restrictionKey struct{}

// Restrict restricts the connection that a resolver is called for to the rows for which all
// predicates hold. They come from the entity's ent package. Like the conditions of the policy and
// of the argument where, they hold on every page and for totalCount. Restrict returns an error if
// ctx is not that of a connection.
func Restrict[P ~func(*sql.Selector)](ctx context.Context, predicates ...P) error {
	r, ok := ctx.Value(restrictionKey{}).(*restriction)
	if !ok {
		return errors.New("read: Restrict is for the resolver of a connection, with its context")
	}
	for _, p := range predicates {
		r.predicates = append(r.predicates, p)
	}
	return nil
}
