package edges

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/gqlexec"
	"forge/internal/viewer"
	"forge/test/edges/ent"
	"forge/test/edges/ent/migrate"
	"forge/test/gqltest"
)

// mutations are standard ones. They take the place of those that edges.graphqls has for the tests
// of payloads.
const mutations = `
type Mutation {
  createListener(input: CreateListenerInput!): CreateListenerPayload!
  updateListener(id: ID!, input: UpdateListenerInput!): UpdateListenerPayload!
  deleteListener(id: ID!): DeleteListenerPayload!
  createTrack(input: CreateTrackInput!): CreateTrackPayload!
  updateTrack(id: ID!, input: CreateTrackInput!): CreateTrackPayload!
  createGenre(input: CreateGenreInput!): CreateGenrePayload!
  updateGenre(id: ID!, input: UpdateGenreInput!): UpdateGenrePayload!
  createSleeve(input: CreateSleeveInput!): CreateSleevePayload!
  updateSleeve(id: ID!, input: CreateSleeveInput!): CreateSleevePayload!
  createPlaylist(input: CreatePlaylistInput!): CreatePlaylistPayload!
}
input CreateListenerInput { name: String! partnerId: ID }
type CreateListenerPayload { listener: Listener! }
input UpdateListenerInput { name: String partnerId: ID }
type UpdateListenerPayload { listener: Listener! }
type DeleteListenerPayload { deletedId: ID! }
input CreateTrackInput { name: String! length: Int genreId: ID }
type CreateTrackPayload { track: Track! }
input CreateGenreInput { id: ID! rank: Int! = 7 parentId: ID }
type CreateGenrePayload { genre: Genre! }
input UpdateGenreInput { rank: Int parentId: ID }
type UpdateGenrePayload { genre: Genre! }
input CreateSleeveInput { color: String! trackId: ID }
type CreateSleevePayload { sleeve: Sleeve! }
input CreatePlaylistInput { name: String! listenerId: ID }
type CreatePlaylistPayload { playlist: Playlist! }
`

// bare is a schema without generated code. Standard mutations need none.
type bare struct{ schema *ast.Schema }

func (b bare) Schema() *ast.Schema { return b.schema }

func (bare) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (bare) Exec(context.Context) graphql.ResponseHandler { panic("no resolver is to be called") }

// references returns sources of resolvers that only return references, for the connections of
// Query.
func references(schema *ast.Schema) fs.FS {
	var b strings.Builder
	b.WriteString("package graph\n")
	for _, f := range schema.Query.Fields {
		if of := f.Type.Name(); strings.HasSuffix(of, "Connection") {
			fmt.Fprintf(&b, "func (r *queryResolver) %[1]s() (*model.%[2]s, error) { return &model.%[2]s{}, nil }\n", strings.ToUpper(f.Name[:1])+f.Name[1:], of)
		}
	}
	return fstest.MapFS{"schema.resolvers.go": {Data: []byte(b.String())}}
}

// writes returns an API with the mutations, in the place of those of the schema.
func writes(t *testing.T, mutations string) gqlexec.API {
	before, after, _ := strings.Cut(sdl, "type Mutation {")
	_, after, _ = strings.Cut(after, "type Listener implements")
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: before + mutations + "type Listener implements" + after})
	api := gqlexec.API{
		Executable: func(served *ast.Schema) graphql.ExecutableSchema {
			if served == nil {
				served = schema
			}
			return bare{served}
		},
		Sources: references(schema),
		Access:  map[string]gqlexec.Access{}, Entities: ent.Entities, Query: ent.QueryEntity, Tables: migrate.Tables, SamplePrefix: "track",
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation} {
		for _, f := range root.Fields {
			api.Access[root.Name+"."+f.Name] = gqlexec.Access{Role: viewer.Anonymous}
		}
	}
	return api
}

