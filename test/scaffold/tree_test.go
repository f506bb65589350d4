package scaffold

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/internal/sourcetree"
	"forge/internal/tree"
)

// shelf is an ent/schema.
const shelf = `package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

// Shelf is a place for books. It is made of wood.
type Shelf struct{ ent.Schema }

// Annotations are about who sees what.
func (Shelf) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Prefix: "shelf", ShownToAll: []string{"id", "name"}}} // all of it
}

func (Shelf) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID),
		field.String("name"), // on a sign
	}
}

func (Shelf) Policy() ent.Policy { return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins} }

// Keeper belongs to the framework, and is not shown.
type Keeper struct{ ent.Schema }
`

const accessTable = `package graph

import (
	"forge/internal/gqlexec"
	"forge/internal/viewer"
)

func access() map[string]gqlexec.Access {
	return map[string]gqlexec.Access{
		"Query.mine": {Role: viewer.Anonymous}, // my own
	}
}
`

const mine = "# my own comment\ntype Query { mine: Int }\n"

// newTree writes an application without generated code. It is in the folder of this test, so that
// it can import the framework.
func newTree(t *testing.T) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("testdata", "tree")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for path, text := range map[string]string{"ent/schema/shelf.go": shelf, "graph/access.go": accessTable, "schema.graphqls": mine} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{"ent/schema/shelf.go", "graph/access.go", "schema.graphqls"} {
		text, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}

// TestTree runs the commands in a source tree that has no generated code.
func TestTree(t *testing.T) {
	t.Parallel()
	dir := newTree(t)
	before := contents(t, dir)
	var out bytes.Buffer
	o := sourcetree.Options{Dir: dir, WithoutGenerators: true, Out: &out}
	unchanged := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
		if now := contents(t, dir); now != before {
			t.Errorf("%s has changed something", what)
		}
	}
	changed := func(what string, err error, wanted ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(what, err)
		}
		if before = contents(t, dir); !strings.Contains(before, "# my own comment\ntype Query { mine: Int ") || !strings.Contains(before, `{Role: viewer.Anonymous}, // my own`) {
			t.Errorf("%s has changed what was there:\n%s", what, before)
		}
		for _, want := range wanted {
			if !strings.Contains(before, want) {
				t.Errorf("%s has not written %s:\n%s", what, want, before)
			}
		}
	}

	unchanged("check", sourcetree.Scaffold(t.Context(), sourcetree.Options{Dir: dir, Check: true}), "Shelf: ent/schema has fields of it that are shown, and schema.graphqls has no type")
	unchanged("unknown", sourcetree.Scaffold(t.Context(), sourcetree.Options{Dir: dir, Entities: []string{"Shelv"}}), `ent/schema has no entity "Shelv"; it has: Keeper, Shelf`)
	dry := o
	dry.DryRun = true
	if err := sourcetree.Scaffold(t.Context(), dry); err != nil || contents(t, dir) != before || !strings.Contains(out.String(), "+type Shelf implements Node {") {
		t.Errorf("--dry-run: %v\n%s", err, &out)
	}
	changed("scaffold", sourcetree.Scaffold(t.Context(), o), "\"A place for books.\"\ntype Shelf implements Node {\n  id: ID!\n  name: String!\n}\n", "  shelves(\n    ",
		`"Query.shelves":        `, `"Mutation.createShelf":   {Role: viewer.Admin},`)
	if strings.Contains(before, "Keeper {") || strings.Contains(before, "deleteShelf") {
		t.Error("what nobody may see or do has a type or a mutation")
	}
	stands := before
	if changed("scaffold again", sourcetree.Scaffold(t.Context(), o)); before != stands {
		t.Error("a second run changes something")
	}

	add := sourcetree.Field{Entity: "Shelf", Name: "height", Type: "int", Min: "1", Index: true, Shown: "all", Default: "30", Comment: "In centimetres"}
	changed("add field", sourcetree.AddField(t.Context(), o, add), `ShownToAll: []string{"id", "name", "height"}`, `"shelves_height_range": "height >= 1"`, `"name"), // on a sign`, ` // all of it`,
		`field.Int32("height").Default(30).Comment("In centimetres"),`, `index.Fields("height", "id")`, "  \"In centimetres. 1 or more.\"\n  height: Int!\n", "  heightGTE: Int\n", "  HEIGHT\n")
	unchanged("add field again", sourcetree.AddField(t.Context(), o, add), "Shelf has a field or an edge height already; it has: id, name, height")
	changed("add edge", sourcetree.AddEdge(t.Context(), o, sourcetree.Edge{Entity: "Shelf", Name: "above", To: "Shelf", Inverse: "below", Kind: tree.ToOne}),
		`edge.To("below", Shelf.Type).From("above").Field("above_id").Unique(),`, `index.Fields("above_id", "id"),`, "\n  above: Shelf\n", "\n  below(first: Int", "  hasBelowWith: [ShelfWhereInput!]\n")
	if err := sourcetree.Scaffold(t.Context(), sourcetree.Options{Dir: dir, Check: true}); err != nil {
		t.Errorf("check: %v", err)
	}

	broken := strings.Replace(shelf, "rule.Everyone", "rule.Nowhere", 1)
	if err := os.WriteFile(filepath.Join(dir, "ent/schema/shelf.go"), []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	before = contents(t, dir)
	unchanged("broken schema", sourcetree.Scaffold(t.Context(), o), "undefined: rule.Nowhere")
}

