// Package rule decides who may read and change which rows. Each entity in ent/schema has a Policy,
// and ent applies it to every query and every mutation.
package rule

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/viewer"
)

// Who is a group of viewers that may do something. The zero value is Nobody.
type Who int

// These are the groups. Each group includes the groups before it.
const (
	Nobody Who = iota
	Admins
	Owners // signed-in users, for the rows that they own
	Everyone
)

// Policy is the ent policy of one entity. If a viewer may not read a row, the row does not exist
// for them.
//
// The read engine writes a query once, and runs it again for other requests and viewers. So the
// conditions that a policy or an interceptor adds to a query may depend only on:
//
//   - the viewer's role, from viewer.RoleOf(ctx);
//   - the viewer's ID, but only as the statement's argument viewer.Argument(ctx). Go code must not
//     compare it;
//   - values that are read with ctx.Value and can be compared with ==, such as the flag of
//     ForUpdate.
//
// A condition must not depend on the time, a package variable, a row that the policy looks up, or
// anything else. The condition would stay as it was when the query was first written. The engine
// checks this: it writes a query again at its 1st, 2nd, 4th, 8th … reuse, and the operation fails
// if the two differ. A subquery in the condition may look at other rows.
type Policy struct {
	Read, Create, Update, Delete Who

	Owner     Owner
	AdminsSet []string // columns that only an administrator may set
}

// Owner says how to find the owner of a row.
type Owner struct {
	// Column is the column with the owner's ID. If Table is set, it is the column with the key of a
	// row of Table instead.
	Column string
	// Table is the table of the row that has the owner. TableColumn is the column of Table with the
	// owner's ID.
	Table, TableColumn string
}

// EvalQuery restricts a query to the rows that the viewer may read. If ctx comes from ForUpdate, it
// restricts the query to the rows that the viewer may update, and if it comes from ForDelete, to
// those that the viewer may delete.
func (p Policy) EvalQuery(ctx context.Context, q ent.Query) error {
	who := p.Read
	switch ctx.Value(changeKey{}) {
	case changes:
		who = p.Update
	case deletes:
		who = p.Delete
	}
	switch role := viewer.RoleOf(ctx); {
	case who == Everyone, who >= Admins && role == viewer.Admin:
		return nil
	case who == Owners && role == viewer.User:
		return where(q, p.Owner.is(viewer.Argument(ctx)))
	}
	return where(q, func(s *sql.Selector) { s.Where(sql.False()) })
}

func where(q ent.Query, condition func(*sql.Selector)) error {
	query, ok := q.(conditional)
	if !ok {
		return fmt.Errorf("rule: a %T cannot be restricted", q)
	}
	query.WhereP(condition)
	return nil
}

// is returns a condition that is true for the rows of the user with an ID.
func (o Owner) is(id any) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if o.Table == "" {
			s.Where(sql.EQ(s.C(o.Column), id))
			return
		}
		other := sql.Table(o.Table)
		theirs := sql.Dialect(s.Dialect()).Select(other.C("id")).From(other).
			Where(sql.EQ(other.C(o.TableColumn), id))
		s.Where(sql.In(s.C(o.Column), theirs))
	}
}

type changeKey struct{}

// change is what a query looks for rows for.
type change int

const (
	changes change = iota + 1
	deletes
)

// ForUpdate returns a context in which a query finds only rows that the viewer may update. The
// viewer may be able to read more rows than these.
func ForUpdate(ctx context.Context) context.Context {
	return context.WithValue(ctx, changeKey{}, changes)
}

// ForDelete returns a context in which a query finds only rows that the viewer may delete.
func ForDelete(ctx context.Context) context.Context {
	return context.WithValue(ctx, changeKey{}, deletes)
}

type markingKey struct{}

// Marking returns a context for an update that marks rows as deleted, or takes the mark away.
// Policy.Delete says who may make it.
func Marking(ctx context.Context) context.Context { return context.WithValue(ctx, markingKey{}, true) }

// conditional is a query or a mutation to which a condition can be added. All of ent's mutations
// have the method. ent/template adds it to queries.
type conditional interface {
	WhereP(...func(*sql.Selector))
}

// EvalMutation returns an *apperr.Error if the viewer may not make the mutation: UNAUTHENTICATED
// for an anonymous viewer, FORBIDDEN for others. It restricts an update or a delete to the rows
// that the viewer may change. If an owner creates a row, it makes the viewer the owner of the row.
func (p Policy) EvalMutation(ctx context.Context, m ent.Mutation) error {
	who, v := p.allows(ctx, m.Op()), viewer.FromContext(ctx)
	switch {
	case who >= Admins && v.Role == viewer.Admin:
		return nil
	case v.Role == viewer.Anonymous:
		return apperr.Unauthenticated()
	case who < Owners:
		return apperr.Forbidden("", "only an administrator may do this")
	}
	for _, column := range append(m.Fields(), m.ClearedFields()...) {
		if slices.Contains(p.AdminsSet, column) {
			return apperr.Forbidden("", "only an administrator may change %s", argument(column))
		}
	}
	if err := p.keepOwner(m, v); err != nil {
		return err
	}
	if !m.Op().Is(ent.OpCreate) {
		m.(conditional).WhereP(p.Owner.is(v.ID))
	}
	return nil
}

func (p Policy) allows(ctx context.Context, op ent.Op) Who {
	switch {
	case op.Is(ent.OpCreate):
		return p.Create
	case op.Is(ent.OpUpdate|ent.OpUpdateOne) && ctx.Value(markingKey{}) == nil:
		return p.Update
	default:
		return p.Delete
	}
}

// keepOwner returns an error if the mutation would give a row to another user. If a new row has no
// owner yet, it makes the viewer the owner.
func (p Policy) keepOwner(m ent.Mutation, v viewer.Viewer) error {
	owner, set := m.Field(p.Owner.Column)
	switch {
	case set && owner != v.ID, m.FieldCleared(p.Owner.Column):
		return apperr.Forbidden("", "only an administrator may make this somebody else's: "+
			"%s is to be your own ID", argument(p.Owner.Column))
	case !set && m.Op().Is(ent.OpCreate):
		return m.SetField(p.Owner.Column, v.ID)
	}
	return nil
}
