package catalog

import "context"

// A Place is a table or a column.
type Place struct{ Table, Column string } // Column is "" for a whole table

// Places returns all tables and columns of a description. It leaves out the parts of objects, which
// hold nothing of their own.
func Places(lines []string) (all []Place) {
	for _, text := range lines {
		line := ParseLine(text)
		if IsPart(line.Table) {
			continue
		}
		switch line.Kind {
		case "table":
			all = append(all, Place{Table: line.Table})
		case "column":
			all = append(all, Place{line.Table, line.Name})
		}
	}
	return all
}

// Count returns the number of rows of a table, or the number of rows with a value in the column.
func (p Place) Count(ctx context.Context, db Querier) (n int64, err error) {
	what := "*"
	if p.Column != "" {
		what = Quote(p.Column)
	}
	err = db.QueryRowContext(ctx, "SELECT count("+what+") FROM "+Quote(p.Table)).Scan(&n)
	return n, err
}
