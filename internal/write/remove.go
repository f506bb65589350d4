package write

import (
	"context"
	databasesql "database/sql"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/ids"
	"forge/internal/unit"
)

// RemovalError is the error of a statement that removes several rows.
type RemovalError struct {
	IDs []ids.ID
	Err error
}

// Error returns the message of the error.
func (e *RemovalError) Error() string { return e.Err.Error() }

// Unwrap returns the error of the statement.
func (e *RemovalError) Unwrap() error { return e.Err }

// leavesFirst returns the rows in groups that are changed one after the other. Rows that are to be
// removed come after all that refer to them, if edges lead to the own type: PostgreSQL looks at the
// end of a statement whether rows are still referred to, but SQLite at each row if the foreign key
// says RESTRICT.
func (t *tree) leavesFirst(ctx context.Context, w *Write, list []ids.ID) ([][]ids.ID, error) {
	together := unit.FromContext(ctx).Dialect() == dialect.Postgres && w.of.added.Before == nil
	if len(list) < 2 || together || w.entOp() != ent.OpDelete {
		return [][]ids.ID{list}, nil
	}
	refers, err := t.refers(ctx, w, list)
	if err != nil {
		return nil, fmt.Errorf("look which rows of %s refer to others: %w", w.of.entity.Name, err)
	}
	referred := map[ids.ID]int{}
	for _, to := range refers {
		for _, id := range to {
			referred[id]++
		}
	}
	var groups [][]ids.ID
	for len(list) > 0 {
		var leaves, rest []ids.ID
		for _, id := range list {
			if referred[id] == 0 {
				leaves = append(leaves, id)
			} else {
				rest = append(rest, id)
			}
		}
		if len(leaves) == 0 {
			return append(groups, rest), nil // they refer to each other in a circle
		}
		for _, id := range leaves {
			for _, to := range refers[id] {
				referred[to]--
			}
		}
		groups, list = append(groups, leaves), rest
	}
	return groups, nil
}

// refers returns to which others of some rows each of them refers, by edges to the own type.
func (t *tree) refers(ctx context.Context, w *Write, list []ids.ID) (map[ids.ID][]ids.ID, error) {
	e, refers := w.of.entity, map[ids.ID][]ids.ID{}
	values := make([]any, len(list))
	for i, id := range list {
		values[i] = id.Value()
	}
	for i := range e.Edges {
		edge := &e.Edges[i]
		if edge.To != e.Name || !edge.OwnKey || edge.Through != "" {
			continue
		}
		table := sql.Table(e.Table)
		key, column := table.C(e.Fields[0].Column), table.C(edge.Column)
		text, args := sql.Dialect(unit.FromContext(ctx).Dialect()).Select(key, column).From(table).
			Where(sql.And(sql.In(key, values...), sql.In(column, values...), sql.ColumnsNEQ(key, column))).Query()
		err := t.read(ctx, text, args, func(rows *databasesql.Rows) error {
			to, from := keyOf(e)
			toOther, other := keyOf(e)
			err := rows.Scan(to, toOther)
			refers[from()] = append(refers[from()], other())
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return refers, nil
}
