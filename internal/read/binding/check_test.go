package binding

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
)

// catalogue is a schema that fits catalogueEntities. It has every kind of column. Each test makes
// one thing in it wrong.
const catalogue = `
directive @secret on FIELD_DEFINITION | OBJECT | INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION | ENUM_VALUE
scalar Cursor
scalar Time
scalar Float64
interface Node { id: ID! }
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  track(id: ID!): Track
  tracks(first: Int, after: Cursor, last: Int, before: Cursor, offset: Int, where: TrackWhereInput, orderBy: [TrackOrder!]): TrackConnection!
  ours(mood: String, first: Int = 5): TrackConnection
  best: [Track!]!
  count: Int!
}
type Mutation { createTrack(name: String!): CreateTrackPayload! }
type CreateTrackPayload { track: Track! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: Cursor endCursor: Cursor }
enum OrderDirection { ASC DESC }
enum Genre { ROCK JAZZ }
type Track implements Node {
  id: ID!
  name: String!
  length: Int
  plays: Int!
  live: Boolean!
  genre: Genre!
  released: Time
  albumId: ID
  album: Album
  label: Label!
  cover: String
  remixes: [Remix!]!
  notes(first: Int, where: NoteWhereInput): NoteConnection!
}
type TrackConnection { edges: [TrackEdge!]! nodes: [Track!]! pageInfo: PageInfo! totalCount: Int! }
type TrackEdge { cursor: Cursor! node: Track! }
input TrackWhereInput {
  not: TrackWhereInput
  and: [TrackWhereInput!]
  or: [TrackWhereInput!]
  id: ID
  idIn: [ID!]
  name: String
  nameHasPrefix: String
  lengthGTE: Int
  lengthIsNil: Boolean
  genreIn: [Genre!]
  live: Boolean
  releasedLT: Time
  hasAlbum: Boolean
  hasAlbumWith: [AlbumWhereInput!]
}
input TrackOrder { field: TrackOrderField! direction: OrderDirection! = ASC }
enum TrackOrderField { NAME LENGTH RELEASED GENRE }
type Album implements Node { id: ID! title: String }
input AlbumWhereInput { title: String }
type Label implements Node { id: ID! }
type Remix implements Node { id: ID! }
type Note implements Node { id: ID! }
type NoteConnection { nodes: [Note!]! }
input NoteWhereInput { id: ID }
`

// catalogueEntities returns the entities behind catalogue. Each test may change its own.
func catalogueEntities() []*entity.Entity {
	key := func(name string) entity.Field {
		return entity.Field{Name: "id", Column: "id", Kind: entity.ID, Type: "uuid.UUID", Refers: name, Stored: map[string]string{"sqlite3": "blob"}}
	}
	plain := func(name string, fields ...entity.Field) *entity.Entity {
		return &entity.Entity{Name: name, Prefix: strings.ToLower(name), Table: strings.ToLower(name) + "s", Ruled: true,
			Fields: append([]entity.Field{key(name)}, fields...)}
	}
	track := plain("Track",
		entity.Field{Name: "name", Column: "name", Kind: entity.String, Type: "string"},
		entity.Field{Name: "length", Column: "length", Kind: entity.Int, Type: "int32", Nullable: true},
		entity.Field{Name: "plays", Column: "plays", Kind: entity.Int, Type: "int"},
		entity.Field{Name: "live", Column: "live", Kind: entity.Bool, Type: "bool"},
		entity.Field{Name: "genre", Column: "genre", Kind: entity.Enum, Type: "track.Genre", Values: []string{"ROCK", "JAZZ"}},
		entity.Field{Name: "released", Column: "released", Kind: entity.Time, Type: "time.Time", Nullable: true},
		entity.Field{Name: "albumId", Column: "album_id", Kind: entity.ID, Type: "uuid.UUID", Refers: "Album", Nullable: true},
	)
	track.Edges = []entity.Edge{
		{Name: "album", To: "Album", Column: "album_id", OwnKey: true, Unique: true, Nullable: true},
		{Name: "label", To: "Label", Column: "label_id", OwnKey: true, Unique: true},
		{Name: "image", To: "Image", Column: "track_id", Unique: true, Shows: map[string]string{"cover": "path"}},
		{Name: "remixes", To: "Remix", Column: "track_id"},
		{Name: "notes", To: "Note", Column: "track_id"},
	}
	return []*entity.Entity{
		track, plain("Album", entity.Field{Name: "title", Column: "title", Kind: entity.String, Type: "string", Nullable: true}),
		plain("Label"), plain("Remix"), plain("Note"),
		plain("Image", entity.Field{Name: "path", Column: "path", Kind: entity.String, Type: "string"}),
		{Name: "Draft", Table: "drafts", Fields: []entity.Field{key("Draft")}},
		{Name: "Mine", Table: "mines", Ruled: true, Visible: map[string]entity.Visibility{"path": entity.ToOwners},
			Fields: []entity.Field{key("Mine"), {Name: "path", Column: "path", Kind: entity.String, Type: "string"}}},
	}
}

// These give the edge notes of Track a connection type of its own.
const (
	notesOfTrack = "notes(first: Int, where: NoteWhereInput): NoteConnection!\n}"
	notesLinked  = "notes(first: Int): TrackNotesConnection!\n} " + linkTypes
	linkTypes    = "type TrackNotesConnection { edges: [TrackNotesEdge!]! nodes: [Note!]! } type TrackNotesEdge { node: Note! path: String }"
)

func throughImages(e *entity.Entity) {
	notes := e.Edge("notes")
	notes.Through, notes.Far, notes.Join = "images", "note_id", "Image"
}

