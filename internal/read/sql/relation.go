package sql

import (
	"context"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

// relation is an edge as a query inside of another one follows it. The query reads the rows that
// the edge leads to from each row of the query around it. ent writes it, so that policies and
// interceptors hold: rows that the viewer may not see are not there.
type relation struct {
	from, to *binding.Object
	edge     *entity.Edge
	join     *entity.Entity // of the edge's join table; nil if there is none
	// listed says that the query reads the rows of all rows around it. It has the column with the
	// keys that lead to these.
	listed bool
	// joined says that the query is joined with the one around it. Its columns are joinedKey, with
	// the keys that rows of the query around lead to, and joinedValue.
	joined bool
	// absent says that rows are wanted that lead to no row.
	absent bool

	query        *sql.Selector
	unrestricted bool   // of an absent relation: ent has added no condition; see none
	outer        string // the column of the query around, as it is written there; see within
	dependencies Dependencies
}

// write has ent write the query. The function shape sets what it selects, and may add conditions.
// alias is the name of the related rows in the statement, since the query around may read the same
// table.
func (r *relation) write(ctx context.Context, w Writer, db string, parameter parameters, alias string, shape func(*sql.Selector)) error {
	key := r.edge.Column
	if r.edge.OwnKey {
		key = r.to.Key.Name
	}
	var through *links
	// PostgreSQL makes a join of an EXISTS if nothing below its own WHERE is about the query
	// around. Otherwise it runs the EXISTS for each row.
	outermost := db == dialect.Postgres && !r.listed
	if r.edge.Through != "" {
		var err error
		through, err = writeLinks(ctx, w, db, r.edge, r.join, parameter, func(l *links) {
			if !outermost {
				r.leads(l.selector, l.near)
			}
		})
		if err != nil {
			return err
		}
		r.dependencies = append(r.dependencies, through.dependencies...)
	}
	of := func(s *sql.Selector) {
		s.Table().As(alias)
		column := s.C(key)
		switch {
		case through != nil:
			if column = through.join(s, r.to.Key.Name); outermost {
				r.leads(s, column)
			}
		case !r.joined:
			r.leads(s, column)
		}
		if r.listed {
			s.Select(column)
		}
		if r.joined {
			s.As(alias).Select().AppendSelectAs(column, joinedKey)
		}
		shape(s)
		r.query = s
	}
	every := ""
	if r.absent && r.edge.OwnKey {
		s := sql.Dialect(db).Select().From(sql.Table(r.to.Entity.Table))
		of(s)
		every, _ = s.Query()
	}
	written, err := write(ctx, w, r.to.Entity, parameter, itsOwn, of)
	if err != nil {
		return err
	}
	r.unrestricted = every == written.Text
	r.dependencies = append(r.dependencies, written.Dependencies...)
	return nil
}

// leads has rows lead to the row of the query around, by their column key.
func (r *relation) leads(s *sql.Selector, key string) {
	if r.listed {
		s.Where(sql.NotNull(key)) // NOT IN a list with NULL is never true
		return
	}
	s.Where(sql.P(func(b *sql.Builder) { b.Ident(key).WriteString(" = ").Ident(r.outer) }))
}

// within returns the query as a part of the query s around it, and the column there by which rows
// belong together.
func (r *relation) within(s *sql.Selector) (query *sql.Selector, outer string) {
	r.outer = s.C(r.from.Key.Name)
	if r.edge.OwnKey {
		r.outer = s.C(r.edge.Column)
	}
	return r.query, r.outer
}

// These are the names of columns that a joined relation selects. As those of links, they are the
// names of no other columns.
const (
	joinedKey   = "forge_key"
	joinedValue = "forge_value"
)

// joinTo joins the query with the query s, of which only the rows are left that lead to a row.
func (r *relation) joinTo(s *sql.Selector) {
	query, outer := r.within(s)
	s.Join(query).On(query.C(joinedKey), outer)
}

// none returns the condition that a row of the query s leads to no row.
func (r *relation) none(s *sql.Selector) *sql.Predicate {
	query, outer := r.within(s)
	if r.unrestricted { // a foreign key leads to a row
		return sql.IsNull(outer)
	}
	return sql.NotExists(query)
}

// value writes the query as one value of each row of the query s around it.
func (r *relation) value(b *sql.Builder, s *sql.Selector) {
	if r.joined {
		b.Ident(r.query.C(joinedValue))
		return
	}
	query, _ := r.within(s)
	b.Wrap(func(b *sql.Builder) { b.Join(query) })
}
