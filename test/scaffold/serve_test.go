package scaffold

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	demo "forge/ent"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/read"
	"forge/internal/scaffold"
	"forge/internal/schema"
	"forge/internal/schema/entschema"
	"forge/internal/viewer"
	chinook "forge/test/chinook/ent"
	"forge/test/dbtest"
	edges "forge/test/edges/ent"
	"forge/test/gqltest"
	kinds "forge/test/kinds/ent"
	rules "forge/test/rules/ent"
)

// queries run ent's queries, by the names of the applications.
var queries = map[string]read.Query{"demo": demo.QueryEntity, "chinook": chinook.QueryEntity, "edges": edges.QueryEntity, "kinds": kinds.QueryEntity, "rules": rules.QueryEntity}

// bare is an executable schema without resolvers.
type bare struct{ schema *ast.Schema }

func (b bare) Schema() *ast.Schema { return b.schema }

func (bare) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (bare) Exec(context.Context) graphql.ResponseHandler { panic("no resolver is to be called") }

// references returns the sources of the resolvers that gqlgen's plugin would write.
func references(schema *ast.Schema) fs.FS {
	var b strings.Builder
	b.WriteString("package graph\n")
	for _, f := range schema.Query.Fields {
		what := "{}"
		if f.Arguments.ForName("id") != nil {
			what = "{ID: id}"
		}
		fmt.Fprintf(&b, "func (r *queryResolver) %s() (any, error) { return &model.%s%s, nil }\n", strings.ToUpper(f.Name[:1])+f.Name[1:], f.Type.Name(), what)
	}
	return fstest.MapFS{"schema.resolvers.go": {Data: []byte(b.String())}}
}

// served returns the API of an application whose whole schema is written, after changes to its
// entities.
func served(t *testing.T, i int, change ...func(*entity.Entity)) gqlexec.API {
	t.Helper()
	app := apps[i]
	var entities []*entity.Entity
	for _, e := range app.entities {
		of := *e
		of.Computed, of.Visible = nil, maps.Clone(e.Visible) // which has resolvers
		for name := range e.Computed {
			delete(of.Visible, name)
		}
		for _, change := range change {
			change(&of)
		}
		entities = append(entities, &of)
	}
	r := write(t, scaffold.Source{Entities: entities, Tables: app.tables})
	schema, err := scaffold.Load(r.SDL)
	if err != nil {
		t.Fatal(err)
	}
	api := gqlexec.API{
		Executable: func(as *ast.Schema) graphql.ExecutableSchema {
			if as == nil {
				as = schema
			}
			return bare{as}
		},
		Sources: references(schema), Access: map[string]gqlexec.Access{}, Entities: entities, Query: queries[app.name], Tables: app.tables, SamplePrefix: "x",
	}
	for _, a := range r.Access {
		api.Access[a.Field] = gqlexec.Access{Role: a.Role, Roles: a.Roles}
	}
	return api
}

// client sends operations to the API as an administrator, on an empty SQLite.
func client(t *testing.T, api gqlexec.API, i int) *gqltest.Client {
	t.Helper()
	address := dbtest.EmptySQLite
	if apps[i].name == "demo" {
		address = dbtest.SQLite // ent's own migrations cannot make one of its CHECKs
	}
	db, err := database.Open(address(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if apps[i].name != "demo" {
		create(t, db, apps[i].tables)
	}
	handler := gqlexec.New(api, db, gqlexec.Options{Development: true}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	return gqltest.NewHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
	}))
}

// create creates tables in an empty database.
func create(t *testing.T, db *database.DB, tables []*schema.Table) {
	t.Helper()
	if err := entschema.Create(t.Context(), entsql.OpenDB(db.Dialect, db.DB), tables); err != nil {
		t.Fatal(err)
	}
}

// TestServed has the engines serve what was written: they find nothing that does not fit, and
// answer each list.
func TestServed(t *testing.T) {
	for i, app := range apps {
		t.Run(app.name, func(t *testing.T) {
			t.Parallel()
			api := served(t, i)
			if err := api.Check(); err != nil {
				t.Fatal(err)
			}
			missing, err := api.MissingIndexes()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range missing {
				if strings.Contains(m.String(), "WhereInput.updatedAt") && strings.Contains(m.Advice, `index.Fields("updated_at", "id")`) {
					continue // it is offered without an index as well
				}
				if text := m.String(); strings.Contains(text, "WhereInput.") || strings.Contains(text, "OrderField.") || strings.Contains(text, "(deleted:)") {
					t.Errorf("no index serves %s", m)
				}
			}
			for name := range api.Access {
				api.Access[name] = gqlexec.Access{} // no resolver is called for what everybody may read
			}
			c := client(t, api, i)
			for _, f := range api.Executable(nil).Schema().Query.Fields {
				if strings.HasSuffix(f.Type.Name(), "Connection") {
					c.Must("{ "+f.Name+"(first: 1) { totalCount aggregate { count } nodes { __typename id } edges { cursor } } }", nil)
				}
			}
		})
	}
}