// findings returns the findings of a contract that has catalogue as its schema, with from replaced
// by to, and with a changed entity Track.
func findings(t *testing.T, from, to string, change func(*entity.Entity), resolvers reflect.Type) []string {
	t.Helper()
	if strings.Count(catalogue, from) != 1 && from != "" {
		t.Fatalf("the catalogue has %q %d times, want once", from, strings.Count(catalogue, from))
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: strings.Replace(catalogue, from, to, 1)})
	if err != nil {
		t.Fatal(err)
	}
	entities := catalogueEntities()
	if change != nil {
		change(entities[0])
	}
	refers := func(field string) bool { return field == "tracks" || field == "track" }
	e, err := Bind(Contract{Schema: schema, Entities: entities, Resolvers: resolvers, Refers: refers})
	if (e == nil) != (err != nil) {
		t.Fatalf("an engine %v with the error %v", e, err)
	}
	if err == nil {
		return nil
	}
	mismatch, ok := errors.AsType[*MismatchError](err)
	if !ok {
		t.Fatalf("error %v, want a *MismatchError", err)
	}
	return mismatch.Findings
}

// add returns a change that adds a column to Track.
func add(f entity.Field) func(*entity.Entity) {
	return func(e *entity.Entity) { e.Fields = append(e.Fields, f) }
}

// edit returns a change to one column or edge of Track.
func edit(name string, field func(*entity.Field), edge func(*entity.Edge)) func(*entity.Entity) {
	return func(e *entity.Entity) {
		if f := e.Field(name); f != nil {
			field(f)
			return
		}
		edge(e.Edge(name))
	}
}

// columnEdit returns a change to one column of Track.
func columnEdit(name string, change func(*entity.Field)) func(*entity.Entity) {
	return edit(name, change, nil)
}

