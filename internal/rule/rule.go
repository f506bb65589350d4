// Package rule says who may read and change which rows. Its policies stand with the entities in ent/schema, and ent asks them
// for every query and every change, from wherever it comes.
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

// Who may do something. The zero value is nobody: what is not declared is closed.
type Who int

// Whom a policy can name. Each takes in those before it.
const (
	Nobody Who = iota
	Admins
	Owners // signed-in users, with rows of their own
	Everyone
)

// Policy is the ent policy of one entity. Rows that one may not read do not exist for them.
type Policy struct {
	Read, Create, Update, Delete Who

	Owner     Owner
	AdminsSet []string // columns that an owner may not set
}

// Owner tells whose a row is.
type Owner struct {
	Column string // holds the owner's ID
	// If the column holds the key of a row of another table instead, that row's owner is meant: by the table and its own column.
	Table, TableColumn string
}

// EvalQuery restricts a query to the rows that the viewer may read, or may update if the context says ForUpdate.
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

// is returns the condition that a row belongs to the user with the ID.
func (o Owner) is(id any) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if o.Table == "" {
			s.Where(sql.EQ(s.C(o.Column), id))
			return
		}
		other := sql.Table(o.Table)
		s.Where(sql.In(s.C(o.Column), sql.Dialect(s.Dialect()).Select(other.C("id")).From(other).Where(sql.EQ(other.C(o.TableColumn), id))))
	}
}

type updateKey struct{}

// ForUpdate returns a context in which a query finds the rows that the viewer may update, which may be fewer than may be read.
func ForUpdate(ctx context.Context) context.Context { return context.WithValue(ctx, updateKey{}, true) }

// conditional is a query or a mutation that can be restricted to some rows. All of ent's are.
type conditional interface {
	WhereP(...func(*sql.Selector))
}

// EvalMutation refuses a change that the viewer may not make, and restricts another to the rows that they may make it to. What an
// owner makes belongs to them. The errors are *apperr.Error: UNAUTHENTICATED if signing in could help, else FORBIDDEN.
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

// keepOwner sees to it that what the viewer makes or changes is theirs afterwards.
func (p Policy) keepOwner(m ent.Mutation, v viewer.Viewer) error {
	owner, set := m.Field(p.Owner.Column)
	switch {
	case set && owner != v.ID, m.FieldCleared(p.Owner.Column):
		return apperr.Forbidden("", "only an administrator may make this somebody else's: %s is to be your own ID", argument(p.Owner.Column))
	case !set && m.Op().Is(ent.OpCreate):
		return m.SetField(p.Owner.Column, v.ID)
	}
	return nil
}
