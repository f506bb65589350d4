package read

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
)

// restriction is what the resolver of a connection has said of its rows.
type restriction struct{ predicates []func(*sql.Selector) }

type restrictionKey struct{}

// Restrict has the connection that a resolver is called for hold no other rows than those for which the predicates, of the entity's package of
// ent, all hold. They come to the conditions of the policy and of the argument where, and count as those do: on every page, and in
// totalCount. It returns an error where there is no such connection.
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