// TestAddRefused asks for fields and edges that cannot be.
func TestAddRefused(t *testing.T) {
	t.Parallel()
	dir := newTree(t)
	before := contents(t, dir)
	o := sourcetree.Options{Dir: dir, WithoutGenerators: true}
	for _, tt := range []struct{ args, want string }{
		{"add field Shelf height:number", `"number" is no type of a field; allowed: bigint, bool, bytes`},
		{"add field Shelf height", "add field takes ENTITY NAME:TYPE"},
		{"add field Shelf height:string --min=1", "--min and --max are whole numbers, for the types int"},
		{"add field Shelf height:int --min=low", "--min and --max are whole numbers"},
		{"add field Shelf height:int --length=5", "--length is a number of characters, for the types string and text"},
		{"add field Shelf height:int --default=tall", `--default is "tall", which is no int`},
		{"add field Shelf height:time --default=now", "--default is for the types string, text, enum"},
		{"add field Shelf state:enum", "--values names the values of the type enum"},
		{"add field Shelf state:enum --values=A,B --default=C", "--default is none of the values A, B"},
		{"add field Shelf height:int --shown=me", "--shown is all, owners or nobody"},
		{"add field Shelf tags:strings --index", "a column of the type strings has no index"},
		{"add edge Shelf above:Shelf", "add edge needs --inverse"},
		{"add edge Shelf above:Shelf --inverse=below --kind=many", `--kind is "many"; allowed: to-one, one-to-one, many-to-many`},
		{"add edge Shelf above:Shelf --inverse=below --required", "--required is for edges to other entities"},
		{"add", "add needs one of field, edge"},
		{"scaffold --check Shelf", "scaffold --check is about the whole schema"},
		{"add field Book pages:int", `ent/schema has no entity "Book"; it has: Keeper, Shelf`},
		{"add field Shelf Height:int", `"Height" is no name for a field or an edge`},
		{"add edge Shelf name:Keeper --inverse=shelves", "Shelf has a field or an edge name already; it has: id, name"},
	} {
		var out, failed bytes.Buffer
		status := sourcetree.MainIn(t.Context(), o.Dir, append([]string{"forge"}, strings.Fields(tt.args)...), &out, &failed)
		if status != 2 || !strings.Contains(failed.String(), tt.want) {
			t.Errorf("%s: %d, %s, want %s", tt.args, status, &failed, tt.want)
		}
	}
	if contents(t, dir) != before {
		t.Error("something was changed")
	}
}
