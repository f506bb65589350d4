package seed

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"forge/internal/progress"
	"forge/internal/unit"
)

// table describes how the rows of a table are stored. At a large scale, it would take minutes to
// make an entity or a statement for each row with ent.
type table struct {
	name    string
	columns []string
	rows    func(d *dataset, yield func(row ...any))
}

// maxArgs is the largest number of values in one statement. SQLite allows 32,766 and PostgreSQL
// 65,535. More than a few thousand do not make it faster.
const maxArgs = 6000

func store(ctx context.Context, u *unit.Unit, d *dataset) error {
	for i, t := range tables {
		progress.At(ctx, "%s, table %d of %d", t.name, i+1, len(tables))
		if err := t.store(ctx, u, d); err != nil {
			return err
		}
	}
	return nil
}

// store stores the rows of a table, as many with each statement as fit into it.
func (t table) store(ctx context.Context, u *unit.Unit, d *dataset) (err error) {
	var rows [][]any
	insert := func() {
		if err != nil || len(rows) == 0 {
			return
		}
		into := entsql.Dialect(u.Dialect()).Insert(t.name).Columns(t.columns...)
		for _, row := range rows {
			into.Values(row...)
		}
		query, args := into.Query()
		_, err = u.Exec(ctx, query, args...)
		rows = rows[:0]
	}
	t.rows(d, func(row ...any) {
		if rows = append(rows, row); len(rows) == maxArgs/len(t.columns) {
			insert()
		}
	})
	insert()
	return err
}
