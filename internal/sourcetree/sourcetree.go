// Package sourcetree changes the source of an application: its schema, its table of access and its
// entities. It needs the tools of Go, but no generated code of the application that compiles. All
// changes are made in memory first, and stored together.
package sourcetree

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// These are the places of an application, from its directory.
const (
	schemaDir  = "ent/schema"
	sdlFile    = "schema.graphqls"
	graphDir   = "graph"
	accessFile = "graph/access.go"
)

// Question is what package scaffold is asked, by a program that knows the entities of ent/schema.
type Question struct {
	SDL     string
	Names   []string          // as for scaffold.Write
	Special map[string]bool   // see scaffold.Source
	Docs    map[string]string // the comments of the types in ent/schema
	Check   bool              // only what does not fit is asked for

	Unindexed bool // see scaffold.Source
	// Describe says that only Known is asked for.
	Describe bool
}

// Answer is what package scaffold answers.
type Answer struct {
	SDL      string
	Shown    []string // the entities that have a type now, and had none
	Access   []Access // for root fields that were added
	Notes    []string // what was left out, and why
	Findings []string // what of the schema does not fit ent/schema
	Refused  string   // why nothing is to be stored, or ""
	Known    map[string]Known
}

// Known is what ent/schema says of an entity.
type Known struct {
	Table string
	Names []string // of fields, edges and computed fields
	Key   string   // the builder of a column that holds a key of the entity, with %q for its name, or ""
}

// Access says who may call a root field.
type Access struct {
	Field string
	Role  string   // of package viewer, such as "Admin"
	Roles []string // of the application's own
}

// Tree is the source tree of an application.
type Tree struct {
	unindexed bool // see Options.Unindexed

	dir   string
	files map[string][]byte // new contents, by paths from dir
	types []string          // the exported struct types of ent/schema
	docs  map[string]string
}

// Open reads the types of ent/schema below a directory. It returns an error if there is none.
func Open(dir string) (*Tree, error) {
	t := &Tree{dir: dir, files: map[string][]byte{}}
	return t, t.parse()
}

// read returns what a file is to hold, or holds.
func (t *Tree) read(path string) ([]byte, error) {
	if text, ok := t.files[path]; ok {
		return text, nil
	}
	return os.ReadFile(filepath.Join(t.dir, path))
}

// schemaFiles returns the paths of the Go files in ent/schema.
func (t *Tree) schemaFiles() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(t.dir, schemaDir))
	if err != nil {
		return nil, fmt.Errorf("there is no %s here; run this in the directory of an application: %w", schemaDir, err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			files = append(files, schemaDir+"/"+e.Name())
		}
	}
	return files, nil
}

// parse finds the exported struct types of ent/schema.
func (t *Tree) parse() error {
	files, err := t.schemaFiles()
	if err != nil {
		return err
	}
	t.types, t.docs = nil, map[string]string{}
	for _, path := range files {
		text, err := t.read(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("%s does not compile: %w", schemaDir, err)
		}
		for _, d := range file.Decls {
			t.declared(d)
		}
	}
	slices.Sort(t.types)
	return nil
}

func (t *Tree) declared(d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.TYPE {
		return
	}
	for _, s := range g.Specs {
		spec := s.(*ast.TypeSpec)
		if _, is := spec.Type.(*ast.StructType); !is || !spec.Name.IsExported() || spec.TypeParams != nil {
			continue
		}
		t.types = append(t.types, spec.Name.Name)
		if doc := cmpOr(spec.Doc, g.Doc); doc != nil {
			t.docs[spec.Name.Name] = doc.Text()
		}
	}
}

func cmpOr(a, b *ast.CommentGroup) *ast.CommentGroup {
	if a != nil {
		return a
	}
	return b
}

// ask runs a program that imports ent/schema, and returns what package scaffold answers it.
func (t *Tree) ask(ctx context.Context, q Question) (*Answer, error) {
	q.Docs = t.docs
	work, err := os.MkdirTemp("", "scaffold")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	overlay, err := t.overlay(ctx, work)
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	answer := filepath.Join(work, "answer.json")
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "run", "-overlay", overlay, "./"+programDir, answer)
	cmd.Dir, cmd.Stdin, cmd.Stderr = t.dir, bytes.NewReader(question), &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s could not be read: %w\n%s", schemaDir, err, strings.TrimSpace(stderr.String()))
	}
	text, err := os.ReadFile(answer)
	if err != nil {
		return nil, err
	}
	a := new(Answer)
	return a, json.Unmarshal(text, a)
}

// programDir is where the overlay has the program. There is no such directory.
const programDir = "internal_scaffold_program"

// overlay writes the program and the changed files of ent/schema to a directory. It returns the
// path of the file that tells the tools of Go where they belong.
func (t *Tree) overlay(ctx context.Context, work string) (string, error) {
	replace := map[string]string{}
	abs, err := filepath.Abs(t.dir)
	if err != nil {
		return "", err
	}
	program, err := t.program(ctx)
	if err != nil {
		return "", err
	}
	lay := func(path string, text []byte) error {
		to := filepath.Join(work, fmt.Sprintf("%d.go", len(replace)))
		replace[filepath.Join(abs, path)] = to
		return os.WriteFile(to, text, 0o600)
	}
	if err := lay(programDir+"/main.go", program); err != nil {
		return "", err
	}
	for path, text := range t.files {
		if strings.HasPrefix(path, schemaDir+"/") {
			if err := lay(path, text); err != nil {
				return "", err
			}
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(work, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// program returns the source of the program.
func (t *Tree) program(ctx context.Context) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "list", "-find", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", "./"+schemaDir)
	cmd.Dir, cmd.Stderr = t.dir, &stderr
	path, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s is no package of Go: %w\n%s", schemaDir, err, stderr.String())
	}
	imported, module, _ := strings.Cut(strings.TrimSpace(string(path)), " ")
	var b bytes.Buffer // the framework is a part of the module
	fmt.Fprintf(&b, "package main\n\nimport (\n\t%q\n\n\tschema %q\n)\n\nfunc main() {\n\tscaffold.Main(%q,\n", module+"/internal/scaffold", imported, imported)
	for _, name := range t.types {
		fmt.Fprintf(&b, "\t\tschema.%s{},\n", name)
	}
	b.WriteString("\t)\n}\n")
	return b.Bytes(), nil
}
