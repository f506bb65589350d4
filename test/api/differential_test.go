package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/internal/budget"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"

	"github.com/99designs/gqlgen/graphql"
)

// differ runs operations in two ways and compares the answers: through the read engine, and field
// by field without it.
type differ struct {
	db            *database.DB
	engine, plain *gqltest.Client
	contents      *contents
	values        *valuePool
	twins         bool // each way has a database of its own, with other keys for new rows
}

// newDiffer returns a differ on the database at url, filled with w.
func newDiffer(t testing.TB, url string, w *world) *differ {
	t.Helper()
	a := newAPI(t, url)
	a.fill(w)
	d := (&differ{db: a.db}).as(t, viewer.System)
	d.values = newValuePool(d.contents)
	return d
}

// newPlainServer returns the handler of the API, with a field middleware in place of the read
// engine.
func newPlainServer(db *database.DB, log *slog.Logger, fields graphql.FieldMiddleware) http.Handler {
	return newServer(db, config{Options: gqlexec.Options{Development: true}, adapt: func(app *gqlexec.API) {
		app.WithoutEngine, app.Fields = true, []graphql.FieldMiddleware{fields}
	}}, log)
}

// as returns a differ whose operations come from v. The operations still ask for everything.
func (d *differ) as(t testing.TB, v viewer.Viewer) *differ {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	of := &differ{db: d.db, values: d.values, engine: newClient(t, newServer(d.db, config{Options: gqlexec.Options{Development: true}}, log), v)}
	u := unit.New(d.db, unit.Snapshot)
	defer u.Rollback()
	of.contents = readContents(viewer.NewContext(t.Context(), v), t, ent.UnitClient(u))
	if d.contents != nil {
		of.contents.all = d.contents
	}
	read := fieldwise{func(context.Context) *contents { return of.contents }}
	of.plain = newClient(t, newPlainServer(d.db, log, read.field), v)
	return of
}

// reply is an answer without its cost.
type reply struct {
	Data   json.RawMessage
	Errors []json.RawMessage
}

func ask(client *gqltest.Client, op operation) (got reply, err error) {
	answer := client.Send(context.Background(), op.query, op.vars)
	if answer.Err != nil {
		return got, answer.Err
	}
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
		return got, err
	}
	if op.decoded {
		for i, e := range got.Errors {
			got.Errors[i] = wordless(e)
		}
	}
	slices.SortFunc(got.Errors, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return got, nil
}

// wordless returns an error without its message and its locations. If a value cannot be decoded,
// gqlgen words the message differently than the engine, and reports no location.
func wordless(err json.RawMessage) json.RawMessage {
	var shown map[string]json.RawMessage
	if json.Unmarshal(err, &shown) != nil {
		return err
	}
	delete(shown, "message")
	delete(shown, "locations")
	bare, _ := json.Marshal(shown)
	return bare
}

// String returns the data and the errors of the reply.
func (r reply) String() string { return fmt.Sprintf("data %s\nerrors %s", r.Data, r.Errors) }

// compare runs an operation both ways. It returns the engine's reply, and how the other reply
// differs from it, or "".
func (d *differ) compare(op operation) (got reply, difference string) {
	got, err := ask(d.engine, op)
	if err != nil {
		return got, "the engine's answer is not JSON: " + err.Error()
	}
	want, err := ask(d.plain, op)
	if err != nil {
		return got, "the plain answer is not JSON: " + err.Error()
	}
	if d.twins {
		got, want = d.withoutNewIDs(got), d.withoutNewIDs(want)
	}
	if !bytes.Equal(got.Data, want.Data) || !sameErrors(got, want) {
		return got, fmt.Sprintf("%s\nwith %s\nby the engine: %s\nfield by field: %s", op.query, jsonOf(op.vars), got, want)
	}
	if len(got.Errors) > 0 && bytes.Contains(got.Errors[0], []byte("GRAPHQL_")) {
		return got, fmt.Sprintf("the generator made an operation that is not valid: %s\nwith %s\n%s", op.query, jsonOf(op.vars), got)
	}
	return got, ""
}

func jsonOf(value any) string {
	b, _ := json.Marshal(value)
	return string(b)
}

// sameErrors reports whether two replies have the same errors, byte for byte. Their order may
// differ, as the specification leaves it open. Errors below a null that another error has caused
// are ignored, because what becomes null anyway need not be executed (GraphQL specification,
// section 6.4.4).
func sameErrors(got, want reply) bool {
	if len(got.Errors) == 0 || len(want.Errors) == 0 {
		return len(got.Errors) == len(want.Errors)
	}
	if len(got.Errors) > budget.MaxErrors || len(want.Errors) > budget.MaxErrors {
		return true // which of them are shown is left to chance
	}
	var data any
	if json.Unmarshal(got.Data, &data) != nil {
		return false
	}
	shown := map[string]bool{}
	for _, err := range got.Errors {
		if !slices.ContainsFunc(want.Errors, func(other json.RawMessage) bool { return bytes.Equal(err, other) }) {
			return false
		}
		shown[nullOf(data, err)] = true
	}
	return !slices.ContainsFunc(want.Errors, func(err json.RawMessage) bool { return !shown[nullOf(data, err)] })
}