// searched returns a change by which columns of Track are searched.
func searched(names ...string) func(*entity.Entity) {
	return func(e *entity.Entity) {
		e.Search, e.Visible = names, map[string]entity.Visibility{}
		for _, name := range names {
			e.Visible[name] = entity.ToAll
		}
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	shows := "  cover: String\n" // another field takes its place
	kindOf := func(kind entity.Kind, goType string) func(*entity.Entity) {
		return add(entity.Field{Name: "odd", Column: "odd", Kind: kind, Elem: entity.String, Type: goType})
	}
	for _, tt := range []struct {
		name, from, to string
		change         func(*entity.Entity)
		want           string // a part of the only finding; "" if there must be none
	}{
		{"all fits", "", "", nil, ""},
		{"neither column nor edge", shows, "weight: Int", nil, "Track.weight: Track has neither a column nor an edge of this name in ent/schema; name the one that it shows, add `field.Int32(\"weight\").Optional().Nillable()` to the Fields of Track"},

		// Kinds of columns.
		{"float", shows, "odd: Int", kindOf(entity.Float, "float64"), "Track.odd: its type is Int, but the column odd of Track is of type float64 in ent/schema; allowed: Float"},
		{"bytes", shows, "odd: String", kindOf(entity.Bytes, "[]byte"), "is of type []byte in ent/schema; allowed: Bytes"},
		{"JSON", shows, "odd: String", kindOf(entity.JSON, "map[string]interface {}"), "is of type map[string]interface {} in ent/schema; allowed: JSON"},
		{"a UUID that is no key", shows, "odd: ID", kindOf(entity.UUID, "uuid.UUID"), "is of type uuid.UUID in ent/schema; allowed: UUID"},
		{"64 bits", shows, "odd: Int", kindOf(entity.BigInt, "int64"), "is of type int64 in ent/schema; allowed: BigInt"},
		{"list as one", shows, "odd: String", kindOf(entity.List, "[]string"), "is of type []string in ent/schema; allowed: [String!]"},
		{"list of what may be null", shows, "odd: [String]", kindOf(entity.List, "[]string"), "its type is [String], but"},
		{"other", shows, "odd: String", kindOf(entity.Other, "sql.NullString"), "is of type sql.NullString in ent/schema, which cannot be read"},
		{"sensitive", "", "", columnEdit("name", func(f *entity.Field) { f.Sensitive = true }), "Track.name: the column name of Track is Sensitive() in ent/schema"},
		{"sensitive, in conditions", "", "", columnEdit("name", func(f *entity.Field) { f.Sensitive = true }), "TrackWhereInput.nameHasPrefix: the column name of Track is Sensitive()"},
		{"sensitive, in orders", "", "", columnEdit("name", func(f *entity.Field) { f.Sensitive = true }), "TrackOrderField.NAME: the column name of Track is Sensitive()"},
		{"a kind that is not shown", "", "", kindOf(entity.Float, "float64"), ""},
		{"a key of nothing", shows, "odd: ID", add(entity.Field{Name: "odd", Column: "odd", Kind: entity.ID, Type: "uuid.UUID"}), "is the key of nothing"},
		{"numeric", "", "", columnEdit("plays", func(f *entity.Field) { f.Stored = map[string]string{"postgres": "numeric(10,2)"} }),
			"Track.plays: the column plays of Track is stored as numeric(10,2) on postgres, which cannot be read as int"},
		{"native enum", "", "", columnEdit("genre", func(f *entity.Field) { f.Stored = map[string]string{"postgres": "genre"} }), ""},
		{"another length", "", "", columnEdit("name", func(f *entity.Field) { f.Stored = map[string]string{"postgres": "VARCHAR(20)", "mysql": "odd"} }), ""},

		// Types.
		{"text as Int", "  name: String!\n", "name: Int!", nil, "Track.name: its type is Int!, but the column name of Track is of type string in ent/schema; allowed: String"},
		{"text as ID", "  name: String!\n", "name: ID!", nil, "allowed: String"},
		{"number as String", "plays: Int!", "plays: String!", nil, "allowed: Int"},
		{"number as Float", "plays: Int!", "plays: Float!", nil, "allowed: Int"},
		{"truth as Int", "live: Boolean!", "live: Int!", nil, "allowed: Boolean"},
		{"time as String", "released: Time\n", "released: String\n", nil, "allowed: Time"},
		{"key as String", "albumId: ID\n", "albumId: String\n", nil, "allowed: ID"},
		{"enum as String", "genre: Genre!", "genre: String!", nil, "allowed: an enum of the values ROCK, JAZZ"},
		{"column as list", "  name: String!\n", "name: [String!]!", nil, "Track.name: its type is [String!]!"},
		{"column with an argument", "  name: String!\n", "name(upper: Boolean): String!", nil, "Track.name(upper:): nothing reads this argument"},
		{"NULL behind !", "length: Int\n", "length: Int!\n", nil, "Track.length: its type is Int!, but the column length of Track may be NULL"},
		{"no NULL behind what may be null", "plays: Int!", "plays: Int", nil, ""},

		// Enums.
		{"a value that the schema lacks", "", "", columnEdit("genre", func(f *entity.Field) { f.Values = append(f.Values, "FOLK") }),
			"Track.genre: the column genre of Track can hold FOLK, which Genre does not have"},
		{"a value that the column lacks", "ROCK JAZZ", "ROCK JAZZ FOLK", nil, "Genre.FOLK: the column genre of Track"},

		// Edges.
		{"many-to-many", "", "", edit("notes", nil, func(e *entity.Edge) { e.Through, e.Far = "track_notes", "note_id" }), ""},
		{"many-to-many through an entity", "", "", edit("notes", nil, func(e *entity.Edge) { e.Through, e.Far, e.Join = "images", "note_id", "Image" }), ""},
		{"many-to-many through an entity without rules", "", "", edit("notes", nil, func(e *entity.Edge) { e.Through, e.Far, e.Join = "drafts", "note_id", "Draft" }),
			"Track.notes: the edge notes of Track leads through rows of Draft, and nothing in ent/schema says who may see which of these; give Draft a Policy"},
		{"one as many", "album: Album", "album: [Album!]", nil, "Track.album: its type is [Album!], but the edge album of Track leads to one Album"},
		{"many as one", "remixes: [Remix!]!", "remixes: Remix", nil, "Track.remixes: its type is Remix, but the edge remixes of Track leads to many"},
		{"many that may be null", "remixes: [Remix!]!", "remixes: [Remix]!", nil, "Track.remixes: its type is [Remix]!"},
		{"another target", "album: Album", "album: Label", nil, "Track.album: its type is Label"},
		{"pages of another target", "notes(first: Int, where: NoteWhereInput): NoteConnection!", "notes: TrackConnection!", nil, "Track.notes: its type is TrackConnection!"},
		{"a target that is not shown", shows, "image: Label", nil, "Track.image: the edge image of Track leads to Image, which the schema has no type for"},
		{"nothing behind !", "album: Album", "album: Album!", nil, "Track.album: its type is Album!, but the edge album of Track may lead to nothing"},
		{"edge with an argument", "album: Album", "album(first: Int): Album", nil, "Track.album(first:): nothing reads this argument"},
		{"connection with an argument of its own", "where: NoteWhereInput", "mood: String", nil, "Track.notes(mood:): nothing reads this argument"},

		// Search.
		{"search", "orderBy: [TrackOrder!]", "search: String, orderBy: [TrackOrder!]", searched("name"), ""},
		{"order by relevance", "{ NAME LENGTH", "{ NAME RELEVANCE LENGTH", searched("name"), ""},
		{"search of another type", "orderBy: [TrackOrder!]", "search: Int, orderBy: [TrackOrder!]", searched("name"), "Query.tracks(search:): its type is Int; allowed: String"},
		{"search of nothing", "where: NoteWhereInput", "search: String", nil, "Track.notes(search:): it looks for words; Note declares no columns for that"},
		{"deleted rows", "orderBy: [TrackOrder!]", "deleted: Boolean, orderBy: [TrackOrder!]", func(e *entity.Entity) { e.Deleted = "released" }, ""},
		{"deleted rows by another type", "orderBy: [TrackOrder!]", "deleted: [Boolean!], orderBy: [TrackOrder!]", func(e *entity.Entity) { e.Deleted = "released" },
			"Query.tracks(deleted:): its type is [Boolean!]; allowed: Boolean"},
		{"deleted rows of what has none", "orderBy: [TrackOrder!]", "deleted: Boolean, orderBy: [TrackOrder!]", nil, "Query.tracks(deleted:): rows of Track are deleted for good; add the mixin SoftDeleted"},
		{"search of nothing by a resolver", "mood: String", "search: String", nil, ""},
		{"order by relevance of nothing", "{ NAME LENGTH", "{ NAME RELEVANCE LENGTH", nil,
			"TrackOrderField.RELEVANCE: it orders by what the argument search finds; Track declares no columns for that"},
		{"order by relevance or by a column", "{ NAME LENGTH", "{ NAME RELEVANCE LENGTH", func(e *entity.Entity) {
			e.Search, e.Fields = []string{"name"}, append(e.Fields, entity.Field{Name: "relevance", Column: "relevance", Kind: entity.Int, Type: "int32"})
		}, "TrackOrderField.RELEVANCE: it can be read in two ways"},
		{"search of a column that is not there", "", "", searched("title"), "Track: Search in ent/schema names title, which is no column of Track"},
		{"search of a column twice", "", "", searched("name", "name"), "Track: Search in ent/schema names name twice"},
		{"search of a number", "", "", searched("plays"), "Track: Search in ent/schema names plays, which is of type int; only texts"},
		{"search of too many columns", "", "", searched("name", "name", "name", "name", "name"), "Track: Search in ent/schema names 5 columns; at most 4"},
		{"search of what owners see", "", "", func(e *entity.Entity) { e.Search = []string{"name"} },
			"Track: Search in ent/schema names name, which not everybody may see"},
		{"search of a sensitive column", "", "", func(e *entity.Entity) {
			e.Search, e.Fields = []string{"secret"}, append(e.Fields, entity.Field{Name: "secret", Column: "secret", Kind: entity.String, Type: "string", Sensitive: true})
		}, "Track: Search in ent/schema names secret, which is Sensitive()"},
		{"page size as text", "notes(first: Int,", "notes(first: String,", nil, "Track.notes(first:): its type is String; allowed: Int"},
		{"filter of another entity", "where: NoteWhereInput", "where: AlbumWhereInput", nil, "Track.notes(where:): its type is AlbumWhereInput"},
		{"a column shown of a row that is not there", shows, "cover: String", edit("image", nil, func(e *entity.Edge) { e.Shows["cover"] = "size" }),
			"Track.cover: the edge image is to show the column size, which Image does not have"},
		{"a column shown the wrong way", "", "", edit("image", nil, func(e *entity.Edge) { e.OwnKey = true }), "Track.cover: the edge image cannot show a column"},

		// Filters and orders.
		{"unknown condition", "lengthGTE: Int", "lengthLike: Int", nil, "TrackWhereInput.lengthLike: it compares nothing that Track has"},
		{"condition of two meanings", "nameHasPrefix: String", "nameIn: String", add(entity.Field{Name: "nameIn", Column: "name_in", Kind: entity.String, Type: "string"}),
			"TrackWhereInput.nameIn: it can be read in two ways"},
		{"condition of another type", "lengthGTE: Int", "lengthGTE: String", nil, "TrackWhereInput.lengthGTE: its type is String; allowed: Int"},
		{"list without !", "genreIn: [Genre!]", "genreIn: [Genre]", nil, "TrackWhereInput.genreIn: its type is [Genre]; allowed: [Genre!]"},
		{"IsNil as text", "lengthIsNil: Boolean", "lengthIsNil: String", nil, "allowed: Boolean"},
		{"operator that a kind lacks", "live: Boolean\n", "liveGT: Boolean\n", nil, "TrackWhereInput.liveGT: columns of type bool cannot be compared by GT"},
		{"prefix of a number", "lengthGTE: Int", "lengthHasPrefix: String", nil, "columns of type int32 cannot be compared by HasPrefix"},
		{"condition on another form", "lengthGTE: Int", "odd: String", kindOf(entity.Other, "sql.NullString"), "TrackWhereInput.odd: the column odd of Track is of type sql.NullString"},
		{"condition on a float", "lengthGTE: Int", "oddGTE: String", kindOf(entity.Float, "float64"), "TrackWhereInput.oddGTE: its type is String; allowed: Float"},
		{"list compared as a whole", "lengthGTE: Int", "odd: [String!]", kindOf(entity.List, "[]string"), "TrackWhereInput.odd: columns of type []string cannot be compared by equality; allowed: IsNil, NotNil, Has, "},
		{"elements of another type", "lengthGTE: Int", "oddHasSome: [Int!]", kindOf(entity.List, "[]string"), "TrackWhereInput.oddHasSome: its type is [Int!]; allowed: [String!]"},
		{"path of another type", "lengthGTE: Int", "oddPathEquals: String", kindOf(entity.JSON, "any"), "TrackWhereInput.oddPathEquals: its type is String; allowed: JSONPathInput"},
		{"condition with a default", "lengthGTE: Int", "lengthGTE: Int = 3", nil, "TrackWhereInput.lengthGTE: a condition cannot have a default"},
		{"condition over many-to-many", "hasAlbum: Boolean", "hasNotes: Boolean", func(e *entity.Entity) { e.Edge("notes").Through = "x" }, ""},
		{"condition over what has no rules", "hasAlbum: Boolean", "hasNotes: Boolean", func(e *entity.Entity) { e.Edge("notes").Join = "Draft" },
			"TrackWhereInput.hasNotes: the edge notes of Track leads through rows of Draft"},
		{"condition over what is not shown", "hasAlbum: Boolean", "hasImage: Boolean", nil, ""},
		{"conditions on what is not shown", "input NoteWhereInput", "input ImageWhereInput { path: String } extend input TrackWhereInput { hasImageWith: [ImageWhereInput!] } input NoteWhereInput", nil, ""},
		{"a wrong condition on what is not shown", "input NoteWhereInput", "input ImageWhereInput { size: Int } input NoteWhereInput", nil,
			"ImageWhereInput.size: it compares nothing that Image has"},
		{"condition over what is nowhere", "hasAlbum: Boolean", "hasFilm: Boolean", func(e *entity.Entity) {
			e.Edges = append(e.Edges, entity.Edge{Name: "film", To: "Film", Column: "film_id"})
		},
			"TrackWhereInput.hasFilm: the edge film of Track leads to Film, which ent/schema does not have"},
		{"condition over rows without rules", "hasAlbum: Boolean", "hasDrafts: Boolean", func(e *entity.Entity) {
			e.Edges = append(e.Edges, entity.Edge{Name: "drafts", To: "Draft", Column: "track_id"})
		},
			"DraftWhereInput: nothing in ent/schema says who may see which rows of Draft, and conditions and orders may be about these; give it a Policy"},
		{"condition on a key without a prefix", "input NoteWhereInput", "input DraftWhereInput { id: ID } input NoteWhereInput", nil,
			`DraftWhereInput.id: the column id of Draft holds IDs of Draft, whose prefix is ""`},
		{"related condition of another type", "hasAlbumWith: [AlbumWhereInput!]", "hasAlbumWith: [NoteWhereInput!]", nil, "allowed: [AlbumWhereInput!]"},
		{"not as a list", "not: TrackWhereInput", "not: [TrackWhereInput!]", nil, "TrackWhereInput.not: its type is [TrackWhereInput!]; allowed: TrackWhereInput"},
		{"compared by what is not there", "", "", columnEdit("name", func(f *entity.Field) { f.MatchBy = "name_key" }), "compared by name_key"},
		{"number of related rows", "hasAlbum: Boolean", "notesCountGTE: Int", nil, ""},
		{"number of related rows as text", "hasAlbum: Boolean", "notesCountGTE: String", nil, "TrackWhereInput.notesCountGTE: its type is String; allowed: Int"},
		{"number of one row", "hasAlbum: Boolean", "albumCount: Int", nil, "TrackWhereInput.albumCount: it compares nothing that Track has"},
		{"number of rows without rules", "hasAlbum: Boolean", "notesCount: Int", func(e *entity.Entity) { e.Edge("notes").Join = "Draft" },
			"TrackWhereInput.notesCount: the edge notes of Track leads through rows of Draft"},
		{"part of a number", "lengthGTE: Int", "lengthContains: String", nil, "columns of type int32 cannot be compared by Contains"},
		{"condition on a column that an edge shows", "hasAlbum: Boolean", "coverContains: String", nil, ""},
		{"condition on such a column of another type", "hasAlbum: Boolean", "coverNEQ: Int", nil, "TrackWhereInput.coverNEQ: its type is Int; allowed: String"},
		{"condition on such a column that is not there", "hasAlbum: Boolean", "coverNEQ: String", edit("image", nil, func(e *entity.Edge) { e.Shows["cover"] = "size" }),
			"TrackWhereInput.coverNEQ: the edge image is to show the column size, which Image does not have"},
		{"order by nothing", "{ NAME LENGTH", "{ NAME WEIGHT LENGTH", nil, "TrackOrderField.WEIGHT: Track has no column of this name"},
		{"order by a truth value", "{ NAME LENGTH", "{ NAME LIVE LENGTH", nil, "TrackOrderField.LIVE: pages cannot be ordered by the column live"},
		{"order by a key", "{ NAME LENGTH", "{ NAME ALBUM_ID LENGTH", nil, "TrackOrderField.ALBUM_ID: pages cannot be ordered by"},
		{"another default of the direction", "= ASC", "= DESC", nil, "TrackOrder.direction: its default is DESC"},
		{"another direction", "{ ASC DESC }", "{ ASC DESC RANDOM }", nil, "OrderDirection.RANDOM"},
		{"order by a number of rows that is a column too", "{ NAME LENGTH", "{ NAME NOTES_COUNT LENGTH", add(entity.Field{Name: "notesCount", Column: "notes_count", Kind: entity.Int, Type: "int"}),
			"TrackOrderField.NOTES_COUNT: it can be read in two ways, as the column notes_count of type int or as the number of rows of the edge notes of Track"},
		{"order by a related column that is a column too", "{ NAME LENGTH", "{ NAME ALBUM_TITLE LENGTH", add(entity.Field{Name: "albumTitle", Column: "album_title", Kind: entity.String, Type: "string"}),
			"TrackOrderField.ALBUM_TITLE: it can be read in two ways, as the column album_title of type string or as the column title of type string of the edge album of Track"},
		{"order by the number of one row", "{ NAME LENGTH", "{ NAME ALBUM_COUNT LENGTH", nil, "TrackOrderField.ALBUM_COUNT: Track has no column of this name"},
		{"order by a column of many rows", "{ NAME LENGTH", "{ NAME REMIXES_ID LENGTH", nil, "TrackOrderField.REMIXES_ID: Track has no column of this name"},
		{"order by a number of rows without rules", "{ NAME LENGTH", "{ NAME DRAFTS_COUNT LENGTH", func(e *entity.Entity) {
			e.Edges = append(e.Edges, entity.Edge{Name: "drafts", To: "Draft", Column: "track_id"})
		}, "DraftWhereInput: nothing in ent/schema says who may see which rows of Draft, and conditions and orders may be about these; give it a Policy"},
		{"order by rows that there are not", "{ NAME LENGTH", "{ NAME GHOSTS_COUNT LENGTH", func(e *entity.Entity) {
			e.Edges = append(e.Edges, entity.Edge{Name: "ghosts", To: "Ghost", Column: "track_id"})
		}, "TrackOrderField.GHOSTS_COUNT: the edge ghosts of Track leads to Ghost, which ent/schema does not have"},
		{"a collation that is no text", "direction: OrderDirection! = ASC }", "direction: OrderDirection! = ASC collation: Int }", nil, "TrackOrder.collation: its type is Int; allowed: String"},
		{"one order alone", "orderBy: [TrackOrder!]", "orderBy: TrackOrder", nil, "Query.tracks(orderBy:): its type is TrackOrder; allowed: [TrackOrder!]"},

		// Edges with a connection type of their own.
		{"columns of the join table", notesOfTrack, notesLinked, throughImages, ""},
		{"a column that the join table lacks", notesOfTrack, strings.Replace(notesLinked, "path: String", "size: Int", 1), throughImages,
			"TrackNotesEdge.size: Image has no column of this name in ent/schema; beside cursor and node, TrackNotesEdge shows columns of Image alone, such as id, path"},
		{"a column of the join table of another type", notesOfTrack, strings.Replace(notesLinked, "path: String", "path: Int", 1), throughImages,
			"TrackNotesEdge.path: its type is Int, but the column path of Image is of type string"},
		{"a column of the join table that owners see", notesOfTrack, notesLinked, func(e *entity.Entity) { throughImages(e); e.Edge("notes").Join = "Mine" },
			"TrackNotesEdge.path: it is shown to owners, but ent/schema does not say who owns a row of Mine"},
		{"a connection type of another edge", notesOfTrack, notesLinked, nil, "Track.notes: its type is TrackNotesConnection!"},
		{"an edge's connection at the root", "count: Int!", "count: TrackNotesConnection!} " + linkTypes + " type More { count: Int!", throughImages,
			"Query.count: its type is TrackNotesConnection!, which is that of one edge of an entity alone; allowed: NoteConnection"},

		// Pages.
		{"connection with a field of its own", "totalCount: Int! }", "totalCount: Int! mean: Int }", nil, "TrackConnection.mean: nothing answers this field"},
		{"edge with a field of its own", "{ cursor: Cursor! node: Track! }", "{ cursor: Cursor! node: Track! score: Int }", nil, "TrackEdge.score: nothing answers this field"},
		{"node that may be null", "node: Track!", "node: Track", nil, "TrackEdge.node: its type is Track; allowed: Track!"},
		{"nodes that may be null", "nodes: [Track!]!", "nodes: [Track]!", nil, "TrackConnection.nodes: its type is [Track]!"},
		{"cursor of an empty page", "startCursor: Cursor ", "startCursor: Cursor! ", nil, "PageInfo.startCursor: its type is Cursor!"},

		// Types that show no entity.
		{"union", "count: Int!", "found: [Found!]!} union Found = Track | Album type More { count: Int!", nil, ""},
		{"union of entities and others", "count: Int!", "found: [Found!]!} union Found = Track | Album | More type More { count: Int!", nil,
			"Query.found: its type is [Found!]!, which Album, Track belong to, and types that are no entities"},
		{"interface without an id", "count: Int!", "found: Named} interface Named { name: String! } type More implements Named { name: String!", nil, ""},
		{"a stranger among entities", "count: Int!", "count: Int!} type More implements Node { id: ID!", nil, "Node: More implements it, but ent/schema has no entity of that name"},
		{"an edge outside of a connection", "count: Int!", "count: TrackEdge", nil, "Query.count: its type is TrackEdge"},
		{"list of connections", "count: Int!", "count: [TrackConnection!]", nil, "Query.count: its type is [TrackConnection!]; a list of connections"},
		{"list of lists", "count: Int!", "count: [[Track!]!]", nil, "Query.count: its type is [[Track!]!]; a list of lists"},
		{"argument of a plain root field", "where: TrackWhereInput, orderBy", "mood: String, where: TrackWhereInput, orderBy", nil, "Query.tracks(mood:): nothing reads this argument"},
		{"page size of a root field with code", "first: Int = 5", "first: Float", nil, "Query.ours(first:): its type is Float; allowed: Int"},
		{"interface that the entity lacks", "type Remix implements Node", "type Remix", nil, "Remix: an entity needs the field id: ID!, and an interface that has it"},

		// Directives whose code is not called.
		{"directive of a field", "  name: String!\n", "name: String! @secret", nil, "Track.name: the directive @secret has no effect here"},
		{"directive of a type", "type Track implements Node", "type Track implements Node @secret", nil, "Track: the directive @secret"},
		{"directive of a condition", "lengthGTE: Int", "lengthGTE: Int @secret", nil, "TrackWhereInput.lengthGTE: the directive @secret"},
		{"directive of an argument", "notes(first: Int,", "notes(first: Int @secret,", nil, "Track.notes(first:): the directive @secret"},
		{"directive of a connection", "totalCount: Int! }", "totalCount: Int! @secret }", nil, "TrackConnection.totalCount: the directive @secret"},
		{"directive of a value", "ROCK JAZZ", "ROCK @secret JAZZ", nil, "Genre.ROCK: the directive @secret"},
		{"directive of a root field", "count: Int!", "count: Int! @secret", nil, ""},
		{"deprecated", "  name: String!\n", "name: String! @deprecated", nil, ""},
		{"directive of operations", "scalar Float64", "directive @upper on FIELD", nil, "@upper: the directive may stand in an operation"},

		// Entities.
		{"no policy", "", "", func(e *entity.Entity) { e.Ruled = false }, "Track: nothing in ent/schema says who may see"},
		{"a table that a statement would hide", "", "", func(e *entity.Entity) { e.Table = "_d2" }, `Track: its table is called _d2`},
		{"a join table that a statement would hide", "", "", edit("notes", nil, func(e *entity.Edge) { e.Through = "_p" }), "Track: the table of its edge notes is called _p"},
		{"no prefix", "", "", func(e *entity.Entity) { e.Prefix = "" }, `Track: the prefix of its IDs is ""`},
		{"a prefix that is none", "", "", func(e *entity.Entity) { e.Prefix = "Track-1" }, `Track: the prefix of its IDs is "Track-1"`},
		{"the prefix of another", "", "", func(e *entity.Entity) { e.Prefix = "album" }, "Album: the prefix of its IDs, album, is that of Track as well"},
		{"a key of bytes", "", "", func(e *entity.Entity) { e.Fields[0].Kind, e.Fields[0].Type = entity.Bytes, "[]byte" },
			"Track: its key is of type []byte in ent/schema, which cannot be read; allowed: a UUID, as Identified gives it, a whole number, or a String"},
		{"a number for a key", "", "", func(e *entity.Entity) {
			e.Keys, e.Fields[0].Type, e.Fields[0].Stored = ids.Number, "int", map[string]string{"postgres": "serial"}
		}, ""},
		{"a number for a key, stored as a UUID", "", "", func(e *entity.Entity) { e.Keys, e.Fields[0].Stored = ids.Number, map[string]string{"postgres": "uuid"} },
			"Track.id: the column id of Track is stored as uuid on postgres"},
		{"a text for a key", "", "", func(e *entity.Entity) {
			e.Keys, e.Fields[0].Type, e.Fields[0].Stored = ids.Text, "string", map[string]string{"postgres": "varchar(20)"}
		}, ""},
		{"a number as the key of the owner", "", "", func(e *entity.Entity) {
			e.Keys, e.Fields[0].Stored, e.Owner = ids.Number, nil, "id"
		}, "Track: its Owner in ent/schema, id, is no column that holds the UUID of a user"},
		{"a key of several columns", "", "", func(e *entity.Entity) { e.Fields = e.Fields[1:] }, "Track: its key consists of several columns"},
		{"owners of nothing", "", "", func(e *entity.Entity) { e.Owner = "user_id" }, "Track: its Owner in ent/schema, user_id, is no column"},
		{"shown to owners, of which there are none", "", "", func(e *entity.Entity) { e.Visible = map[string]entity.Visibility{"name": entity.ToOwners} },
			"Track.name: it is shown to owners, but ent/schema does not say who owns"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found := findings(t, tt.from, tt.to, tt.change, nil)
			if tt.want == "" && len(found) > 0 || tt.want != "" && !strings.Contains(strings.Join(found, "\n"), tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
			for _, f := range found {
				if !strings.Contains(f, ": ") || strings.Contains(f, "%!") {
					t.Errorf("%q is no finding about a place", f)
				}
			}
		})
	}
}

// united makes Track.about a field that unites edges of the names.
func united(edges ...string) func(*entity.Entity) {
	return func(e *entity.Entity) { e.Unites = map[string][]string{"about": edges} }
}

// titled adds a column for the field title to Track.
func titled(column string, kind entity.Kind, goType string) func(*entity.Entity) {
	return add(entity.Field{Name: "title", Column: column, Kind: kind, Type: goType})
}

// TestBindUnited checks fields that unite several edges, and connections of interfaces and unions.
func TestBindUnited(t *testing.T) {
	t.Parallel()
	const (
		about = "  cover: String\n" // another field takes its place
		one   = "about: Source } union Source = Album | Label type More { more: Int"
		list  = "about: [Source!]! } union Source = Remix | Note type More { more: Int"
		pages = "about(first: Int, after: Cursor, orderBy: [SourceOrder!]): SourceConnection! } union Source = Remix | Note " +
			"type SourceConnection { edges: [SourceEdge!]! nodes: [Source!]! totalCount: Int! } type SourceEdge { cursor: Cursor! node: Source! } " +
			"input SourceOrder { field: SourceOrderField! direction: OrderDirection! = ASC } enum SourceOrderField { ID } type More { more: Int"
		rooted = "works(where: WorkWhereInput, orderBy: [WorkOrder!]): WorkConnection! } union Work = Track | Album " +
			"type WorkConnection { nodes: [Work!]! } input WorkWhereInput { titleHasPrefix: String } " +
			"input WorkOrder { field: WorkOrderField! } enum WorkOrderField { TITLE } type More { more: Int"
	)
	for _, tt := range []struct {
		name, from, to string
		change         func(*entity.Entity)
		want           string // a part of the only finding; "" if there must be none
	}{
		{"one", about, one, united("album", "label"), ""},
		{"one that must be there", about, strings.Replace(one, "Source }", "Source! }", 1), united("album", "label"), "Track.about: its type is Source!, but the edges album, label may all lead to nothing"},
		{"no declaration", about, one, nil, "Track.about: Track has neither a column nor an edge"},
		{"an edge that is not there", about, one, united("album", "label", "odd"), "Track.about: ent/schema unites the edge odd in it, which Track does not have"},
		{"no edge to a member", about, one, united("album"), "Track.about: Label belongs to Source, but none of the edges album leads to it"},
		{"many-to-many in a union", about, list, func(e *entity.Entity) {
			united("remixes", "notes")(e)
			e.Edge("notes").Through, e.Edge("notes").Far = "track_notes", "note_id"
		}, "Track.about: ent/schema unites the edge notes of Track in it, which is many-to-many"},
		{"an edge to no member", about, strings.Replace(one, " | Label", "", 1), united("album", "label"), "Track.about: the edge label of Track leads to Label, which does not belong to Source"},
		{"no union", about, "about: Album", united("album"), "Track.about: its type is Album, but ent/schema unites the edges album in it"},
		{"many as one", about, strings.Replace(list, "[Source!]!", "Source", 1), united("remixes", "notes"), "Track.about: ent/schema unites the edge remixes of Track in it; edges to one row"},
		{"an argument", about, strings.Replace(one, "about:", "about(first: Int):", 1), united("album", "label"), "Track.about(first:): nothing reads this argument"},
		{"a list", about, list, united("remixes", "notes"), ""},
		{"a list with null", about, strings.Replace(list, "[Source!]!", "[Source]!", 1), united("remixes", "notes"), "Track.about: its type is [Source]!"},
		{"one as many", about, strings.NewReplacer("Remix", "Album", "Note", "Label").Replace(list), united("album", "label"), "Track.about: ent/schema unites the edge album of Track in it"},
		{"pages", about, strings.NewReplacer(", orderBy: [SourceOrder!]", "", "enum SourceOrderField { ID }", "enum SourceOrderField { NAME }").Replace(pages), united("remixes", "notes"),
			"SourceOrderField.NAME: Note has no column of this name"},
		{"pages by a key", about, pages, united("remixes", "notes"), "SourceOrderField.ID: pages cannot be ordered by the column id"},
		{"pages with an offset", about, strings.Replace(pages, "first: Int,", "offset: Int,", 1), united("remixes", "notes"), "Track.about(offset:): nothing reads this argument"},
		{"pages of other edges", about, strings.Replace(pages, "[SourceEdge!]!", "[TrackEdge!]!", 1), united("remixes", "notes"), "SourceConnection.edges: its type is [TrackEdge!]!; allowed: [SourceEdge!]!"},
		{"a column that all members have", "count: Int!", rooted, titled("title", entity.String, "string"), ""},
		{"a condition on IDs", "count: Int!", strings.Replace(rooted, "titleHasPrefix: String", "idIn: [ID!]", 1), titled("title", entity.String, "string"),
			"WorkWhereInput.idIn: rows of several entities cannot be found by their IDs"},
		{"keys of another type", "count: Int!", rooted, func(e *entity.Entity) {
			titled("title", entity.String, "string")(e)
			e.Keys, e.Fields[0].Type = ids.Number, "int"
			e.Fields[0].Stored = nil
		}, "WorkConnection: the keys of Album and of Track are of different types"},
		{"a column that a member lacks", "count: Int!", rooted, nil, "WorkOrderField.TITLE: Track has no column of this name"},
		{"a column of another kind", "count: Int!", rooted, titled("title", entity.Time, "time.Time"),
			"WorkOrderField.TITLE: it is the column title of type string of Album, and the column title of type time.Time of Track"},
		{"a column of another name", "count: Int!", rooted, titled("heading", entity.String, "string"),
			"WorkOrderField.TITLE: it is the column title of type string of Album, and the column heading of type string of Track"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found := findings(t, tt.from, tt.to, tt.change, nil)
			if tt.want == "" && len(found) > 0 || tt.want != "" && !strings.Contains(strings.Join(found, "\n"), tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
			if tt.name == "many-to-many in a union" && len(found) != 1 {
				t.Errorf("found %q, want no sentence that nothing leads to Note", found)
			}
		})
	}
}

// TestBindHiddenRows checks edges to entities whose interceptors hide rows. Such an edge may lead
// to nothing.
func TestBindHiddenRows(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: catalogue})
	entities := catalogueEntities()
	for _, e := range entities[1:] {
		e.Filtered = true
	}
	_, err := Bind(Contract{Schema: schema, Entities: entities})
	for _, want := range []string{"Track.label: its type is Label!, but interceptors of Label hide some rows", "Track.cover: the edge image cannot show a column of Image"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestBindFindsEverything expects all findings at once, and in the same order each time.
func TestBindFindsEverything(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: strings.NewReplacer("name: String!\n", "name: Int!\n", "length: Int\n", "length: Int!\n",
		"lengthGTE: Int", "lengthGTE: Time", "{ NAME LENGTH", "{ NAME LIVE", "count: Int!", "count: [TrackConnection!]").Replace(catalogue)})
	var first string
	for range 5 {
		_, err := Bind(Contract{Schema: schema, Entities: catalogueEntities()})
		mismatch, ok := errors.AsType[*MismatchError](err)
		if !ok || len(mismatch.Findings) != 5 || !strings.Contains(err.Error(), "in 5 places") {
			t.Fatalf("error %v, want one of 5 findings", err)
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Errorf("found\n%s\nand the first time\n%s", err, first)
		}
	}
}

