package graph

import (
	"entgo.io/ent/dialect/sql/schema"

	"forge/ent/migrate"
	"forge/internal/database"
	"forge/internal/fault"
)

// taken turns the refusal of a value that another row has into a CONFLICT. arguments tells by column where the client gave the
// value. Other errors stay as they are.
func taken(err error, arguments map[string]string) error {
	v, ok := database.Violation(err)
	if !ok || !v.Unique {
		return err
	}
	for _, column := range uniqueColumns(v) {
		if argument, ok := arguments[column]; ok {
			return fault.Taken(argument)
		}
	}
	return err
}

// uniqueColumns returns the columns of the unique index that was violated. SQLite tells them; PostgreSQL tells the index.
func uniqueColumns(v database.Violated) []string {
	if len(v.Columns) > 0 {
		return v.Columns
	}
	for _, table := range migrate.Tables {
		for _, index := range table.Indexes {
			if index.Name == v.Name {
				return names(index.Columns)
			}
		}
	}
	return nil
}

func names(columns []*schema.Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return list
}
