package dev

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"

	"forge/internal/migrator"
	"forge/internal/migrator/catalog"
	"forge/internal/schema"
)

// Schema is the schema that a database is to have.
type Schema struct {
	Tables []*schema.Table // of ent
	// Objects returns what a kind of database has beside the tables, in the order in which it can
	// be created. It may be nil.
	Objects func(dialect string) []catalog.Object
}

// objects returns the objects for a kind of database.
func (s Schema) objects(name string) []catalog.Object {
	if s.Objects == nil {
		return nil
	}
	return s.Objects(name)
}

// withObjects completes a plan for the tables, whose renames were carried out already. Objects
// about a table that SQLite copies are created anew, because the triggers of the table go with it.
// On the way back, an object that is no longer wanted is created by the statements of the file that
// created it.
//
// withObjects runs both ways on the planner's database, apart from what comes last on the way back.
func (b *planner) withObjects(ctx context.Context, p plan) (plan, error) {
	before, err := catalog.Parts(ctx, b.db, b.dialect)
	if err != nil {
		return plan{}, err
	}
	kept := make(map[string]bool)
	for _, o := range b.objects {
		kept[o.Name] = missing(o, before) == nil && !p.copies(b.quoted(o.Table))
	}
	p.up = slices.Concat(drops(before, kept), p.up, creates(b.objects, kept))
	if err := b.runAll(ctx, p.up); err != nil {
		return plan{}, err
	}
	after, err := catalog.Parts(ctx, b.db, b.dialect)
	if err != nil {
		return plan{}, err
	}
	p.down = slices.Concat(drops(after, kept), p.down)
	if err := b.runAll(ctx, p.down); err != nil {
		return plan{}, err
	}
	p.last, err = b.createdBefore(before, kept)
	return p, err
}

// missing returns the parts of an object that are not there.
func missing(o catalog.Object, there []catalog.Part) (names []string) {
	for _, name := range o.Parts {
		if !slices.ContainsFunc(there, func(p catalog.Part) bool { return p.Name == name }) {
			names = append(names, name)
		}
	}
	return names
}

// copies reports whether a step drops a table, which has a copy by then.
func (p plan) copies(table string) bool {
	return slices.ContainsFunc(slices.Concat(p.up, p.down), func(s *atlas.Change) bool { return s.Cmd == "DROP TABLE "+table })
}

// drops returns statements that drop the parts of all objects that are not kept.
func drops(parts []catalog.Part, kept map[string]bool) (steps []*atlas.Change) {
	for _, part := range parts {
		if !kept[catalog.ObjectIn(part.Name)] {
			steps = append(steps, &atlas.Change{Cmd: part.Drop})
		}
	}
	return steps
}

// creates returns statements that create the objects that are not kept.
func creates(objects []catalog.Object, kept map[string]bool) (steps []*atlas.Change) {
	for _, o := range objects {
		if !kept[o.Name] {
			steps = append(steps, created(o.Create)...)
		}
	}
	return steps
}

func created(statements []string) (steps []*atlas.Change) {
	for _, text := range statements {
		steps = append(steps, &atlas.Change{Cmd: text})
	}
	return steps
}

// createdBefore returns the statements that created those objects of a database that are not kept.
func (b *planner) createdBefore(parts []catalog.Part, kept map[string]bool) (steps []*atlas.Change, err error) {
	var names []string
	for _, part := range slices.Backward(parts) { // functions first
		if name := catalog.ObjectIn(part.Name); !kept[name] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return nil, nil
	}
	known, err := creations(b.files)
	for _, name := range names {
		steps = append(steps, created(known[name])...)
	}
	return steps, err
}

// creations returns the statements of files that created objects, by the names of these. If several
// files did, it returns those of the last.
func creations(files fs.FS) (map[string][]string, error) {
	versions, err := migrator.Versions(files)
	all := make(map[string][]string)
	for _, v := range versions {
		script, failed := migrator.ReadScript(files, v)
		if failed != nil {
			return nil, failed
		}
		of := make(map[string][]string)
		for _, s := range script.Up {
			text := strings.TrimSuffix(s.Text, ";")
			if name := catalog.ObjectIn(text); name != "" && !patterns.drops.MatchString(code(text)) {
				of[name] = append(of[name], text)
			}
		}
		for name, statements := range of {
			all[name] = statements
		}
	}
	return all, err
}

// lacking returns what a database needs for it to have the objects, and no others: statements, for
// people to read.
func (b *planner) lacking(ctx context.Context) (lines []string, err error) {
	parts, err := catalog.Parts(ctx, b.db, b.dialect)
	wanted := make(map[string]bool)
	for _, o := range b.objects {
		wanted[o.Name] = true
		if names := missing(o, parts); names != nil {
			lines = append(lines, fmt.Sprintf("-- the parts %s of %s", strings.Join(names, ", "), o.Name))
		}
	}
	for _, s := range drops(parts, wanted) {
		lines = append(lines, s.Cmd)
	}
	return lines, err
}

// runAll runs statements on the planner's database.
func (b *planner) runAll(ctx context.Context, steps []*atlas.Change) (err error) {
	for _, s := range steps {
		err = errors.Join(err, b.run(ctx, s))
		if err != nil {
			break
		}
	}
	return err
}
