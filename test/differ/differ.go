// Package differ makes random operations for an application, and compares how they are answered: by
// the read engine, and field by field, by gqlgen's own execution over rows that plain ent queries
// have read. The second way shares nothing with the engine but the description of the entities. It
// has no generated resolvers: a field middleware reads ent's structs by reflection, so that an
// application needs no code for it, whatever its schema is.
package differ

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"

	"forge/internal/budget"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/gqltest"

	"github.com/99designs/gqlgen/graphql"
)

// App is an application.
type App struct {
	API gqlexec.API
	// Client returns ent's client in a unit of work.
	Client func(*unit.Unit) any

	// Skipped are the mutations that are not made, beside those with credentials: tokens and
	// secrets are different each time.
	Skipped []string
	// Inputs are values of fields in the inputs of mutations, by the names of the fields. A field
	// whose list is empty is left out. Other fields get values of their types.
	Inputs map[string][]any
}

// Differ compares the answers of an application.
type Differ struct {
	app      App
	db       *database.DB
	engine   *gqltest.Client
	plain    *gqltest.Client
	contents *contents
	values   *valuePool
	twins    bool           // each way has a database of its own, with other keys for new rows
	someID   *regexp.Regexp // matches IDs in an answer, of twins
}

// New returns a Differ on a database that has rows. Its operations come from an administrator. It
// panics if the rows cannot be read.
func New(ctx context.Context, app App, db *database.DB) *Differ {
	d := (&Differ{app: app, db: db}).As(ctx, viewer.System)
	d.values = newValuePool(d.contents)
	return d
}

// As returns a Differ whose operations come from v. The operations still ask for everything.
func (d *Differ) As(ctx context.Context, v viewer.Viewer) *Differ {
	of := &Differ{app: d.app, db: d.db, values: d.values, engine: client(d.app.API, d.db, v)}
	u := unit.New(d.db, unit.Snapshot)
	defer u.Rollback()
	of.contents = read(viewer.NewContext(ctx, v), d.app.API.Executable(nil).Schema(), d.app.API.Entities, d.app.Client(u))
	of.contents.cursors = newCursors(of.contents.schema, of.engine)
	if d.contents != nil {
		of.contents.all = d.contents
	}
	of.plain = of.plainClient(d.db, v, func(context.Context) *contents { return of.contents })
	return of
}

// client returns a client of the API on a database. Its operations come from v.
func client(api gqlexec.API, db *database.DB, v viewer.Viewer) *gqltest.Client {
	handler := gqlexec.New(api, db, gqlexec.Options{Development: true}, slog.New(slog.DiscardHandler))
	return gqltest.NewHandler(nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(viewer.NewContext(withSummaries(r.Context()), v)))
	}))
}

// plainClient returns a client like that of client, of an API without the read engine.
func (d *Differ) plainClient(db *database.DB, v viewer.Viewer, contents func(context.Context) *contents) *gqltest.Client {
	api := d.app.API
	api.WithoutEngine = true
	p := fieldwise{contents: contents, models: modelsOf(api.Resolvers)}
	if files := entity.FilesOf(api.Entities); files != nil {
		p.file = p.models[folded(files.Name)]
	}
	api.Fields = []graphql.FieldMiddleware{p.field}
	return client(api, db, v)
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
func (d *Differ) compare(op operation) (got reply, difference string) {
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
func (d *Differ) try(from choices) (op operation, got reply, difference string) {
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
func (d *Differ) shrink(from choices) string {
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

// Try compares the operation of a seed, and writes it to w. It returns the least difference that it
// leads to, or "".
func (d *Differ) Try(seed uint64, w io.Writer) string {
	op, got, difference := d.try(seeded(seed))
	fmt.Fprintf(w, "%s\nwith %s\n%s\n", op.query, jsonOf(op.vars), got)
	if difference == "" {
		return ""
	}
	return difference + "\nthe least that differs:\n" + d.shrink(seeded(seed))
}

// TryChoices compares the operation that the bytes lead to. It returns the difference, or "".
func (d *Differ) TryChoices(from []byte) string {
	_, _, difference := d.try(from)
	return difference
}

// Choices returns the bytes that lead to the operation of a seed.
func Choices(seed uint64) []byte { return seeded(seed) }

// TryMany compares the operations of the seeds in a range. It calls found with each difference, and
// stops after the first few. The coverage counts the operations; it may be nil.
func (d *Differ) TryMany(from, to uint64, seen *Coverage, found func(seed uint64, difference string)) {
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
					found(seed, d.shrink(seeded(seed)))
				}
				if seen != nil {
					seen.add(op, got)
				}
			}
		})
	}
	wait.Wait()
}
