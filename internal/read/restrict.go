package read

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
)

// restriction collects the conditions that the resolver of a connection adds.
type restriction struct{ predicates []func(*sql.Selector) }

type restrictionKey struct{}

// Restrict restricts a connection to the rows for which all predicates hold. The resolver of the
// connection calls it with its own context, and with predicates of the entity's ent package. The
// predicates hold on every page and for totalCount, as the entity's policy and the argument where
// do. Restrict returns an error if ctx is not the context of a connection's resolver.
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
