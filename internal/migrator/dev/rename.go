package dev

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
)

// A renameSQL holds the statements of a rename, and those that undo it. The planner carries out the
// rename on its own database before it plans the rest, so that the database itself rewrites the
// checks, indexes and foreign keys that use the name.
type renameSQL struct{ forth, back *atlas.Change }

// resolveRenames finds out what was renamed, and makes the renames on the databases of all
// planners.
func resolveRenames(ctx context.Context, planners []*planner, answers Answers) error {
	c := &choice{answers: answers, used: make(map[string]bool), moved: make(map[string]string)}
	tables, err := c.choose(common(planners, (*planner).tableCandidates), planners[0].goneTables())
	if err != nil {
		return err
	}
	for _, r := range tables {
		c.moved[r.from] = r.to
	}
	if err := renameAll(ctx, planners, tables); err != nil {
		return err
	}
	columns, err := c.choose(common(planners, (*planner).columnCandidates), planners[0].goneColumns())
	if err != nil {
		return err
	}
	if err := c.end(); err != nil {
		return err
	}
	return renameAll(ctx, planners, columns)
}

func renameAll(ctx context.Context, planners []*planner, renames []rename) error {
	for _, b := range planners {
		for _, r := range renames {
			if err := b.rename(ctx, b.renameSQL(ctx, r)); err != nil {
				return err
			}
		}
		if err := b.inspectAgain(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *planner) rename(ctx context.Context, r renameSQL) error {
	b.renames = append(b.renames, r)
	return b.run(ctx, r.forth)
}

func (b *planner) inspectAgain(ctx context.Context) (err error) {
	b.now, err = inspect(ctx, b.driver)
	return err
}

// renameSQL returns the statements of a rename.
func (b *planner) renameSQL(ctx context.Context, r rename) renameSQL {
	step := func(from, to string) *atlas.Change {
		if r.table == "" {
			return &atlas.Change{
				Comment: fmt.Sprintf("rename the table %q to %q", from, to),
				Cmd:     fmt.Sprintf("ALTER TABLE %s RENAME TO %s", b.quoted(from), b.quoted(to)),
			}
		}
		return &atlas.Change{
			Comment: fmt.Sprintf("rename the column %q of %q to %q", from, r.table, to),
			Cmd:     fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s", b.quoted(r.table), b.quoted(from), b.newName(ctx, to)),
		}
	}
	return renameSQL{step(r.from, r.to), step(r.to, r.from)}
}

// newName returns the new name of a column as it has to be written in a statement. SQLite copies
// this text, with its quotes, into the checks that use the column. ent writes names in checks
// without quotes, so newName does too, unless the name is a keyword.
func (b *planner) newName(ctx context.Context, name string) string {
	if b.dialect == dialect.SQLite && stepName.MatchString(name) {
		if _, err := b.db.ExecContext(ctx, "SELECT 1 AS "+name); err == nil {
			return name
		}
	}
	return b.quoted(name)
}

func (b *planner) quoted(name string) string { return identifier(b.dialect, name) }

// identifier returns a name in the quotes that Atlas uses for a dialect.
func identifier(name, text string) string {
	quote := `"`
	if name == dialect.SQLite {
		quote = "`"
	}
	return quote + strings.ReplaceAll(text, quote, quote+quote) + quote
}

func (b *planner) formatType(t schema.Type) (string, error) {
	if b.dialect == dialect.SQLite {
		return sqlite.FormatType(t)
	}
	return postgres.FormatType(t)
}

// renameParts renames the indexes and constraints that differ only in their names. They do so after
// a rename, because ent derives their names from those of tables and columns. This is for
// PostgreSQL: on SQLite, indexes and constraints are created anew.
func (b *planner) renameParts(ctx context.Context) error {
	all, err := b.changes(b.now, b.wanted)
	if err != nil {
		return err
	}
	renames := b.primaryKeys()
	for _, modify := range modifications(all) {
		parts, err := b.renamedParts(ctx, modify)
		if err != nil {
			return err
		}
		renames = append(renames, parts...)
	}
	if len(renames) == 0 {
		return nil
	}
	for _, r := range renames {
		if err := b.rename(ctx, r); err != nil {
			return err
		}
	}
	return b.inspectAgain(ctx)
}

func (b *planner) primaryKeys() (renames []renameSQL) {
	for _, t := range b.now.Tables {
		after, ok := b.wanted.Table(t.Name)
		if ok && t.PrimaryKey != nil && after.PrimaryKey != nil && t.PrimaryKey.Name != after.PrimaryKey.Name {
			renames = append(renames, b.constraint(t.Name, t.PrimaryKey.Name, after.PrimaryKey.Name))
		}
	}
	return renames
}

func (b *planner) constraint(table, from, to string) renameSQL {
	step := func(from, to string) *atlas.Change {
		return &atlas.Change{
			Comment: fmt.Sprintf("rename the constraint %q of %q to %q", from, table, to),
			Cmd:     fmt.Sprintf("ALTER TABLE %s RENAME CONSTRAINT %s TO %s", b.quoted(table), b.quoted(from), b.quoted(to)),
		}
	}
	return renameSQL{step(from, to), step(to, from)}
}

func (b *planner) index(from, to string) renameSQL {
	step := func(from, to string) *atlas.Change {
		return &atlas.Change{
			Comment: fmt.Sprintf("rename the index %q to %q", from, to),
			Cmd:     fmt.Sprintf("ALTER INDEX %s RENAME TO %s", b.quoted(from), b.quoted(to)),
		}
	}
	return renameSQL{step(from, to), step(to, from)}
}

// renamedParts returns renames for the indexes and constraints that modify drops and adds again
// under another name.
func (b *planner) renamedParts(ctx context.Context, modify *schema.ModifyTable) (renames []renameSQL, err error) {
	dropped := make(map[string]string) // their names, by their definitions
	added := make(map[string]part)
	for _, c := range modify.Changes {
		p, ok := partOf(c)
		if !ok {
			continue
		}
		definition, err := p.definition(ctx, b.driver, modify.T)
		if err != nil {
			return nil, err
		}
		if p.added {
			added[definition] = p
		} else {
			dropped[definition] = p.name
		}
	}
	for _, definition := range slices.Sorted(maps.Keys(added)) {
		from, ok := dropped[definition]
		p := added[definition]
		if _, isIndex := p.nameless.(*schema.AddIndex); ok && isIndex {
			renames = append(renames, b.index(from, p.name))
		} else if ok {
			renames = append(renames, b.constraint(modify.T.Name, from, p.name))
		}
	}
	return renames, nil
}

// A part is an index or a constraint that a change adds to a table or drops.
type part struct {
	name     string
	added    bool
	nameless schema.Change // the change that adds the part, without its name
}

// definition returns the SQL that adds the part, without its name.
func (p part) definition(ctx context.Context, driver atlas.Driver, t *schema.Table) (text string, err error) {
	steps, err := statements(ctx, driver, []schema.Change{&schema.ModifyTable{T: t, Changes: []schema.Change{p.nameless}}})
	for _, s := range steps {
		text += s.Cmd
	}
	return text, err
}

func partOf(change schema.Change) (p part, ok bool) {
	switch c := change.(type) {
	case *schema.AddIndex:
		return indexPart(*c.I, true), true
	case *schema.DropIndex:
		return indexPart(*c.I, false), true
	case *schema.AddForeignKey:
		return referencePart(*c.F, true), true
	case *schema.DropForeignKey:
		return referencePart(*c.F, false), true
	case *schema.AddCheck:
		return checkPart(*c.C, true), true
	case *schema.DropCheck:
		return checkPart(*c.C, false), true
	default:
		return part{}, false
	}
}

func indexPart(i schema.Index, added bool) part {
	name := i.Name
	i.Name = ""
	return part{name, added, &schema.AddIndex{I: &i}}
}

func referencePart(f schema.ForeignKey, added bool) part {
	name := f.Symbol
	f.Symbol = ""
	return part{name, added, &schema.AddForeignKey{F: &f}}
}

func checkPart(c schema.Check, added bool) part {
	name := c.Name
	c.Name = ""
	return part{name, added, &schema.AddCheck{C: &c}}
}