// nullOf returns the path of the null that an error has caused.
func nullOf(data any, err json.RawMessage) string {
	var shown struct{ Path []any }
	_ = json.Unmarshal(err, &shown)
	for i, step := range shown.Path {
		switch v := data.(type) {
		case map[string]any:
			data = v[step.(string)]
		case []any:
			data = v[int(step.(float64))]
		default:
			return jsonOf(shown.Path[:i])
		}
	}
	return jsonOf(shown.Path)
}

// try makes an operation and compares. If the operation has boolean variables, it compares again
// with the opposite values, when a plan already exists.
func (d *differ) try(from choices) (op operation, got reply, difference string) {
	op = makeOperation(slices.Clone(from), d.contents.all, d.values)
	got, difference = d.compare(op)
	if difference == "" && op.flip() {
		_, difference = d.compare(op)
		op.flip()
	}
	return op, got, difference
}

// flip inverts the boolean variables of the operation. It reports whether there are any.
func (op operation) flip() (any bool) {
	for name, value := range op.vars {
		if on, ok := value.(bool); ok {
			op.vars[name], any = !on, true
		}
	}
	return any
}

// shrink removes and lowers choices as long as they still lead to a difference. It returns the
// difference of the last ones.
func (d *differ) shrink(from choices) string {
	differs := func(c choices) bool { _, _, difference := d.try(c); return difference != "" }
	for size := len(from); size > 0; size /= 2 {
		for at := 0; at+size <= len(from); {
			if less := slices.Delete(slices.Clone(from), at, at+size); differs(less) {
				from = less
			} else {
				at += size
			}
		}
	}
	for i := range from {
		if less := slices.Clone(from); less[i] != 0 {
			if less[i] = 0; differs(less) {
				from = less
			}
		}
	}
	_, _, difference := d.try(from)
	return difference
}

// seeded returns the choices that belong to a seed.
func seeded(seed uint64) choices {
	r := rand.New(rand.NewPCG(seed, 5))
	c := make(choices, 20+r.IntN(400))
	for i := range c {
		c[i] = byte(r.Uint32())
	}
	return c
}

// TestDifferential makes operations from seeds, and runs each through the read engine and field by
// field. With FORGE_SEED=n it runs only the operation of that seed.
func TestDifferential(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newDiffer(t, url, makeWorld())
		if text := os.Getenv("FORGE_SEED"); text != "" {
			seed, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			op, got, difference := d.try(seeded(seed))
			t.Logf("%s\nwith %s\n%s", op.query, jsonOf(op.vars), got)
			if difference != "" {
				t.Errorf("%s\nthe least that differs:\n%s", difference, d.shrink(seeded(seed)))
			}
			return
		}
		from, to := uint64(0), uint64(10_000)
		if strings.HasPrefix(url, "postgres") {
			from, to = 10_000, 13_000
		}
		if testing.Short() {
			to = 2_000
		}
		if os.Getenv("FORGE_SOAK") != "" {
			from, to = 20*from, 20*to
		}
		seen := newCoverage(d.contents.schema)
		d.tryMany(t, from, to, seen)
		seen.check(t, int(to-from))
		// For those who see less, whatever the operations ask for.
		share := (to - from) / 8
		d.as(t, viewer.Viewer{}).tryMany(t, to, to+share, seen)
		d.as(t, viewer.Viewer{Role: viewer.User, ID: buyer(d.contents)}).tryMany(t, to, to+2*share, seen)
	})
}

// buyer returns the key of the user with the most orders.
func buyer(c *contents) (most uuid.UUID) {
	orders := map[any]int{}
	for _, row := range c.rows["Order"] {
		orders[row["userId"]]++
	}
	for _, row := range c.rows["User"] {
		if orders[row["id"]] > orders[most] {
			most = row.key()
		}
	}
	return most
}

// tryMany tries the seeds in a range. It stops after the first differences.
func (d *differ) tryMany(t *testing.T, from, to uint64, seen *coverage) {
	var next atomic.Uint64
	var differences atomic.Int64
	next.Store(from)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for seed := next.Add(1) - 1; seed < to && differences.Load() < 3; seed = next.Add(1) - 1 {
				op, got, difference := d.try(seeded(seed))
				if difference != "" {
					differences.Add(1)
					t.Errorf("FORGE_SEED=%d: the least that differs:\n%s", seed, d.shrink(seeded(seed)))
				}
				seen.add(t, op, got)
			}
		})
	}
	wait.Wait()
}

// coverage counts the parts that operations consist of.
type coverage struct {
	schema *ast.Schema

	mu                    sync.Mutex
	parts                 map[string]int // by their schema coordinates
	full, failed, refused int
}