// trackResolvers is a ResolverRoot as gqlgen generates it. Track.name has a resolver in it.
type trackResolvers interface {
	Query() interface{ Track() }
	Track() interface{ Name() string }
	CreateTrackPayload() interface{ Track() }
}

func TestBindResolvers(t *testing.T) {
	t.Parallel()
	found := findings(t, "", "", nil, reflect.TypeFor[trackResolvers]())
	if len(found) != 1 || !strings.HasPrefix(found[0], "Track.name: it has a resolver, which is never called") {
		t.Errorf("found %q, want one about Track.name", found)
	}
}

// TestBindComputed checks fields that a resolver computes.
func TestBindComputed(t *testing.T) {
	t.Parallel()
	declared := func(name string, needs ...string) func(*entity.Entity) {
		return func(e *entity.Entity) { e.Computed = map[string]entity.Computed{name: {Needs: needs}} }
	}
	with, none := reflect.TypeFor[interface{ Track() computedTrack }](), reflect.TypeFor[interface{}]()
	for _, tt := range []struct {
		name, from, to string
		change         func(*entity.Entity)
		resolvers      reflect.Type
		want           string // the beginning of the only finding; "" if there must be none
	}{
		{"declared", "count: Int!", "count: Int! } extend type Track { about: String", declared("about", "name"), with, ""},
		{"with arguments", "count: Int!", "count: Int! } extend type Track { about(length: Int): String", declared("about"), with, ""},
		{"no resolver", "count: Int!", "count: Int! } extend type Track { about: String", declared("about"), none, "Track.about: it is computed, but has no resolver"},
		{"no field", "", "", declared("about"), none, "Track.about: ent/schema declares it as Computed, but the schema has no such field"},
		{"a column", "", "", declared("name"), none, "Track.name: ent/schema declares it as Computed, but it is a column or an edge"},
		{"needs an edge", "count: Int!", "count: Int! } extend type Track { about: String", declared("about", "album"), with,
			"Track.about: it needs album, which Track does not show as a column"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found := findings(t, tt.from, tt.to, tt.change, tt.resolvers)
			if tt.want == "" && len(found) > 0 || tt.want != "" && (len(found) != 1 || !strings.HasPrefix(found[0], tt.want)) {
				t.Errorf("found %q, want %q alone", found, tt.want)
			}
		})
	}
}

// computedTrack is the interface of the resolvers that a track has.
type computedTrack interface{ About() (string, error) }
