package adopt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/entity"
	"forge/internal/migrator"
	"forge/internal/usage"
)

// Tree is the source tree of an application, as the directory in which the command runs.
type Tree struct {
	Module   string           // its path
	SDL      string           // the text of schema.graphqls
	Entities []*entity.Entity // those that it has already
	DevURL   string           // a PostgreSQL to plan migrations on, or ""
	// Generate writes the standard part of the API of entities, and runs the generators.
	Generate func(ctx context.Context, names []string) error
}

// These are what a source tree consists of that the command changes.
var changed = []string{"ent", "graph", "migrate", "schema.graphqls", "gqlgen.yml"}

const (
	schemaDir  = "ent/schema"
	migrations = "migrate"
)

// Run adopts a database: it plans an application of its tables, writes that into the source tree,
// and says what it did on out. If it returns an error, the source tree is as it was.
func Run(ctx context.Context, o Options, t Tree, out io.Writer) (err error) {
	readers, err := o.readers()
	if err != nil {
		return err
	}
	own, err := t.readSchema()
	if err != nil {
		return err
	}
	d, err := Inspect(ctx, o)
	if err != nil {
		return err
	}
	taken, err := t.names(own, d)
	if err != nil {
		return err
	}
	p := Make(d, taken)
	if len(p.Entities) == 0 {
		return usage.Errorf("none of the %d tables can be held: %s", len(d.Tables), reasons(p.Notes))
	}
	renamed := own.rename(d)
	p.Notes = append(p.Notes, renamed...)
	files, err := p.Files(t.Module, readers)
	if err != nil {
		return err
	}
	before, err := os.MkdirTemp("", "forge-adopt-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(before)
	err = own.stage(ctx, t, p, files, filepath.Join(before, "new"))
	if errors.Is(err, errBaseline) && p.simplify() {
		if files, err = p.Files(t.Module, readers); err != nil {
			return err
		}
		err = own.stage(ctx, t, p, files, filepath.Join(before, "new"))
	}
	if err != nil {
		return err
	}
	if err := keep(before); err != nil {
		return err
	}
	if err := t.replace(ctx, p, own, files, filepath.Join(before, "new")); err != nil {
		return errors.Join(err, restore(before))
	}
	return p.report(out, o, readers)
}

func reasons(notes []Note) string {
	var all []string
	for _, n := range notes {
		if n.Left {
			all = append(all, n.Subject+": "+n.Text)
		}
	}
	return strings.Join(all, "; ")
}

// readSchema reads ent/schema. It returns a *usage.Error if a database was adopted already.
func (t Tree) readSchema() (*ownSchema, error) {
	files, err := filepath.Glob(filepath.Join(migrations, "*", "*.sql"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(string(text), migrator.BaselineMark) {
			return nil, usage.Errorf("%s is the baseline of a database that was adopted already; a source tree adopts one: take another copy (go run . new DIR --module PATH --bare)", file)
		}
	}
	return readOwn(schemaDir, t.Entities)
}

// names returns the names that the source tree has. It returns a *usage.Error if a table would
// become an entity that is there and that Forge does not need.
func (t Tree) names(own *ownSchema, d *Database) (Names, error) {
	taken := Names{Types: slices.Clone(own.identifiers)}
	for file := range own.files {
		taken.Types = append(taken.Types, strings.TrimSuffix(file, ".go"))
	}
	var same []string
	for _, e := range t.Entities {
		taken.Prefixes = append(taken.Prefixes, e.Prefix)
		taken.Types = append(taken.Types, e.Name)
		if own.needed[e.Name] {
			continue
		}
		if slices.ContainsFunc(d.Tables, func(t *Table) bool { return typeName(t.Name) == e.Name || strings.EqualFold(t.Name, e.Table) }) {
			same = append(same, e.Name)
		}
	}
	if same != nil {
		return taken, usage.Errorf("ent/schema has entities of the same names: %s; adopt into a source tree without them (go run . new DIR --module PATH --bare), or name the tables to adopt", strings.Join(same, ", "))
	}
	doc, err := parser.ParseSchema(&ast.Source{Input: t.SDL})
	if err != nil {
		return taken, usage.Errorf("schema.graphqls cannot be read: %s", err)
	}
	for _, def := range doc.Definitions {
		taken.Types = append(taken.Types, def.Name)
	}
	return taken, nil
}

// replace writes the new files into the source tree, and generates the rest.
func (t Tree) replace(ctx context.Context, p *Plan, own *ownSchema, files map[string][]byte, staged string) error {
	for name, text := range own.edited {
		if err := os.WriteFile(filepath.Join(schemaDir, name), text, 0o644); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(schemaDir, name), text, 0o644); err != nil {
			return err
		}
	}
	old, err := filepath.Glob(filepath.Join(migrations, "*", "*.s*"))
	if err != nil {
		return err
	}
	for _, file := range old { // *.sql and atlas.sum
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	if err := copyTree(filepath.Join(staged, migrations), migrations); err != nil {
		return err
	}
	names := make([]string, 0, len(p.Entities))
	for _, e := range p.Entities {
		if e.Key != nil {
			names = append(names, e.Name)
		}
	}
	return t.Generate(ctx, names)
}

// keep copies what is changed into a directory.
func keep(into string) error {
	for _, name := range changed {
		if err := copyTree(name, filepath.Join(into, "old", name)); err != nil {
			return fmt.Errorf("keep a copy of %s: %w", name, err)
		}
	}
	return nil
}

// restore brings back what keep has copied.
func restore(from string) error {
	for _, name := range changed {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
		if err := copyTree(filepath.Join(from, "old", name), name); err != nil {
			return fmt.Errorf("bring back %s: %w", name, err)
		}
	}
	return nil
}

// copyTree copies a file or a directory. Files that are there are overwritten.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rest), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rest)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), text, 0o644)
	})
}