func newCoverage(schema *ast.Schema) *coverage {
	return &coverage{schema: schema, parts: map[string]int{}}
}

// add counts the parts of an operation.
func (c *coverage) add(t *testing.T, op operation, got reply) {
	doc, err := gqlparser.LoadQueryWithRules(c.schema, op.query, nil)
	if err != nil {
		t.Errorf("%s: %v", op.query, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range doc.Operations {
		c.set(o.SelectionSet)
		for _, v := range o.VariableDefinitions {
			c.parts["variable"]++
			c.sent(v.Type, op.vars[v.Variable])
			if v.DefaultValue != nil {
				c.parts["default of a variable"]++
				c.value(v.DefaultValue)
			}
		}
	}
	for _, f := range doc.Fragments {
		c.parts["fragment"]++
		c.set(f.SelectionSet)
	}
	if len(got.Errors) > 0 {
		c.failed++
	}
	if op.refused {
		c.refused++
	}
	if len(got.Data) > 100 {
		c.full++
	}
}

func (c *coverage) set(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			coordinate := s.ObjectDefinition.Name + "." + s.Name
			c.parts[coordinate]++
			for _, a := range s.Arguments {
				c.parts[coordinate+"("+a.Name+":)"]++
				c.value(a.Value)
			}
			if s.Alias != s.Name {
				c.parts["alias"]++
			}
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.InlineFragment:
			c.parts["... on "+s.TypeCondition]++
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			c.directives(s.Directives)
		}
	}
}

func (c *coverage) directives(list ast.DirectiveList) {
	for _, d := range list {
		c.parts["@"+d.Name]++
		c.parts["@"+d.Name+fmt.Sprint(d.Arguments[0].Value.Kind == ast.Variable)]++
	}
}

func (c *coverage) value(v *ast.Value) {
	if v.Kind == ast.EnumValue {
		c.parts[v.Definition.Name+"."+v.Raw]++
	}
	for _, child := range v.Children {
		if v.Kind == ast.ObjectValue {
			c.parts[v.Definition.Name+"."+child.Name]++
		}
		c.value(child.Value)
	}
}

// sent counts the parts of a variable's value.
func (c *coverage) sent(t *ast.Type, value any) {
	switch v := value.(type) {
	case []any:
		for _, entry := range v {
			c.sent(t.Elem, entry)
		}
	case map[string]any:
		for name, entry := range v {
			c.parts[t.Name()+"."+name]++
			c.sent(c.schema.Types[t.Name()].Fields.ForName(name).Type, entry)
		}
	case string:
		if c.schema.Types[t.Name()].Kind == ast.Enum {
			c.parts[t.Name()+"."+v]++
		}
	}
}

// check fails the test unless the operations contained every part of the schema that can be read,
// and unless both data and errors came back often.
func (c *coverage) check(t *testing.T, operations int) {
	t.Logf("of %d operations %d brought more than 100 bytes of data, %d had errors, %d of these by an argument meant to be refused", operations, c.full, c.failed, c.refused)
	if c.full < operations/2 || c.failed < operations/50 || c.refused < operations/50 {
		t.Error("that is too few of one kind")
	}
	wanted := map[string]bool{"alias": true, "fragment": true, "variable": true, "default of a variable": true, "... on ": true, "... on Node": true,
		"@skiptrue": true, "@skipfalse": true, "@includetrue": true, "@includefalse": true}
	c.want(wanted, map[*ast.Definition]bool{}, c.schema.Query)
	for part := range wanted {
		if c.parts[part] == 0 {
			t.Errorf("no operation has %s", part)
		}
	}
}

// want adds the parts of a type, and of all types that it leads to. Introspection is left out,
// because the engine does not answer it.
func (c *coverage) want(wanted map[string]bool, known map[*ast.Definition]bool, def *ast.Definition) {
	if known[def] {
		return
	}
	known[def] = true
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		of := c.schema.Types[f.Type.Name()]
		wanted[def.Name+"."+f.Name] = true
		if of.Kind != ast.Enum || def.Kind == ast.InputObject {
			c.want(wanted, known, of)
		}
		for _, a := range f.Arguments {
			wanted[def.Name+"."+f.Name+"("+a.Name+":)"] = true
			c.want(wanted, known, c.schema.Types[a.Type.Name()])
		}
	}
	for _, v := range def.EnumValues {
		wanted[def.Name+"."+v.Name] = true
	}
	for _, possible := range c.schema.GetPossibleTypes(def) {
		c.want(wanted, known, possible)
	}
}

// FuzzDifferential does the same as TestDifferential, with choices that the fuzzer makes.
func FuzzDifferential(f *testing.F) {
	d := newDiffer(f, dbtest.SQLite(f), makeWorld())
	for seed := range uint64(20) {
		f.Add([]byte(seeded(seed)))
	}
	f.Fuzz(func(t *testing.T, from []byte) {
		if _, _, difference := d.try(from); difference != "" {
			t.Error(difference)
		}
	})
}
