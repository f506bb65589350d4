package adopt

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// facts holds what Atlas does not tell of tables, by their schema and name.
type facts map[[2]string]*Table

// factsOf reads the facts of a database.
func factsOf(ctx context.Context, db *sql.DB, name string) (facts, error) {
	all := facts{}
	if name == dialect.SQLite {
		err := each(ctx, db, "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'", func(scan func(...any) error) error {
			var table string
			err := scan(&table)
			all.of("main", table).Triggered = true
			return err
		})
		return all, err
	}
	// The type of an array of several dimensions is that of one.
	const domains = `SELECT nspname, relname, attname, format_type(y.typbasetype, y.typtypmod)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_type y ON y.oid = atttypid
WHERE typtype = 'd' AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
UNION ALL SELECT nspname, relname, attname, format_type(atttypid, atttypmod) || '[]'
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE attndims > 1 AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')`
	err := each(ctx, db, domains, func(scan func(...any) error) error {
		var schema, table, column, base string
		err := scan(&schema, &table, &column, &base)
		all.of(schema, table).Domains[column] = base
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the domains: %w", err)
	}
	// Of a trigger's type, 2 is BEFORE, and 4 is INSERT.
	const special = `SELECT nspname, relname, EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal AND tgtype & 6 = 6),
  EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'x')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p')`
	err = each(ctx, db, special, func(scan func(...any) error) error {
		var schema, table string
		var triggered, exclusive bool
		err := scan(&schema, &table, &triggered, &exclusive)
		of := all.of(schema, table)
		of.Triggered, of.Exclusive = triggered, exclusive
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the triggers: %w", err)
	}
	return all, nil
}

func (f facts) of(schema, table string) *Table {
	key := [2]string{schema, table}
	if f[key] == nil {
		f[key] = &Table{Domains: map[string]string{}, Wide: map[string]bool{}}
	}
	return f[key]
}

// table returns a table as Atlas describes it, with the facts.
func (f facts) table(schema string, t *atlas.Table, name string) *Table {
	of := *f.of(schema, t.Name)
	of.Table = t
	if name == dialect.Postgres {
		of.Schema = schema
	}
	of.Partitioned = attr[*postgres.Partition](t.Attrs) != nil
	return &of
}

// attr returns the attribute of a type, or nil.
func attr[T atlas.Attr](attrs []atlas.Attr) (of T) {
	for _, a := range attrs {
		if a, ok := a.(T); ok {
			return a
		}
	}
	return of
}

// findWide looks for whole numbers past 32 bits in the columns of SQLite, whose types do not tell.
func findWide(ctx context.Context, db *sql.DB, tables []*Table) error {
	for _, t := range tables {
		var columns, asked []string
		for _, c := range t.Columns {
			if wholeNumbers(declared(c)) {
				columns = append(columns, c.Name)
				asked = append(asked, "coalesce(max(typeof("+catalog.Quote(c.Name)+") = 'integer' AND "+catalog.Quote(c.Name)+" NOT BETWEEN -2147483648 AND 2147483647), 0)")
			}
		}
		if columns == nil {
			continue
		}
		wide, into := make([]bool, len(columns)), make([]any, len(columns))
		for i := range wide {
			into[i] = &wide[i]
		}
		if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(asked, ", ")+" FROM "+catalog.Quote(t.Name)).Scan(into...); err != nil {
			return fmt.Errorf("read the numbers of %s: %w", t.Name, err)
		}
		for i, name := range columns {
			t.Wide[name] = wide[i]
		}
	}
	return nil
}
