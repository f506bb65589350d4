package adopt

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"forge/internal/adopt"
)

// TestGraphs has ent read what is written for all databases, in one program, whose files the
// compiler sees beside those of this test.
func TestGraphs(t *testing.T) {
	t.Parallel()
	dir, files := t.TempDir(), map[string]string{}
	add := func(name string, text []byte) {
		here, err := filepath.Abs(filepath.Join("graphs", name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		files[here] = path
	}
	var imports, calls strings.Builder
	for _, name := range databases {
		p := mustPlan(t, adopt.Options{Address: mustCreate(t, name)})
		written, err := p.Files(module, "rule.Everyone")
		if err != nil {
			t.Fatal(err)
		}
		pkg := strings.ReplaceAll(name, ".", "_")
		fmt.Fprintf(&imports, "\t%s \"forge/test/adopt/graphs/%[1]s\"\n", pkg)
		fmt.Fprintf(&calls, "\tcheck(%q", name)
		for _, file := range slices.Sorted(maps.Keys(written)) {
			add(pkg+"/"+file, written[file])
			fmt.Fprintf(&calls, ", %s.%s{}", pkg, mustName(t, written[file]))
		}
		fmt.Fprintln(&calls, ")")
	}
	add("main.go", []byte(strings.NewReplacer("IMPORTS", imports.String(), "CALLS", calls.String()).Replace(program)))
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", "-overlay", list, "forge/test/adopt/graphs").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mustBeGolden(t, filepath.Join("testdata", "tables.golden"), out)
}

// mustName returns the name of the entity in a file.
func mustName(t *testing.T, text []byte) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.TYPE {
			return decl.Specs[0].(*ast.TypeSpec).Name.Name
		}
	}
	t.Fatal("a file has no entity")
	return ""
}

// program prints the tables of ent's graphs, with their columns and foreign keys.
const program = `package main

import (
	"fmt"
	"log"

	"entgo.io/ent"
	"entgo.io/ent/entc/gen"
	"entgo.io/ent/entc/load"

IMPORTS)

func check(name string, entities ...ent.Interface) {
	var all []*load.Schema
	for _, e := range entities {
		text, err := load.MarshalSchema(e)
		if err != nil {
			log.Fatalf("%s: %T: %v", name, e, err)
		}
		s, err := load.UnmarshalSchema(text)
		if err != nil {
			log.Fatalf("%s: %T: %v", name, e, err)
		}
		all = append(all, s)
	}
	storage, err := gen.NewStorage("sql")
	if err != nil {
		log.Fatal(err)
	}
	graph, err := gen.NewGraph(&gen.Config{Package: "forge/ent", Schema: "forge/ent/schema", Storage: storage}, all...)
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	tables, err := graph.Tables()
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	fmt.Printf("== %s\n", name)
	for _, t := range tables {
		fmt.Printf("%s.%s\n", t.Schema, t.Name)
		for _, c := range t.Columns {
			fmt.Printf("  %s null=%t\n", c.Name, c.Nullable)
		}
		for _, fk := range t.ForeignKeys {
			fmt.Printf("  (%s) -> %s %s\n", fk.Columns[0].Name, fk.RefTable.Name, fk.OnDelete)
		}
	}
}

func main() {
CALLS}
`
