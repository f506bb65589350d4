package sql

import (
	"context"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
)

// links selects rows of the join table of a many-to-many edge. A statement joins them with the rows
// that the edge leads to. Their columns have names that no other table has, so that a condition of
// a policy cannot mean them.
type links struct {
	selector     *sql.Selector
	near         string // the column with the key of the row that the edge starts from
	dependencies Dependencies
}

// These are the names of the columns that links selects.
const (
	linkedNear  = "forge_near" // the key of the row that the edge starts from
	linkedFar   = "forge_far"  // the key of the row that the edge leads to
	linkedPlace = "forge_place"
)

// linkedColumn returns the name of a column of the join table that is the query's i-th column.
func linkedColumn(i int) string { return "forge_c" + strconv.Itoa(i) }

// writeLinks returns the links of an edge, restricted by shape. If the join table has an entity,
// ent writes them, so that only rows lead on that the viewer may see.
func writeLinks(ctx context.Context, w Writer, dialect string, edge *entity.Edge, join *entity.Entity, parameter parameters, shape func(*links)) (*links, error) {
	l := new(links)
	of := func(s *sql.Selector) {
		l.selector, l.near = s, s.C(edge.Column)
		s.Select()
		s.AppendSelectAs(s.C(edge.Column), linkedNear).AppendSelectAs(s.C(edge.Far), linkedFar)
		shape(l)
	}
	if join == nil {
		of(sql.Dialect(dialect).Select().From(sql.Table(edge.Through)))
	} else {
		written, err := write(ctx, w, join, parameter, itsOwn, of)
		if err != nil {
			return nil, err
		}
		l.dependencies = written.Dependencies
	}
	l.selector.As("_l") // package binding refuses tables of this name
	return l, nil
}

// join joins the links with the rows that they lead to, whose keys are in a column of s. It returns
// the column with the keys of the rows that the edge starts from.
func (l *links) join(s *sql.Selector, key string) (near string) {
	s.Join(l.selector).On(s.C(key), l.selector.C(linkedFar))
	return l.selector.C(linkedNear)
}
