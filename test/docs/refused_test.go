package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unheld declares entities and a schema. The read engine cannot serve most of these.
const unheld = "```go new ent/schema/gadget.go" + `
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"forge/internal/rule"
)

// Gadget has columns that do not fit the API.
type Gadget struct{ ent.Schema }

func (Gadget) Mixin() []ent.Mixin { return []ent.Mixin{Identified{Prefix: "gadget"}} }

func (Gadget) Fields() []ent.Field {
	return []ent.Field{
		field.Float("weight"),
		field.Float("price").SchemaType(map[string]string{dialect.Postgres: "numeric(10,2)"}),
		field.String("height").SchemaType(map[string]string{dialect.Postgres: "numeric"}),
		field.Bytes("photo"),
		field.JSON("spec", map[string]any{}),
		field.UUID("serial", uuid.UUID{}).SchemaType(blobOnSQLite),
		field.Int64("sold"),
		field.Enum("state").Values("NEW", "USED"),
		field.String("label").Optional().Nillable(),
	}
}

func (Gadget) Policy() ent.Policy { return rule.Policy{Read: rule.Everyone} }

// Meter is an entity of which nobody says who may see it.
type Meter struct{ ent.Schema }
` + "```\n\n```graphql append schema.graphqls" + `

type Gadget implements Node {
  id: ID!
  weight: Int!
  price: Float!
  height: String!
  photo: String!
  spec: String!
  serial: ID!
  sold: Int!
  state: GadgetState!
  label: String!
  power: Int
}

enum GadgetState { NEW BROKEN }

type GadgetConnection {
  nodes: [Gadget!]!
}

input GadgetWhereInput { weightHasPrefix: Float }

type Meter implements Node { id: ID! }

union Thing = Gadget | Meter

extend type Query {
  gadgets(first: Int, where: GadgetWhereInput): GadgetConnection!
  myGadgets(first: Float): GadgetConnection!
  things: [Thing!]!
}
` + "```\n"

// unheldFindings are the beginnings of the messages about unheld, in their order.
var unheldFindings = []string{
	"Meter: nothing in ent/schema says who may see which rows of Meter",
	"Meter: the prefix of its IDs is \"\"",
	"Gadget.weight: its type is Int!, but the column weight of Gadget is of type float64",
	"Gadget.price: the column price of Gadget is stored as numeric(10,2) on postgres",
	"Gadget.height: the column height of Gadget is stored as numeric on postgres",
	"Gadget.photo: its type is String!, but the column photo of Gadget is of type []byte",
	"Gadget.spec: its type is String!, but the column spec of Gadget is of type map[string]interface {}",
	"Gadget.serial: its type is ID!, but the column serial of Gadget is of type uuid.UUID",
	"Gadget.sold: its type is Int!, but the column sold of Gadget is of type int64",
	"Gadget.state: the column state of Gadget can hold USED",
	"GadgetState.BROKEN: the column state of Gadget",
	"Gadget.label: its type is String!, but the column label of Gadget may be NULL",
	"Gadget.power: Gadget has neither a column nor an edge",
	"GadgetWhereInput.weightHasPrefix: columns of type float64 cannot be compared by HasPrefix",
	"Query.myGadgets(first:): its type is Float; allowed: Int",
	"Query.gadgets: nothing says who may call it",
	"Query.myGadgets: nothing says who may call it",
	"Query.things: nothing says who may call it",
}

// TestRefused builds a server, in a copy of the tree, whose schema and entities do not fit
// together. Each command that would show the API must list everything that is wrong, and touch
// nothing.
func TestRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("copies and builds the whole tree")
	}
	tree := copyOfTree(t)
	for _, b := range blocks(unheld) {
		tree.write(t, b)
	}
	tree.run(t, block{text: "$ go generate ./ent ./graph\n$ go build -o forge ."})
	// Other programs that listen on the same port would print it too.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "untouched.db")
	forge := func(args ...string) (stdout, stderr string) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(tree.dir, "forge"), args...)
		cmd.Dir, cmd.Env = t.TempDir(), append(tree.env, "DATABASE_URL=sqlite:"+file, "ADDR="+taken.Addr().String())
		var out, log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &log
		err := cmd.Run()
		if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 1 {
			t.Errorf("forge %v: %v, want status 1", args, err)
		}
		if strings.Contains(log.String(), "goroutine") {
			t.Errorf("forge %v: a stack\n%s", args, &log)
		}
		return out.String(), log.String()
	}
	for _, command := range []string{"serve", "schema"} {
		stdout, stderr := forge(command)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if stdout != "" || !strings.Contains(lines[0], "do not fit together in 18 places:") {
			t.Errorf("forge %s prints %q, and begins with %q", command, stdout, lines[0])
		}
		mustBeUnheld(t, command, lines[1:])
	}
	report, _ := forge("doctor", "--json")
	var found struct {
		Findings []struct{ Check, State, Message string }
	}
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		t.Fatalf("%v: %s", err, report)
	}
	var messages []string
	for _, f := range found.Findings {
		if f.Check == "contract" && f.State == "fail" {
			messages = append(messages, f.Message)
		}
	}
	mustBeUnheld(t, "doctor", messages)
	if left, err := filepath.Glob(file + "*"); err != nil || len(left) > 0 {
		t.Errorf("%v are there, %v; the database was not to be touched", left, err)
	}
}

func mustBeUnheld(t *testing.T, command string, found []string) {
	t.Helper()
	if !slices.EqualFunc(found, unheldFindings, strings.HasPrefix) {
		t.Errorf("forge %s finds\n%s\nwant\n%s", command, strings.Join(found, "\n"), strings.Join(unheldFindings, "\n"))
	}
}
