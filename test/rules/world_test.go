// Package rules tests package rule on an application with teams, their members, and tenants.
package rules

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/database"
	"forge/internal/migrator/dev"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/rules/ent"
	"forge/test/rules/ent/migrate"
	_ "forge/test/rules/ent/runtime"
)

//go:embed rules.graphqls
var sdl string

var served = gqlparser.MustLoadSchema(&ast.Source{Input: sdl})

// world is a database, and an engine that reads it.
type world struct {
	*testing.T
	db     *database.DB
	ent    *ent.Client
	engine *read.Engine
	// documents are those that the engine keeps, as a server does.
	documents map[string]*ast.QueryDocument
	system    context.Context // of an administrator
}

// each runs a test on both databases.
func each(t *testing.T, test func(w *world)) {
	for name, address := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLite, "postgres": dbtest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) { test(newWorld(t, address(t))) })
	}
}

func newWorld(t *testing.T, address string) *world {
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{T: t, db: db, ent: ent.NewClient(ent.Driver(entsql.OpenDB(db.Dialect, db.DB))), documents: map[string]*ast.QueryDocument{},
		system: viewer.NewContext(t.Context(), viewer.System)}
	if err := dev.Create(w.system, db.DB, db.Dialect, dev.Schema{Tables: migrate.Tables, Objects: changes.Objects(ent.Entities)}); err != nil {
		t.Fatal(err)
	}
	w.newEngine()
	return w
}

func (w *world) newEngine() {
	w.Helper()
	var err error
	w.engine, err = read.New(binding.Contract{Schema: served, Entities: ent.Entities, Refers: func(string) bool { return true }}, read.Options{Query: ent.QueryEntity})
	if err != nil {
		w.Fatal(err)
	}
	clear(w.documents)
}

// answer is the engine's answer to a query.
type answer struct {
	data       string
	errors     []string // code and path of each
	statements int
}

func (a answer) String() string { return a.data + " " + strings.Join(a.errors, ", ") }

// ask answers a query for a viewer.
func (w *world) ask(v viewer.Viewer, query string) (a answer) {
	w.Helper()
	doc := w.document(query)
	values, _ := validator.VariableValues(served, doc.Operations[0], nil)
	op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: values, RecoverFunc: graphql.DefaultRecover}
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
	a = answer{data: string(data), statements: u.Cost().Statements}
	for _, err := range graphql.GetErrors(ctx) {
		known, ok := err.Err.(*apperr.Error)
		if !ok {
			w.Fatalf("%s: %v", query, err)
		}
		a.errors = append(a.errors, string(known.Code)+" "+err.Path.String())
	}
	slices.Sort(a.errors)
	return a
}

// document returns the document of a query, which the engine keeps.
func (w *world) document(query string) *ast.QueryDocument {
	w.Helper()
	if known := w.documents[query]; known != nil {
		return known
	}
	doc, errs := gqlparser.LoadQueryWithRules(served, query, rules.NewDefaultRules())
	if errs != nil {
		w.Fatalf("%s: %v", query, errs)
	}
	w.engine.Keep(doc)
	w.documents[query] = doc
	return doc
}

// resolve answers the operation's root fields as gqlgen does, one by one.
func (w *world) resolve(ctx context.Context, op *graphql.OperationContext) []byte {
	return w.engine.Execute(ctx, func(ctx context.Context) *graphql.Response {
		var data bytes.Buffer
		for i, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
			ctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: f})
			fmt.Fprintf(&data, "%c%q:", "{,"[min(i, 1)], f.Alias)
			value, err := w.value(ctx, f)
			if marshaler, ok := value.(graphql.Marshaler); ok && err == nil {
				marshaler.MarshalGQL(&data)
			} else {
				data.WriteString("null")
			}
			if err != nil {
				graphql.AddError(ctx, err)
			}
		}
		return &graphql.Response{Data: append(data.Bytes(), '}')}
	}).Data
}

func (w *world) value(ctx context.Context, f graphql.CollectedField) (any, error) {
	if w.engine.ShowsChanges(f.Field) {
		return w.engine.Changes(ctx)
	}
	return w.engine.Read(ctx, func(context.Context) (any, error) { return []struct{}{}, nil })
}

// into answers a query for a viewer, without errors.
func (w *world) into(v viewer.Viewer, query string, to any) {
	w.Helper()
	a := w.ask(v, query)
	if a.errors != nil {
		w.Errorf("%s: %s", query, a)
	}
	if err := json.Unmarshal([]byte(a.data), to); err != nil {
		w.Fatalf("%s: %s: %v", query, a, err)
	}
}

// as returns a context of a viewer.
func (w *world) as(v viewer.Viewer) context.Context { return viewer.NewContext(w.Context(), v) }

// user returns a viewer who is a person.
func user(p *ent.Person, roles ...string) viewer.Viewer {
	return viewer.Viewer{ID: p.ID, Role: viewer.User, Roles: viewer.NewRoles(roles...)}
}

var stranger = viewer.Viewer{ID: uuid.MustParse("0198f0f0-0000-7000-8000-000000000001"), Role: viewer.User}