// TestWrites creates and changes rows with keys and edges of each form.
func TestWrites(t *testing.T) {
	api := writes(t, mutations)
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		handler := gqlexec.New(api, w.db, gqlexec.Options{Development: true}, slog.New(slog.DiscardHandler))
		c := gqltest.NewHandler(w.T, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			handler.ServeHTTP(rw, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
		}))
		want := func(query, want string, vars ...string) {
			w.Helper()
			got := c.Do(strings.NewReplacer(vars...).Replace(query), nil)
			if want = strings.NewReplacer(vars...).Replace(want); got.RawData() != want {
				w.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		refused := func(code, field, message, query string, vars ...string) {
			w.Helper()
			got := c.Do(strings.NewReplacer(vars...).Replace(query), nil)
			at, _ := got.Extension("field").(string)
			if got.Code() != code || at != field || !strings.Contains(got.Errors[0].Message, message) {
				w.Errorf("%s: %s, want %s at %q: %s", query, got, code, field, message)
			}
		}

		// Keys that are texts come from the client. A default of the schema is used.
		want(`mutation { createGenre(input: {id: "genre_Drum%20%26%20Bass"}) { __typename g: genre { id rank parent { id } } } }`,
			`{"createGenre":{"__typename":"CreateGenrePayload","g":{"id":"genre_Drum%20%26%20Bass","rank":7,"parent":null}}}`)
		want(`mutation { createGenre(input: {id: "genre_Jungle", rank: 2, parentId: "genre_Drum%20%26%20Bass"}) { genre { rank parent { id rank } } } }`,
			`{"createGenre":{"genre":{"rank":2,"parent":{"id":"genre_Drum%20%26%20Bass","rank":7}}}}`)
		want(`mutation { updateGenre(id: "genre_Jungle", input: {parentId: null}) { genre { rank parentId } } }`, `{"updateGenre":{"genre":{"rank":2,"parentId":null}}}`)
		refused("CONFLICT", "input.id", "taken", `mutation { createGenre(input: {id: "genre_Jungle"}) { genre { id } } }`)
		refused("BAD_USER_INPUT", "input.id", "genre_", `mutation { createGenre(input: {id: "track_7"}) { genre { id } } }`)
		refused("BAD_USER_INPUT", "input.id", "not allowed", `mutation { createGenre(input: {id: "genre_`+strings.Repeat("x", 101)+`"}) { genre { id } } }`)
		refused("NOT_FOUND", "input.parentId", "there is no genre_House", `mutation { updateGenre(id: "genre_Jungle", input: {parentId: "genre_House"}) { genre { id } } }`)
		refused("NOT_FOUND", "", "there is no genre_House", `mutation { updateGenre(id: "genre_House", input: {rank: 1}) { genre { id } } }`)

		// Numbers are counted by the database.
		want(`mutation { createTrack(input: {name: "A", length: 3, genreId: "genre_Jungle"}) { track { id name length genre { id } } } }`,
			`{"createTrack":{"track":{"id":"track_1","name":"A","length":3,"genre":{"id":"genre_Jungle"}}}}`)
		want(`mutation { a: createTrack(input: {name: "B"}) { track { id } } b: updateTrack(id: "track_1", input: {name: "C", genreId: null}) { track { name length genre { id } } } }`,
			`{"a":{"track":{"id":"track_2"}},"b":{"track":{"name":"C","length":3,"genre":null}}}`)
		refused("NOT_FOUND", "input.genreId", "genre_House", `mutation { createTrack(input: {name: "D", genreId: "genre_House"}) { track { id } } }`)

		// Edges to one row, whose key has no field in ent/schema.
		want(`mutation { createSleeve(input: {color: "red", trackId: "track_1"}) { sleeve { id color track { id sleeve { id } } } } }`,
			`{"createSleeve":{"sleeve":{"id":"sleeve_1","color":"red","track":{"id":"track_1","sleeve":{"id":"sleeve_1"}}}}}`)
		want(`mutation { updateSleeve(id: "sleeve_1", input: {color: "red", trackId: null}) { sleeve { track { id } } } }`, `{"updateSleeve":{"sleeve":{"track":null}}}`)
		want(`mutation { updateSleeve(id: "sleeve_1", input: {color: "red", trackId: "track_2"}) { sleeve { track { id } } } }`, `{"updateSleeve":{"sleeve":{"track":{"id":"track_2"}}}}`)
		refused("CONFLICT", "input.trackId", "taken", `mutation { createSleeve(input: {color: "red", trackId: "track_2"}) { sleeve { id } } }`)
		refused("BAD_USER_INPUT", "input.trackId", `"track_x" is not an ID: one looks like track_42`, `mutation { createSleeve(input: {color: "red", trackId: "track_x"}) { sleeve { id } } }`)

		ann := c.Must(`mutation { createListener(input: {name: "Ann"}) { listener { id } } }`, nil).Text("createListener.listener.id")
		want(`mutation { createListener(input: {name: "Bob", partnerId: "ANN"}) { listener { name partner { name partner { name } } } } }`,
			`{"createListener":{"listener":{"name":"Bob","partner":{"name":"Ann","partner":{"name":"Bob"}}}}}`, "ANN", ann)
		want(`mutation { updateListener(id: "ANN", input: {partnerId: null}) { listener { partner { name } } } }`, `{"updateListener":{"listener":{"partner":null}}}`, "ANN", ann)
		want(`mutation { createPlaylist(input: {name: "P", listenerId: "ANN"}) { playlist { name listener { name } } } }`,
			`{"createPlaylist":{"playlist":{"name":"P","listener":{"name":"Ann"}}}}`, "ANN", ann)

		// The policy of listeners lets nobody delete them, and a failure undoes what came before
		// it.
		refused("FORBIDDEN", "", "", `mutation { createGenre(input: {id: "genre_House"}) { genre { id } } deleteListener(id: "ANN") { deletedId } }`, "ANN", ann)
		if a := w.ask(admin, `{ genre(id: "genre_House") { id } }`, nil); a.data != `{"genre":null}` {
			w.Errorf("what came before a failure is stored: %s", a.data)
		}
	})
}

