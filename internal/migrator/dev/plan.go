package dev

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/internal/migrator/catalog"
	ent "forge/internal/schema"
)

// A plan holds the statements that change the schema from what the files lead to into what ent
// wants, and the statements that change it back.
type plan struct {
	up, down []*atlas.Change
	last     []*atlas.Change // the end of the way down, after all renames
	byHand   []string        // what the author still must write into the down section
}

func (p plan) empty() bool { return len(p.up) == 0 }

// A planner plans the change for one kind of database. It has a database on which the files have
// run, the schema of that database, and the schema of a second database that was created from ent's
// tables.
type planner struct {
	dialect string
	files   fs.FS
	db      *sql.DB
	driver  atlas.Driver
	remove  func() error

	now, wanted *schema.Schema
	written     []*schema.Table // ent's tables, with the conditions as their author wrote them
	objects     []catalog.Object
	// renames were already carried out on db, so now has the new names.
	renames []renameSQL
}

// newPlanner creates a database, and runs the files for a dialect on it, which are below dir. close
// removes the database.
func newPlanner(ctx context.Context, box sandbox, dir, name string, want Schema) (*planner, error) {
	db, driver, remove, err := openEmpty(ctx, box, name)
	if err != nil {
		return nil, err
	}
	b := &planner{dialect: name, files: os.DirFS(filepath.Join(dir, dirOf(name))), db: db, driver: driver, remove: remove, objects: want.objects(name)}
	if err := b.prepare(ctx, box, source(dir, name), want.Tables); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *planner) close() error { return b.remove() }

func (b *planner) prepare(ctx context.Context, box sandbox, src migrator.Source, tables []*ent.Table) (err error) {
	if err := foreignKeysOff(ctx, b.db, b.dialect); err != nil {
		return err
	}
	if err := src.Up(ctx, b.db, slog.New(slog.DiscardHandler)); err != nil {
		return fmt.Errorf("replay the existing files: %w", err)
	}
	if b.now, err = inspect(ctx, b.driver); err != nil {
		return err
	}
	return inSandbox(ctx, box, b.dialect, func(db *sql.DB, driver atlas.Driver) error {
		if b.written, err = createTables(ctx, db, driver, b.dialect, tables); err != nil {
			return err
		}
		b.wanted, err = inspect(ctx, driver)
		return err
	})
}

// plan returns the plan. It plans the way back by a second comparison: some statements cannot be
// reversed, and the reverse of SQLite's copy of a table would be wrong. It runs both ways on the
// planner's database.
func (b *planner) plan(ctx context.Context) (p plan, err error) {
	if b.dialect == dialect.Postgres {
		if err := b.renameParts(ctx); err != nil {
			return plan{}, err
		}
	}
	forth, err := b.changes(b.now, b.wanted)
	if err != nil {
		return plan{}, err
	}
	back, err := b.changes(b.wanted, b.now)
	if err != nil {
		return plan{}, err
	}
	// This comes after the comparison, which needs the conditions as the database returns them.
	for _, t := range b.written {
		withAuthorsChecks(forth, t)
	}
	if p.up, err = b.steps(ctx, forth, nil); err != nil {
		return plan{}, err
	}
	back, standIns, byHand := withStandIns(back)
	if p.down, err = b.steps(ctx, back, standIns); err != nil {
		return plan{}, err
	}
	for _, s := range p.down {
		s.Cmd = inListsRestored(s.Cmd)
	}
	if p, err = b.withObjects(ctx, p); err != nil {
		return plan{}, err
	}
	if slices.ContainsFunc(p.up, func(s *atlas.Change) bool { return strings.Contains(s.Cmd, "_trgm_ops") }) {
		p.up = slices.Insert(p.up, 0, &atlas.Change{Cmd: "CREATE EXTENSION IF NOT EXISTS " + trigrams})
	}
	p.byHand = byHand
	for _, r := range slices.Backward(b.renames) {
		p.up = slices.Insert(p.up, 0, r.forth)
		p.down = append(p.down, r.back)
	}
	p.down = append(p.down, p.last...)
	return p, nil
}

func (b *planner) run(ctx context.Context, s *atlas.Change) error {
	if _, err := b.db.ExecContext(ctx, s.Cmd); err != nil {
		return fmt.Errorf("a statement of the plan failed, and nothing is written: %w, in\n%s", err, s.Cmd)
	}
	return nil
}

// foreignKeysOff switches foreign keys off on SQLite, as Up does: SQLite changes a table by
// dropping its old copy, which must not delete the rows that refer to it.
func foreignKeysOff(ctx context.Context, db *sql.DB, name string) error {
	if name != dialect.SQLite {
		return nil
	}
	_, err := db.ExecContext(ctx, "PRAGMA foreign_keys = off")
	return err
}

// openEmpty creates an empty database.
func openEmpty(ctx context.Context, box sandbox, name string) (*sql.DB, atlas.Driver, func() error, error) {
	db, remove, err := box.empty(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	driver, err := openDriver(db, name)
	if err != nil {
		return nil, nil, nil, errors.Join(err, remove())
	}
	return db, driver, remove, nil
}

func openDriver(db *sql.DB, name string) (atlas.Driver, error) {
	if name == dialect.SQLite {
		return sqlite.Open(db)
	}
	return postgres.Open(db)
}

// Create creates a schema in an empty database, as the files that Diff writes do. Tests use it for
// applications that have no files.
func Create(ctx context.Context, db *sql.DB, name string, want Schema) error {
	driver, err := openDriver(db, name)
	if err == nil {
		_, err = createTables(ctx, db, driver, name, want.Tables)
	}
	for _, s := range creates(want.objects(name), nil) {
		if err == nil {
			_, err = db.ExecContext(ctx, s.Cmd)
		}
	}
	return err
}

// createTables creates ent's tables in an empty database. It returns them as Atlas describes them.
func createTables(ctx context.Context, db *sql.DB, driver atlas.Driver, name string, tables []*ent.Table) ([]*schema.Table, error) {
	all, err := desired(ctx, db, name, tables)
	if err != nil {
		return nil, err
	}
	var create []schema.Change
	for _, t := range all {
		create = append(create, &schema.AddTable{T: t})
	}
	if err := driver.ApplyChanges(ctx, create, withoutSchemaNames); err != nil {
		return nil, fmt.Errorf("create the tables of the ent schema: %w", err)
	}
	return all, nil
}

// inSandbox creates an empty database, calls f with it, and removes it.
func inSandbox(ctx context.Context, box sandbox, name string, f func(*sql.DB, atlas.Driver) error) (err error) {
	db, driver, remove, err := openEmpty(ctx, box, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	return f(db, driver)
}

// inspect reads the schema of a database, without the table of versions and the parts of objects.
func inspect(ctx context.Context, driver atlas.Driver) (*schema.Schema, error) {
	s, err := driver.InspectSchema(ctx, "", &schema.InspectOptions{Exclude: []string{catalog.VersionTable}})
	if err != nil {
		return nil, fmt.Errorf("inspect the schema: %w", err)
	}
	s.Tables = slices.DeleteFunc(s.Tables, func(t *schema.Table) bool { return catalog.IsPart(t.Name) })
	for _, t := range s.Tables {
		t.Indexes = slices.DeleteFunc(t.Indexes, func(i *schema.Index) bool { return catalog.IsPart(i.Name) })
	}
	s.Name = "" // the names of PostgreSQL schemas must not count as a difference
	return s, nil
}
