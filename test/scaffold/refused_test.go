package scaffold

import (
	"strings"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	entschema "entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/scaffold"
)

// open is what the entities of this file share.
type open struct{ ent.Schema }

func (open) Policy() ent.Policy { return rule.Policy{Read: rule.Everyone, Create: rule.Admins} }

func (open) Fields() []ent.Field { return []ent.Field{field.String("name")} }

func (open) Annotations() []entschema.Annotation { return shown("name") }

func shown(names ...string) []entschema.Annotation {
	return []entschema.Annotation{entity.Annotation{Prefix: "x", ShownToAll: append([]string{"id"}, names...)}}
}

type (
	// Query has the name of a root type, and so on.
	Query    struct{ open }
	Node     struct{ open }
	PageInfo struct{ open }
	String   struct{ open }
	News     struct{ open }
	// BookEdge has the name of a type that belongs to Book.
	BookEdge struct{ open }
	// Type has a name that Go keeps for itself.
	Type struct{ open }
	// Client has a name that ent generates.
	Client struct{ open }
)

// Extra gets the names of others.
type Extra struct{ open }

// Twin has the table of books.
type Twin struct{ open }

func (Twin) Annotations() []entschema.Annotation {
	return append(shown("name"), entsql.Table("books"))
}

// Lost has an edge to another entity that has none back.
type Lost struct{ open }

func (Lost) Edges() []ent.Edge { return []ent.Edge{edge.From("book", Book.Type).Ref("lost").Unique()} }

// Lawless has no policy.
type Lawless struct{ ent.Schema }

func (Lawless) Annotations() []entschema.Annotation { return shown("id") }

// Rated has values that GraphQL has not.
type Rated struct{ open }

func (Rated) Fields() []ent.Field { return []ent.Field{field.Enum("name").Values("PG_13", "PG-13")} }

// Keyword has fields that are words of Go, SQL and GraphQL.
type Keyword struct{ open }

var words = []string{"type", "func", "select", "order", "from", "where", "group", "input", "enum", "on", "fragment", "query", "mutation", "null", "first", "and"}

func (Keyword) Fields() (all []ent.Field) {
	for _, word := range words {
		all = append(all, field.String(word))
	}
	return all
}

func (Keyword) Annotations() []entschema.Annotation { return shown(words...) }

// Counted has a key of groups whose name is that of their number of rows.
type Counted struct{ open }

func (Counted) Fields() []ent.Field { return []ent.Field{field.Int("count")} }

func (Counted) Annotations() []entschema.Annotation { return shown("count") }

// TestRefused looks at entities that the API cannot show.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		of   ent.Interface
		want string
	}{
		{Query{}, `Query`},
		{Node{}, "Node: the API uses this name for something else; name the entity otherwise, such as NodeEntry"},
		{PageInfo{}, "PageInfo: the API uses this name for something else"},
		{String{}, "String"},
		{News{}, "News: its name is the same in the plural"},
		{BookEdge{}, "BookEdge: its name is that of a type which belongs to Book; name one of the two otherwise"},
		{Type{}, `Type: ent has no entity of this name: schema lowercase name conflicts with Go keyword "type"; name it otherwise`},
		{Client{}, "Client: ent has no entity of this name"},
		{Twin{}, `its table books is that of Book as well; give one of the two another table, as in entsql.Table("books_2")`},
		{Lost{}, `"lost"`},
		{Lawless{}, "Lawless: nothing in ent/schema says who may see which rows of it; give it a Policy"},
		{Rated{}, `Rated.name: GraphQL has no name of its own for the enum value "PG-13"; use field.String with a CHECK in ent/schema, or other values`},
		{Counted{}, `Counted: groups are ordered by COUNT, their number of rows, which the key count would be called as well; give it another name`},
	} {
		s, err := scaffold.Describe("forge/library/ent/schema", []ent.Interface{Author{}, Book{}, tt.of})
		if err == nil {
			_, err = scaffold.Write(s)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%T: %v, want %s", tt.of, err, tt.want)
		}
	}
}

// TestRefusedBesideOthers looks at an entity whose name the schema needs, or has already, for
// something else.
func TestRefusedBesideOthers(t *testing.T) {
	t.Parallel()
	stands := write(t, library(t)).SDL
	for _, name := range []string{"Node", "PageInfo", "OnError", "BookConnection", "BookEdge", "BookWhereInput", "CreateBookInput", "CreateBookPayload", "CreateBooksInsert", "BookAuthorInput", "DeleteBookPayload", "BookSum"} {
		for _, sdl := range []string{"", stands} {
			s := library(t, Extra{})
			for _, e := range s.Entities {
				if e.Name == "Extra" {
					e.Name, e.Fields[0].Refers = name, name
				}
			}
			s.SDL = sdl
			taken := strings.Contains(stands, " "+name+" ")
			r, err := scaffold.Write(s)
			switch {
			case taken && sdl != "" && err == nil, taken && name != "BookSum" && err == nil: // a new Book has no sums then, with a note
				t.Errorf("%s is written, with the notes %q", name, r.Notes)
			case taken && err != nil && !strings.Contains(err.Error(), name+": "), !taken && err != nil:
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestRefusedNames asks for entities that are not there, or that show nothing, and looks at schemas
// that are in the way.
func TestRefusedNames(t *testing.T) {
	s := library(t, Keyword{})
	for _, tt := range []struct{ sdl, name, want string }{
		{"", "Bok", `ent/schema has no entity "Bok"; it has: Author, Book, Keyword`},
		{"", "Book.pages", "schema.graphqls has no type Book to add pages to"},
		{"type Query { book: String }", "", "Book: Query has a field book already, which shows something else"},
		{"type Query {", "", "schema.graphqls cannot be read"},
		{"type Query { a: Int } input BookConnection { a: Int }", "", "BookConnection: the schema has it as an input, and it has to be a type; rename the one that stands"},
		{"type Query { a: Int } type BookWhereInput { a: Int }", "", "BookWhereInput"},
		{"type Query { a: Int } type CreateBookInput { a: Int }", "", "CreateBookInput"},
	} {
		s.SDL = tt.sdl
		var names []string
		if tt.name != "" {
			names = []string{tt.name}
		}
		if _, err := scaffold.Write(s, names...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %s: %v, want %s", tt.sdl, tt.name, err, tt.want)
		}
	}
}

// TestKeywords shows fields that are words of Go, SQL and GraphQL.
func TestKeywords(t *testing.T) {
	r := write(t, library(t, Keyword{}), "Keyword")
	for _, word := range words {
		if !strings.Contains(definition(r.SDL, "Keyword"), "\n  "+word+": String!") {
			t.Errorf("the type Keyword has no %s", word)
		}
	}
}

// TestRefusedField shows fields whose names GraphQL does not have.
func TestRefusedField(t *testing.T) {
	for _, name := range []string{"__name", "naïve", "2nd", ""} {
		s := library(t)
		for _, e := range s.Entities {
			if e.Name == "Author" {
				e.Fields[1].Name = name
				e.Visible[name] = entity.ToAll
			}
		}
		if _, err := scaffold.Write(s); err == nil || !strings.Contains(err.Error(), "Author: GraphQL has no field of the name ") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