// TestWritesBind has the start name mutations that do not fit the entities.
func TestWritesBind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ mutations, finding string }{
		{`type Mutation { rename(name: String): Listener }`, "Mutation.rename: nothing carries it out; name it createX, updateX, deleteX or restoreX"},
		{`type Mutation { createLabel(input: I!): P! } input I { name: String! } type P { n: Int }`, "Mutation.createLabel: nothing carries it out"},
		{`type Mutation { restoreTrack(id: ID!): P! } type P { track: Track! }`, "Mutation.restoreTrack: rows of Track are deleted for good; add the mixin SoftDeleted"},
		{`type Mutation { updateTrack(id: ID!): P! } type P { track: Track! }`, "Mutation.updateTrack: it needs the argument input"},
		{`type Mutation { deleteTrack(id: ID!, expectedVersion: Int): P! } type P { deletedId: ID! }`, "Mutation.deleteTrack(expectedVersion:): rows of Track have no version"},
		{`type Mutation { deleteTrack(id: ID!, why: String): P! } type P { deletedId: ID! }`, "Mutation.deleteTrack(why:): nothing reads this argument; allowed: id, expectedVersion"},
		{`type Mutation { deleteTrack(id: ID!): P! } type P { track: Track }`, "P.track: nothing answers this field; allowed: deletedId: ID!"},
		{`type Mutation { createTrack(input: I!): Track! } input I { name: String! }`, "Mutation.createTrack: its type is Track!; allowed is one object, such as CreateTrackPayload!"},
		{`type Mutation { createTrack(input: I!): P! } input I { name: Int! } type P { track: Track! }`, "I.name: its type is Int!; allowed: String"},
		{`type Mutation { createTrack(input: I!): P! } input I { name: String } type P { track: Track! }`, "I.name: the column name of Track must have a value; write String!"},
		{`type Mutation { createTrack(input: I!): P! } input I { length: Int } type P { track: Track! }`, "I: the column name of Track must have a value, and nothing sets it; add the field name"},
		{`type Mutation { createGenre(input: I!): P! } input I { rank: Int! } type P { genre: Genre! }`, "I: the column id of Genre must have a value, and nothing sets it; add the field id"},
		{`type Mutation { updateGenre(id: ID!, input: I!): P! } input I { id: ID rank: Int } type P { genre: Genre! }`, "I.id: an update cannot change the key; take the field out"},
		{`type Mutation { createTrack(input: I!): P! } input I { name: String! sleeveId: ID } type P { track: Track! }`, "I.sleeveId: Track has neither a column nor an edge of this name"},
		{`type Mutation { createTrack(input: I!): P! } input I { name: String! } type P { track: Track! sleeve: Sleeve }`, "P.sleeve: nothing answers this field; allowed: one of the type Track, created: Boolean!"},
	} {
		err := writes(t, tt.mutations+"\n").Check()
		if err == nil || !strings.Contains(err.Error(), tt.finding) {
			t.Errorf("%s: %v, want %s", tt.mutations, err, tt.finding)
		}
	}
}
