// Package edges tests the read engine on a schema that has edges and keys of every kind.
package edges

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	entfield "entgo.io/ent/schema/field"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/read/binding"
	entschema "forge/internal/schema"
	convert "forge/internal/schema/entschema"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/edges/ent"
	"forge/test/edges/ent/migrate"
	_ "forge/test/edges/ent/runtime"
)

//go:embed edges.graphqls
var sdl string

// world is a database with a schema of its own, and an engine that reads it.
type world struct {
	*testing.T
	db     *database.DB
	ent    *ent.Client
	schema *ast.Schema
	engine *read.Engine
	// documents are those of kept.
	documents map[string]*ast.QueryDocument
	system    context.Context // of an administrator
}

// each runs a test on both databases.
func each(t *testing.T, test func(w *world)) {
	t.Parallel()
	for name, address := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLite, "postgres": dbtest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, address(t)))
		})
	}
}

func newWorld(t *testing.T, address string) *world {
	return newWorldOf(t, address, func([]*entschema.Table) {})
}

// newWorldOf returns a world whose tables were changed first.
func newWorldOf(t *testing.T, address string, change func([]*entschema.Table)) *world {
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	driver := entsql.OpenDB(db.Dialect, db.DB)
	w := &world{T: t, db: db, documents: map[string]*ast.QueryDocument{}, ent: ent.NewClient(ent.Driver(driver)), system: viewer.NewContext(t.Context(), viewer.System)}
	tables := convert.Copy(migrate.Tables)
	change(tables)
	for _, table := range tables {
		for _, c := range table.Columns {
			if c.Type == entfield.TypeString && db.Dialect == dialect.Postgres {
				c.Collation = "C" // as Forge's migrations have it
			}
		}
	}
	if err := convert.Create(w.system, driver, tables); err != nil {
		t.Fatal(err)
	}
	w.schema = gqlparser.MustLoadSchema(&ast.Source{Input: sdl})
	w.engine = w.newEngine(read.Options{Query: ent.QueryEntity, DisableCoalescing: true})
	return w
}

func (w *world) newEngine(o read.Options) *read.Engine {
	w.Helper()
	e, err := read.New(binding.Contract{Schema: w.schema, Entities: ent.Entities, Refers: func(string) bool { return true }}, o)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

// answer is the engine's answer to a query.
type answer struct {
	data       string
	errors     []string // code, path and message of each
	statements int
}

// ask answers a query for a viewer. Variables are as JSON brings them.
func (w *world) ask(v viewer.Viewer, query string, variables map[string]any) answer {
	w.Helper()
	return w.run(v, w.operation(query, variables))
}

// run answers an operation for a viewer.
func (w *world) run(v viewer.Viewer, op *graphql.OperationContext) answer {
	prepared := w.engine.Prepare(op)
	mode := unit.Single
	if prepared.Statements(w.db.Dialect) > 1 {
		mode = unit.Snapshot
	}
	u := unit.New(w.db, mode)
	defer u.Rollback()
	ctx := viewer.NewContext(unit.NewContext(w.Context(), u), v)
	ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	data, ok := prepared.Answer(ctx)
	if !ok {
		data = w.resolve(ctx, op)
	}
	a := answer{data: string(data), statements: u.Cost().Statements}
	for _, err := range graphql.GetErrors(ctx) {
		text := err.Path.String() + ": " + err.Message
		if known, ok := err.Err.(*apperr.Error); ok {
			text = string(known.Code) + " " + known.Field + " " + text
		}
		a.errors = append(a.errors, text)
	}
	return a
}

func (w *world) operation(query string, variables map[string]any) *graphql.OperationContext {
	w.Helper()
	return w.bind(w.parse(query), variables)
}

// kept returns a function that makes operations of one document for each query, as a server does.
func (w *world) kept(query string, variables map[string]any) func() *graphql.OperationContext {
	w.Helper()
	doc := w.documents[query]
	if doc == nil {
		doc = w.parse(query)
		w.engine.Keep(doc)
		w.documents[query] = doc
	}
	return func() *graphql.OperationContext { return w.bind(doc, variables) }
}

func (w *world) parse(query string) *ast.QueryDocument {
	w.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(w.schema, query, rules.NewDefaultRules())
	if errs != nil {
		w.Fatalf("%s: %v", query, errs)
	}
	return doc
}

func (w *world) bind(doc *ast.QueryDocument, variables map[string]any) *graphql.OperationContext {
	w.Helper()
	coerced, err := validator.VariableValues(w.schema, doc.Operations[0], variables)
	if err != nil {
		w.Fatalf("%v: %v", variables, err)
	}
	return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: coerced, RecoverFunc: graphql.DefaultRecover}
}

// reference is what a resolver returns for an entity.
type reference struct{ ID ids.ID }

func (r reference) GetID() ids.ID { return r.ID }

// resolve answers the operation's root fields as gqlgen does, one by one. The resolver of a field
// refers to what its arguments id or ids name.
func (w *world) resolve(ctx context.Context, op *graphql.OperationContext) []byte {
	return w.engine.Execute(ctx, func(ctx context.Context) *graphql.Response {
		return &graphql.Response{Data: w.fields(ctx, op)}
	}).Data
}

func (w *world) fields(ctx context.Context, op *graphql.OperationContext) []byte {
	var data bytes.Buffer
	for i, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
		ctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: f})
		fmt.Fprintf(&data, "%c%q:", "{,"[min(i, 1)], f.Alias)
		value, err := w.engine.Read(ctx, func(context.Context) (any, error) { return referred(f.ArgumentMap(op.Variables)) })
		if marshaler, ok := value.(graphql.Marshaler); ok && err == nil {
			marshaler.MarshalGQL(&data)
		} else {
			data.WriteString("null")
		}
		if err != nil {
			graphql.AddError(ctx, err)
		}
	}
	return append(data.Bytes(), '}')
}

func referred(args map[string]any) (any, error) {
	if id, ok := args["id"]; ok {
		var r reference
		err := r.ID.UnmarshalGQL(id)
		return r, err
	}
	list := []reference{}
	for _, id := range graphql.CoerceList(args["ids"]) {
		var r reference
		if err := r.ID.UnmarshalGQL(id); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}
