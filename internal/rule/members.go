package rule

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/viewer"
)

// Members is the group of signed-in users who are named by certain rows: those to which a path of
// edges leads, or all rows of an entity. The rows are looked at whoever may see them, but for those
// that interceptors hide, such as deleted ones.
type Members struct {
	// Path holds the names of edges in ent/schema, such as "project.team.memberships". It is "" if
	// the row itself names the user.
	Path string
	// In is the entity whose rows name users, instead of Path: whoever one of them names is a
	// member, for every row that a rule is asked about.
	In string
	// User is the column of the rows with the user's ID.
	User string
	// With are further columns that the rows have to have, with the values that are allowed: texts,
	// numbers or booleans.
	With map[string][]any
}

func (m Members) of(ctx context.Context, r *rows) (answer, error) {
	if role := viewer.RoleOf(ctx); role != viewer.User {
		return answer{all: role == viewer.Admin}, nil
	}
	e, g := r.Described()
	path := m.path()
	if len(path) == 0 && m.In == "" {
		return m.own(ctx, r), nil
	}
	f := follower{ctx: system(ctx), graph: g, end: m.terms(viewer.Argument(ctx))}
	if m.In != "" {
		return f.anywhere(r, m.In)
	}
	return f.from(r, e, path)
}

func (Members) parts() []Who { return nil }

func (m Members) names() string {
	switch {
	case m.In != "":
		return "somebody whom a row of " + m.In + " names"
	case m.Path == "":
		return "whom " + argument(m.User) + " names"
	}
	return "a member by way of " + m.Path
}

func (m Members) path() []string {
	if m.Path == "" {
		return nil
	}
	return strings.Split(m.Path, ".")
}

// terms returns the conditions that a row has to fulfil that names the user with an ID.
func (m Members) terms(id any) []term {
	terms := []term{{m.User, []any{id}}}
	for _, column := range slices.Sorted(maps.Keys(m.With)) {
		terms = append(terms, term{column, m.With[column]})
	}
	return terms
}

// term says that a column has one of several values.
type term struct {
	column string
	values []any
}

func (t term) is(s *sql.Selector) *sql.Predicate {
	if len(t.values) == 1 {
		return sql.EQ(s.C(t.column), t.values[0])
	}
	return sql.In(s.C(t.column), t.values...)
}

// own returns the answer if the row itself names the user.
func (m Members) own(ctx context.Context, r *rows) answer {
	var left []term
	for _, t := range m.terms(viewer.Argument(ctx)) {
		value, changed := r.value(t.column)
		if !changed {
			left = append(left, t)
		} else if !slices.ContainsFunc(t.values, func(allowed any) bool { return value != nil && fmt.Sprint(value) == fmt.Sprint(allowed) }) {
			return none
		}
	}
	if len(left) == 0 {
		return always
	}
	return answer{when: all(left)}
}

func all(terms []term) condition {
	return func(s *sql.Selector) *sql.Predicate {
		predicates := make([]*sql.Predicate, len(terms))
		for i, t := range terms {
			predicates[i] = t.is(s)
		}
		return sql.And(predicates...)
	}
}

// follower follows a path of edges to rows that name users.
type follower struct {
	ctx   context.Context
	graph entity.Graph
	end   []term // what the last rows have to fulfil
}

// from returns the answer for the rows that a rule is asked about. If a change sets the key that
// the path begins with, a statement tells whether the path leads anywhere.
func (f *follower) from(r *rows, e *entity.Entity, path []string) (answer, error) {
	edge, to, err := f.edge(e, path[0])
	if err != nil || !edge.OwnKey && r.created() {
		return none, err // nothing refers to a new row yet
	}
	var key any
	changed := false
	if edge.OwnKey {
		key, changed = r.value(edge.Column)
	}
	switch {
	case !changed:
		when, err := f.lead(e, path, 0)
		return answer{when: when}, err
	case key == nil:
		return none, nil
	}
	when, err := f.next(to, path[1:], 1)
	if err != nil {
		return none, err
	}
	found, err := f.graph.Exists(f.ctx, to, func(s *sql.Selector) { s.Where(sql.And(sql.EQ(s.C(keyOf(to)), key), when(s))) })
	return answer{all: found}, err
}

// anywhere returns the answer if any row of an entity may name the user.
func (f *follower) anywhere(r *rows, name string) (answer, error) {
	to := f.graph.Entity(name)
	if to == nil {
		return none, fmt.Errorf("rule: there is no entity %s", name)
	}
	named := func(s *sql.Selector) { s.Where(all(f.end)(s)) }
	if r.created() {
		found, err := f.graph.Exists(f.ctx, to, named)
		return answer{all: found}, err
	}
	query, err := f.query(to, 0, named)
	return answer{when: func(*sql.Selector) *sql.Predicate { return exists(query, func() {}) }}, err
}

// next returns the condition under which the rest of a path leads from a row to one that names the
// user.
func (f *follower) next(e *entity.Entity, path []string, depth int) (condition, error) {
	if len(path) == 0 {
		return all(f.end), nil
	}
	return f.lead(e, path, depth)
}

// lead returns the condition under which a path of at least one edge leads from a row to one that
// names the user.
func (f *follower) lead(e *entity.Entity, path []string, depth int) (condition, error) {
	edge, to, err := f.edge(e, path[0])
	if err != nil {
		return nil, err
	}
	when, err := f.next(to, path[1:], depth+1)
	if err != nil {
		return nil, err
	}
	var outer string // the key of the row that the edge starts from, as it is written in the query around
	leads := func(column string) *sql.Predicate {
		return sql.P(func(b *sql.Builder) { b.Ident(column).WriteString(" = ").Ident(outer) })
	}
	query, err := f.query(to, depth, func(s *sql.Selector) {
		switch {
		case edge.Through != "":
			join := sql.Table(edge.Through).As("_j" + strconv.Itoa(depth)) // package binding refuses tables of this name
			s.Join(join).On(s.C(keyOf(to)), join.C(edge.Far))
			s.Where(leads(join.C(edge.Column)))
		case edge.OwnKey:
			s.Where(leads(s.C(keyOf(to))))
		default:
			s.Where(leads(s.C(edge.Column)))
		}
		s.Where(when(s))
	})
	key := edge.Column
	if !edge.OwnKey {
		key = keyOf(e)
	}
	return func(s *sql.Selector) *sql.Predicate {
		at := s.C(key)
		return exists(query, func() { outer = at })
	}, err
}

// exists returns the predicate that a query inside of another one has a row. The function before is
// called before the query is written.
func exists(query *sql.Selector, before func()) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		before()
		b.WriteString("EXISTS ").Wrap(func(b *sql.Builder) { b.Join(query) })
	})
}

// query returns a query for rows inside of another query.
func (f *follower) query(e *entity.Entity, depth int, shape func(*sql.Selector)) (*sql.Selector, error) {
	return f.graph.Select(f.ctx, e, func(s *sql.Selector) {
		s.Table().As("_m" + strconv.Itoa(depth)) // package binding refuses tables of this name
		s.SelectExpr(sql.Raw("1"))
		shape(s)
	})
}

// edge returns the edge with a name in ent/schema, and the entity that it leads to.
func (f *follower) edge(e *entity.Entity, name string) (*entity.Edge, *entity.Entity, error) {
	edge := e.Edge(argument(name))
	if edge == nil {
		return nil, nil, fmt.Errorf("rule: %s has no edge %s", e.Name, name)
	}
	return edge, f.graph.Entity(edge.To), nil
}

// keyOf returns the column of an entity's key.
func keyOf(e *entity.Entity) string { return e.Fields[0].Column }