// TestWritten writes rows by the mutations that were written: nested, with conflicts, several at
// once, and with values that are refused.
func TestWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		app   int
		steps [][2]string // operations and their answers, or the codes and fields of their errors
	}{
		{1, [][2]string{
			{`mutation { createArtist(input: {name: "a", albums: {create: [{title: "x"}, {title: "y"}]}}) { artist { id name albums { nodes { title artist { name } } } } } }`,
				`{"createArtist":{"artist":{"id":"artist_1","name":"a","albums":{"nodes":[{"title":"x","artist":{"name":"a"}},{"title":"y","artist":{"name":"a"}}]}}}}`},
			{`mutation { createAlbum(input: {title: "z", artist: {create: {name: "b"}}}) { album { artist { id } } } }`, `{"createAlbum":{"album":{"artist":{"id":"artist_2"}}}}`},
			{`mutation { createAlbum(input: {title: "z"}) { album { id } } }`, `BAD_USER_INPUT input.artistId`},
			{`mutation { createAlbum(input: {title: "z", artistId: "artist_9"}) { album { id } } }`, `NOT_FOUND input.artistId`},
			{`mutation { createGenre(input: {name: "g"}, onConflict: {on: NAME, do: UPDATE}) { created genre { id } } }`, `{"createGenre":{"created":true,"genre":{"id":"genre_1"}}}`},
			{`mutation { createGenre(input: {name: "g"}, onConflict: {on: NAME, do: NOTHING}) { created genre { id } } }`, `{"createGenre":{"created":false,"genre":{"id":"genre_1"}}}`},
			{`mutation { createGenre(input: {name: "g"}) { genre { id } } }`, `CONFLICT input.name`},
			{`mutation { updateAlbums(where: {title: "x"}, input: {title: "w"}) { affected albums { title } } }`, `{"updateAlbums":{"affected":1,"albums":[{"title":"w"}]}}`},
			{`mutation { updateArtist(id: "artist_1", input: {albums: {delete: ["album_2"]}}) { artist { albums { totalCount } } } }`, `{"updateArtist":{"artist":{"albums":{"totalCount":1}}}}`},
			{`{ albums(where: {hasArtistWith: [{name: "a"}]}) { totalCount groups(by: [{field: ARTIST}]) { key { artist { name } } aggregate { count } } } }`,
				`{"albums":{"totalCount":1,"groups":[{"key":{"artist":{"name":"a"}},"aggregate":{"count":1}}]}}`},
			{`{ artist(id: "artist_1") { name albums(first: 1) { nodes { title } } } }`, `{"artist":{"name":"a","albums":{"nodes":[{"title":"w"}]}}}`},
			{`mutation { deleteAlbums(where: {titleIn: ["w", "z"]}) { affected } }`, `{"deleteAlbums":{"affected":2}}`},
		}},
		{2, [][2]string{
			{`mutation { createVenue(input: {name: "v", concerts: {create: [{name: "c", price: "1.50"}]}, near: {create: [{name: "w"}]}}) { venue { name concerts { nodes { name price } } near { nodes { name } } } } }`,
				`{"createVenue":{"venue":{"name":"v","concerts":{"nodes":[{"name":"c","price":"1.50"}]},"near":{"nodes":[{"name":"w"}]}}}}`},
		}},
		{0, [][2]string{
			{`mutation { createTeam(input: {name: "t", heroes: {create: [{name: "h", age: 5}]}}) { created team { name version heroes { nodes { name age } } } } }`,
				`{"createTeam":{"created":true,"team":{"name":"t","version":1,"heroes":{"nodes":[{"name":"h","age":5}]}}}}`},
			{`mutation { createHeroes(input: [{name: "i"}, {name: "", age: -1}], onError: SKIP) { affected errors { index field } } }`,
				`{"createHeroes":{"affected":1,"errors":[{"index":1,"field":"input.1.name"},{"index":1,"field":"input.1.age"}]}}`},
			{`{ heroes(where: {ageGTE: 5}, orderBy: [{field: AGE, direction: DESC}]) { nodes { name team { name } } aggregate { sum { age } } } }`,
				`{"heroes":{"nodes":[{"name":"h","team":{"name":"t"}}],"aggregate":{"sum":{"age":"5"}}}}`},
		}},
	} {
		t.Run(apps[tt.app].name, func(t *testing.T) {
			t.Parallel()
			api := served(t, tt.app)
			for name := range api.Access {
				api.Access[name] = gqlexec.Access{}
			}
			c := client(t, api, tt.app)
			for _, step := range tt.steps {
				got := c.Do(step[0], nil)
				answer := got.RawData()
				if len(got.Errors) > 0 {
					answer = fmt.Sprint(got.Code(), " ", got.Extension("field"))
				}
				if answer != step[1] {
					t.Errorf("%s\nanswers %s\nwant %s\n%s", step[0], answer, step[1], got)
				}
			}
		})
	}
}
