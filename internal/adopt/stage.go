package adopt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"forge/internal/application"
	"forge/internal/entity"
	"forge/internal/migrator"
	"forge/internal/migrator/dev"
	"forge/internal/schema"
	"forge/internal/schema/entschema"
)

// errBaseline means that a database does not take the tables as ent/schema has them.
var errBaseline = errors.New("plan the baseline")

// simplify takes out of the plan what one of the two kinds of database may not take: conditions,
// and indexes with conditions. It reports whether there were any.
func (p *Plan) simplify() (found bool) {
	for _, e := range p.Entities {
		indexes := len(e.Indexes)
		e.Indexes = slices.DeleteFunc(e.Indexes, func(i Index) bool { return i.Where != "" })
		if len(e.Checks) > 0 || len(e.Indexes) < indexes {
			p.note(e.Table.Path(), "its checks, and its indexes with conditions, are the database's alone: not both kinds of database take them all")
			e.Checks, found = map[string]string{}, true
		}
	}
	return found
}

// stage loads what was written as ent does, and plans the migrations. It writes them below the
// directory into. The source tree has a directory more while it runs.
func (own *ownSchema) stage(ctx context.Context, t Tree, p *Plan, files map[string][]byte, into string) error {
	tables, err := own.load(t.Module, files)
	if err != nil {
		return err
	}
	dir := filepath.Join(into, migrations)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		if err := os.MkdirAll(filepath.Join(dir, kind), 0o755); err != nil {
			return err
		}
	}
	adopted := p.tables(tables)
	if _, err := dev.Diff(ctx, dir, "baseline", t.DevURL, dev.Schema{Tables: adopted}, dev.Answers{}); err != nil {
		return fmt.Errorf("%w: %w", errBaseline, err)
	}
	if err := markBaseline(dir); err != nil {
		return err
	}
	if len(adopted) == len(tables) {
		return nil
	}
	want := dev.Schema{Tables: tables, Objects: application.AllObjects(own.described())}
	if _, err := dev.Diff(ctx, dir, "accounts", t.DevURL, want, dev.Answers{}); err != nil {
		return fmt.Errorf("plan the tables of Forge's own: %w", err)
	}
	return nil
}

// load returns the tables of all entities. It returns an error if ent cannot read them.
func (own *ownSchema) load(module string, files map[string][]byte) (tables []*schema.Table, err error) {
	dir, err := os.MkdirTemp("ent", "adopt")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for name := range own.files {
		if err := os.WriteFile(filepath.Join(dir, name), own.latest(name), 0o644); err != nil {
			return nil, err
		}
	}
	for name, text := range files {
		if _, taken := own.files[name]; taken {
			return nil, fmt.Errorf("ent/schema has a file %s already", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	graph, err := entc.LoadGraph("./"+dir, &gen.Config{Package: module + "/ent"})
	if err != nil {
		return nil, fmt.Errorf("ent cannot read what was written: %w", err)
	}
	all, err := graph.Tables()
	return entschema.FromEnt(all), err
}

// tables returns those of the tables that were adopted.
func (p *Plan) tables(all []*schema.Table) (adopted []*schema.Table) {
	for _, t := range all {
		is := func(of *Table) bool { return of.Name == t.Name }
		if slices.ContainsFunc(p.Entities, func(e *Entity) bool { return is(e.Table) }) || slices.ContainsFunc(p.Joins, func(j *Join) bool { return is(j.Table) }) {
			adopted = append(adopted, t)
		}
	}
	return adopted
}

// markBaseline marks the only migration in dir as a baseline.
func markBaseline(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.sql"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		head := migrator.BaselineMark + " The tables of a database that was adopted. Where they are, this file counts as applied.\n"
		if err := os.WriteFile(path, append([]byte(head), text...), 0o644); err != nil {
			return err
		}
	}
	_, err = dev.Hash(dir)
	return err
}

// described returns the entities that the tree has, with the new names of their tables.
func (own *ownSchema) described() []*entity.Entity {
	all := make([]*entity.Entity, len(own.entities))
	for i, e := range own.entities {
		of := *e
		if table := own.tables[e.Name]; table != "" {
			of.Table = table
		}
		all[i] = &of
	}
	return all
}
