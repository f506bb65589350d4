package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
	ent "entgo.io/ent/dialect/sql/schema"
)

// A plan is what takes a schema from what the files make of it to what ent
// wants, and back.
type plan struct{ up, down []*atlas.Change }

func (p plan) empty() bool { return len(p.up) == 0 }

// makePlan builds both schemas in empty databases and compares what the
// database then says about them. The way back is planned in its own right: the
// reverse of each single statement is not always there, and for SQLite's
// copies of a table it is wrong.
func makePlan(ctx context.Context, box sandbox, name string, files fs.FS, tables []*ent.Table) (plan, error) {
	var now, wanted *schema.Schema
	err := inSandbox(ctx, box, name, func(db *sql.DB, driver atlas.Driver) (err error) {
		if err := up(ctx, db, name, files, slog.New(slog.DiscardHandler)); err != nil {
			return fmt.Errorf("replay the existing files: %w", err)
		}
		now, err = inspect(ctx, driver)
		return err
	})
	if err != nil {
		return plan{}, err
	}

	var p plan
	err = inSandbox(ctx, box, name, func(db *sql.DB, driver atlas.Driver) (err error) {
		tables, err := desired(ctx, db, name, tables)
		if err != nil {
			return err
		}
		var create []schema.Change
		for _, t := range tables {
			create = append(create, &schema.AddTable{T: t})
		}
		if err := driver.ApplyChanges(ctx, create, withoutSchemaNames); err != nil {
			return fmt.Errorf("create the tables of the ent schema: %w", err)
		}
		if wanted, err = inspect(ctx, driver); err != nil {
			return err
		}
		if p.down, err = steps(ctx, driver, wanted, now, nil); err != nil {
			return err
		}
		p.up, err = steps(ctx, driver, now, wanted, tables)
		return err
	})
	return p, err
}

// inSandbox calls f with an empty database and removes it afterwards.
func inSandbox(ctx context.Context, box sandbox, name string, f func(*sql.DB, atlas.Driver) error) (err error) {
	db, remove, err := box.empty(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	open := postgres.Open
	if name == dialect.SQLite {
		open = sqlite.Open
	}
	driver, err := open(db)
	if err != nil {
		return err
	}
	return f(db, driver)
}

// inspect reads the schema that the database has, without goose's own table.
func inspect(ctx context.Context, driver atlas.Driver) (*schema.Schema, error) {
	s, err := driver.InspectSchema(ctx, "", &schema.InspectOptions{Exclude: []string{versionTable}})
	if err != nil {
		return nil, fmt.Errorf("inspect the schema: %w", err)
	}
	s.Name = "" // every sandbox has another name, which must not look like a difference
	return s, nil
}

// steps are the statements that turn one schema into another, for which the
// tables named in written are taken as they are there.
func steps(ctx context.Context, driver atlas.Driver, from, to *schema.Schema, written []*schema.Table) ([]*atlas.Change, error) {
	changes, err := driver.SchemaDiff(from, to)
	if err != nil {
		return nil, fmt.Errorf("compare schemas: %w", err)
	}
	if len(changes) == 0 {
		return nil, nil
	}
	for _, t := range written {
		asWritten(changes, t)
	}
	p, err := driver.PlanChanges(ctx, "", changes, withoutSchemaNames, indented)
	if err != nil {
		return nil, fmt.Errorf("plan the changes: %w", err)
	}
	var kept []*atlas.Change
	for _, c := range p.Changes {
		// Within a transaction this does nothing. Up has already switched them off, see acquireSQLite.
		if !strings.HasPrefix(c.Cmd, "PRAGMA foreign_keys") {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// asWritten puts the conditions of t into changes as its author wrote them.
// PostgreSQL tells "role IN ('USER')" as "(role)::text = ANY (ARRAY[…])",
// which is right for comparing and poor for reading.
func asWritten(changes []schema.Change, t *schema.Table) {
	conditions := make(map[string]string)
	for _, c := range t.Checks() {
		conditions[c.Name] = c.Expr
	}
	restore := func(c *schema.Check) {
		if expr, ok := conditions[c.Name]; ok {
			c.Expr = expr
		}
	}
	for _, change := range changes {
		switch change := change.(type) {
		case *schema.AddTable:
			if change.T.Name == t.Name {
				for _, c := range change.T.Checks() {
					restore(c)
				}
			}
		case *schema.ModifyTable:
			if change.T.Name != t.Name {
				continue
			}
			for _, inner := range change.Changes {
				switch inner := inner.(type) {
				case *schema.AddCheck:
					restore(inner.C)
				case *schema.ModifyCheck:
					restore(inner.To)
				}
			}
		}
	}
}

func indented(opts *atlas.PlanOptions) { opts.Indent = "  " }

// withoutSchemaNames leaves the names of PostgreSQL schemas out of statements:
// a migration applies to wherever the connection's search_path points.
func withoutSchemaNames(opts *atlas.PlanOptions) {
	none := ""
	opts.SchemaQualifier = &none
}
