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

// Who is the group of viewers that may do something. The zero value is Nobody.
type Who int

// The groups. Each one includes those before it.
const (
	Nobody Who = iota
	Admins
	Owners // signed-in users, on rows of their own
	Everyone
)

// Policy is the ent policy of one entity. To a viewer, rows that they may not read do not exist.
//
// The read engine writes a query once, and runs it for other viewers and requests as well. So the
// conditions that a policy, or an interceptor, adds to a query may depend only on:
//
//   - the viewer's role, from viewer.RoleOf(ctx);
//   - the viewer's ID, only as the statement's argument viewer.Argument(ctx), never compared in Go;
//   - flags on the context, read with ctx.Value and comparable with ==, such as that of ForUpdate.
//
// A condition must not depend on anything else, such as the time, a package variable or a row that
// the policy looks up: it would stay as it was when the query was first written. The engine writes
// such a query anew at its 1st, 2nd, 4th, 8th … reuse; if the two differ, the operation fails. A
// subquery in the condition may look at other rows.
type Policy struct {
	Read, Create, Update, Delete Who

	Owner     Owner
	AdminsSet []string // columns that only an administrator may set
}

// Owner says how to find the owner of a row.
type Owner struct {
	// Column holds the owner's ID, or, if Table is set, the key of a row of that table.
	Column string
	// Table and TableColumn name the table, and its column with the owner's ID.
	Table, TableColumn string
}

// EvalQuery restricts a query to the rows that the viewer may read. In a context from ForUpdate it
// restricts it to those that the viewer may update.
func (p Policy) EvalQuery(ctx context.Context, q ent.Query) error {
	who := p.Read
	if ctx.Value(updateKey{}) != nil {
		who = p.Update
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

// is returns the condition that a row belongs to the user with the given ID.
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

type updateKey struct{}

// ForUpdate returns a context in which a query finds only rows that the viewer may update. They may
// be fewer than the viewer may read.
func ForUpdate(ctx context.Context) context.Context { return context.WithValue(ctx, updateKey{}, true) }

// conditional is a query or a mutation whose rows can be restricted. All of ent's mutations have
// the method; ent/template adds it to the queries.
type conditional interface {
	WhereP(...func(*sql.Selector))
}

// EvalMutation refuses a mutation that the viewer may not make. The error is an *apperr.Error:
// UNAUTHENTICATED for an anonymous viewer, FORBIDDEN for others. It restricts an allowed update or
// delete to the rows that the viewer may change. It makes an owner the owner of a row they create.
func (p Policy) EvalMutation(ctx context.Context, m ent.Mutation) error {
	who, v := p.allows(m.Op()), viewer.FromContext(ctx)
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

func (p Policy) allows(op ent.Op) Who {
	switch {
	case op.Is(ent.OpCreate):
		return p.Create
	case op.Is(ent.OpUpdate | ent.OpUpdateOne):
		return p.Update
	default:
		return p.Delete
	}
}

// keepOwner refuses a mutation that would give a row to somebody else. It sets the owner of a new
// row if the mutation does not.
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
