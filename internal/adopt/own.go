package adopt

import (
	"bytes"
	"fmt"
	goast "go/ast"
	"go/format"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"forge/internal/entity"
)

// ownSchema is ent/schema as the source tree has it.
type ownSchema struct {
	entities    []*entity.Entity
	files       map[string][]byte // by their names
	identifiers []string          // all names at the top level
	of          map[string]string // the file of an entity
	// needed holds the entities that Forge needs: those whose file says that it belongs to the
	// framework, and those that they refer to.
	needed map[string]bool
	tables map[string]string // new names of tables, by the entities
	edited map[string][]byte // the files that change
}

// readOwn reads the files of ent/schema.
func readOwn(dir string, entities []*entity.Entity) (*ownSchema, error) {
	own := &ownSchema{entities: entities, files: map[string][]byte{}, of: map[string]string{}, needed: map[string]bool{}, tables: map[string]string{}, edited: map[string][]byte{}}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if paths == nil {
		return nil, fmt.Errorf("%s has no Go files; this is done at the top of a source tree", dir)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := own.read(filepath.Base(path), text); err != nil {
			return nil, err
		}
	}
	for _, e := range entities {
		if own.needed[e.Name] && strings.Contains(string(own.files[own.of[e.Name]]), frameworkMark) {
			for _, edge := range e.Edges {
				own.needed[edge.To] = true
			}
		}
	}
	return own, nil
}

// frameworkMark stands in the comment of a file that Forge needs.
const frameworkMark = "belongs to the framework"

func (own *ownSchema) read(name string, text []byte) error {
	file, err := goparser.ParseFile(token.NewFileSet(), name, text, goparser.ParseComments)
	if err != nil {
		return fmt.Errorf("ent/schema/%s: %w", name, err)
	}
	own.files[name] = text
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *goast.FuncDecl:
			if decl.Recv == nil {
				own.identifiers = append(own.identifiers, decl.Name.Name)
			}
		case *goast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *goast.TypeSpec:
					own.identifiers = append(own.identifiers, spec.Name.Name)
					own.of[spec.Name.Name] = name
					if bytes.Contains(text, []byte(frameworkMark)) {
						own.needed[spec.Name.Name] = true
					}
				case *goast.ValueSpec:
					for _, ident := range spec.Names {
						own.identifiers = append(own.identifiers, ident.Name)
					}
				}
			}
		}
	}
	return nil
}

// rename gives another name to each table of Forge's own that the database has as well. It returns
// what it renamed.
func (own *ownSchema) rename(d *Database) (notes []Note) {
	for _, e := range own.entities {
		if !own.needed[e.Name] || !d.has(e.Table) {
			continue
		}
		table := "forge_" + e.Table
		file := own.of[e.Name]
		text, err := withTable(own.latest(file), e.Name, table)
		if err != nil {
			notes = append(notes, Note{Subject: e.Table, Text: err.Error()})
			continue
		}
		own.edited[file], own.tables[e.Name] = text, table
		notes = append(notes, Note{Subject: e.Table, Text: fmt.Sprintf("the table of Forge's own %s is %s, as the name is taken; SQL by hand in graph/ has to say so", e.Name, table)})
	}
	return notes
}

func (own *ownSchema) latest(file string) []byte {
	if text, ok := own.edited[file]; ok {
		return text
	}
	return own.files[file]
}

// withTable returns the text of a file of ent/schema in which an entity has another table.
func withTable(text []byte, name, table string) ([]byte, error) {
	line := fmt.Sprintf("entsql.Table(%q),", table)
	head := "func (" + name + ") Annotations() []schema.Annotation {\n\treturn []schema.Annotation{"
	out := string(text)
	if strings.Contains(out, head) {
		out = strings.Replace(out, head, head+"\n\t\t"+line, 1)
	} else {
		out += fmt.Sprintf("\n// Annotations returns the name of the table.\nfunc (%s) Annotations() []schema.Annotation { return []schema.Annotation{%s} }\n", name, strings.TrimSuffix(line, ","))
	}
	for _, path := range []string{"entgo.io/ent/dialect/entsql", "entgo.io/ent/schema"} {
		if !strings.Contains(out, "\t\""+path+"\"\n") {
			out = strings.Replace(out, "\t\"entgo.io/ent\"\n", "\t\"entgo.io/ent\"\n\t\""+path+"\"\n", 1)
		}
	}
	return format.Source([]byte(out))
}
