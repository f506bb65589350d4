// Package rule decides who may read and change which rows. Each entity in ent/schema has a Policy,
// and ent applies it to every query and every mutation.
package rule

import (
	"context"
	"fmt"
	"reflect"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/privacy"

	"forge/internal/entity"
	"forge/internal/viewer"
)

// Policy is the ent policy of one entity. If a viewer may not read a row, the row does not exist
// for them. Other policies and privacy rules of ent may stand beside it, in mixins or in a
// privacy.Policy. Where a field must not be asked for at all, they refuse queries and mutations.
//
// The read engine writes a query once, and runs it again for other requests and viewers. So the
// conditions that a policy or an interceptor adds to a query may depend only on:
//
//   - the viewer's role, from viewer.RoleOf(ctx), and whether the viewer has a role of the
//     application's own, from viewer.Holds(ctx, name);
//   - the viewer's ID, but only as the statement's argument viewer.Argument(ctx). Go code must not
//     compare it. The same holds for the tenant, viewer.TenantArgument(ctx, form);
//   - values that are read with ctx.Value and can be compared with ==, such as the flag of
//     ForUpdate.
//
// A condition must not depend on the time, a package variable, a row that the policy looks up, or
// anything else. The condition would stay as it was when the query was first written. The engine
// checks this: it writes a query again at its 1st, 2nd, 4th, 8th … reuse, and the operation fails
// if the two differ. A subquery in the condition may look at other rows.
type Policy struct {
	// Update and Delete are about rows that the viewer may read.
	Read, Create, Update, Delete Who

	Owner Owner
	// Tenant is the column with the key of the tenant that a row belongs to, or "". Viewers with a
	// tenant see, make and change rows of their own tenant alone. Of those without a tenant, only
	// administrators see rows, namely all of them. The tenant of a row never changes.
	Tenant string
	// ShownTo says who may see fields and edges of a row, by their API names. It adds to ShownToAll
	// and ShownToOwners of entity.Annotation, and is about viewers who may see the row itself.
	ShownTo map[string]Who
	// SetBy says who may set columns, beside being allowed to create or to update the row.
	SetBy map[string]Who
}

// Owner says how to find the owner of a row.
type Owner struct {
	// Path leads to the row that has the owner, as Members.Path. It is "" if the row itself has.
	Path   string
	Column string // the column of that row with the owner's ID
}

// described is a query or a mutation of ent to which conditions can be added. All of ent's
// mutations have the method WhereP. ent/template adds the rest.
type described interface {
	WhereP(...func(*sql.Selector))
	// Described returns the entity whose rows are read or changed, and the graph that it is in.
	Described() (*entity.Entity, entity.Graph)
}

// EvalQuery restricts a query to the rows that the viewer may read. If ctx comes from ForUpdate, it
// restricts the query to those among them that the viewer may update, and if it comes from
// ForDelete, to those that the viewer may delete.
func (p Policy) EvalQuery(ctx context.Context, q ent.Query) error {
	query, ok := q.(described)
	if !ok {
		return fmt.Errorf("rule: a %T cannot be restricted", q)
	}
	who, r := or(p.Read), &rows{described: query, owner: p.Owner}
	switch ctx.Value(changeKey{}) {
	case changes:
		who = p.readers(p.Update)
	case deletes:
		who = p.readers(p.Delete)
	}
	for _, ask := range []func(context.Context, *rows) (answer, error){p.ofTenant, who.of} {
		a, err := ask(ctx, r)
		if err != nil {
			return err
		}
		a.restrict(query)
	}
	return p.showFields(ctx, r)
}

// readers returns the group of those who belong to who, and may read the row as well. A row that
// the viewer may not read does not exist for them, so it is not changed either.
func (p Policy) readers(who Who) Who {
	if p.Read == Everyone || reflect.DeepEqual(p.Read, who) {
		return or(who)
	}
	return All(or(p.Read), or(who))
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

// rows are those that a rule is asked about.
type rows struct {
	described
	owner Owner
	// change is a mutation if the rows are asked about as it would leave them. changed says that
	// the answer then depends on what it sets.
	change  ent.Mutation
	changed bool
}

// created reports whether the change makes a new row.
func (r *rows) created() bool { return r.change != nil && r.change.Op().Is(ent.OpCreate) }

// value returns what the change sets a column to, nil for NULL. It returns false if the column
// stays as it is.
func (r *rows) value(column string) (value any, ok bool) {
	if r.change == nil {
		return nil, false
	}
	value, set := r.change.Field(column)
	if !set && !r.change.FieldCleared(column) && !r.created() {
		return nil, false
	}
	r.changed = true
	return value, true
}

// answer says for which rows something holds: for all, for those with a condition, or for none.
type answer struct {
	all  bool
	when condition // nil if all is true, or if it holds for no row
}

// condition returns a predicate on the rows of a selector.
type condition func(*sql.Selector) *sql.Predicate

var none, always = answer{}, answer{all: true}

func (a answer) none() bool { return !a.all && a.when == nil }

// restrict restricts a query or a mutation to the rows of the answer.
func (a answer) restrict(to described) {
	if !a.all {
		to.WhereP(func(s *sql.Selector) { s.Where(a.predicate(s)) })
	}
}

func (a answer) predicate(s *sql.Selector) *sql.Predicate {
	switch {
	case a.all:
		return sql.ExprP("TRUE")
	case a.when == nil:
		return sql.False()
	}
	return a.when(s)
}

// system returns a context in which rules look at other rows: all of them, but for those that
// interceptors hide, such as deleted ones.
func system(ctx context.Context) context.Context {
	return entity.WithoutDeleted(privacy.DecisionContext(viewer.NewContext(ctx, viewer.System), privacy.Allow))
}
