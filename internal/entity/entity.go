// Package entity describes the entities of an application with their columns and edges. Code that
// works with entities of any kind, such as the read engine, uses only these descriptions.
// ent.Entities returns them: they are generated from ent/schema.
package entity

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema"
	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"forge/internal/ids"
)

// Entity describes one kind of row.
type Entity struct {
	Name   string // the name of the GraphQL type, such as "BookReview"
	Prefix string // the prefix of the IDs, such as "review"
	Table  string
	Schema string   // the schema of PostgreSQL in which the table is, if not the one of all others
	Fields []Field  // the primary key is the first field, unless it has several columns
	Keys   ids.Form // what the primary key is, unless it has several columns
	Edges  []Edge
	Owner  string // the column with the ID of the row's owner, or ""
	// Visible holds the visibility of fields and edges by their API names. A field or edge that is
	// not in it is visible ToNobody.
	Visible map[string]Visibility
	// Unites holds the fields that follow several edges, by their API names, with the names of the
	// edges. A field of edges to one row shows what the first edge that leads somewhere leads to. A
	// field of edges to many rows shows what all of them lead to.
	Unites map[string][]string
	// Computed holds the fields that a resolver computes, by their API names.
	Computed map[string]Computed
	// Search are the API names of the columns whose words the argument search looks for, the most
	// important first.
	Search []string
	// Logged says that package changes makes triggers which log changes of rows. LoggedFor are the
	// names of edges, whose foreign keys are columns of this entity: a change of a row is logged as
	// one of the rows that they lead to.
	Logged    bool
	LoggedFor []string
	// MaxAge is for how many seconds caches may keep answers that have rows of the entity, if
	// everybody may see all of their rows and fields. 0: they may not.
	MaxAge int
	// ClientIDs says that an input for a new row may set its ID, which has to be a UUID of version
	// 7.
	ClientIDs bool
	Ruled     bool // the entity has a policy, which decides who may see which rows
	// Policy returns the policy, with those of the mixins. It is nil if there is none.
	Policy   func() ent.Policy
	Filtered bool // interceptors hide some of the rows, such as deleted ones
	// Hooked is true if the entity itself has hooks in ent/schema; hooks of its mixins do not
	// count. Such hooks may write to the database, so a mutation of the entity always runs in a
	// transaction.
	Hooked bool
	// Deleted is the column that marks a row as deleted, or "" if rows are deleted for good.
	Deleted string
	Writer  *Writer // changes rows; nil if the rows have no ID
	// Personal says what becomes of columns when the account that owns a row is erased, and
	// OwnerErased what becomes of the row. See Erase.
	Personal    map[string]Erase
	OwnerErased Erase
	// Files says that the rows are files, which clients reach by edges of other rows alone.
	Files bool
}

// Computed describes a field that is neither a column nor an edge. Its resolver gets an object that
// holds the ID of the row, and what the field needs.
type Computed struct {
	// Needs are the API names of the columns that the resolver needs. It gets them whoever may see
	// them, so the field must not tell more of them than its own viewers may know.
	Needs []string `json:",omitempty"`
	// Price is what the field costs for each row, in points, beside the call of its resolver.
	Price int `json:",omitempty"`
	// Outside says that the resolver does not use the database. No connection is kept for it while
	// it runs, unless rows have to be read after it.
	Outside bool `json:",omitempty"`
}

// Visibility says who may see a field or an edge of a row. It only applies to viewers who may see
// the row itself. The zero value is ToNobody.
type Visibility int

// These are the visibilities of fields and edges.
const (
	ToNobody Visibility = iota
	ToOwners            // the row's owner, and administrators
	ToAll
	ToSome // those whom the entity's policy names, and administrators; see rule.Policy.ShownTo
)

// Field describes a column. The API has the column as the field Name, if the GraphQL schema has a
// field of that name.
type Field struct {
	Name     string // the name in the API, such as "priceCents"
	Column   string
	Kind     Kind
	Elem     Kind   // the kind of the elements, if Kind is List
	Type     string // the Go type in ent/schema, such as "int32"
	Refers   string // the entity whose key the column holds, if Kind is ID
	Nullable bool
	// Stored holds the database types that ent/schema sets, by dialect. If it has none for a
	// dialect, ent chooses the type.
	Stored map[string]string
	Values []string // the possible values, if Kind is Enum
	// MatchBy is another column that filters compare instead of this one, or "". The other column
	// holds Fold of the value.
	MatchBy string
	// Sensitive says that ent never prints the value, such as the hash of a password. The API must
	// not show it either.
	Sensitive bool
	Default   bool // ent/schema gives new rows a value, if they have none
	Immutable bool // only new rows have the value set
	// Line says that a text is one line: clients may send blanks around it, which are cut off, and
	// no control characters. A text that is blank is none.
	Line bool
}

// Edge describes a relation from an entity to another one, or to itself.
type Edge struct {
	Name   string // the name in the API, such as "reviews"
	To     string // the name of the other entity
	Column string // the foreign key; if the edge is many-to-many, the one in Through to this entity
	// OwnKey is true if the foreign key is a column of this entity, and false if it is one of the
	// other entity.
	OwnKey    bool
	Inverse   bool // the edge is declared with edge.From, as the other direction of an edge of To
	Immutable bool // only new rows have the edge set
	Nullable  bool // the foreign key may be NULL
	Unique    bool // a row has at most one related row
	// Through is the join table if the edge is many-to-many, and "" if not. Far is the foreign key
	// in that table to the other entity. Join is the name of the entity that the table's rows are,
	// or "" if they are none.
	Through, Far, Join string
	// Shows holds API fields of this entity whose values are in the related row: the name of each
	// field, and the column of the other entity. If it is not empty, each row of this entity must
	// have a related row.
	Shows map[string]string
	// Files says which files the edge may lead to. It is nil if the edge leads to something else.
	Files *FileLimits
}

// Kind says how the values of a column are compared, read and written. ent/template chooses the
// kind from ent's type. The read engine lists the kinds that it supports.
type Kind int

// These are the kinds of columns.
const (
	ID Kind = iota // the key of a row; see Entity.Keys
	String
	Int // 32 bits; or ent's Int, whose values are checked to fit into 32 bits
	Bool
	Time
	Enum
	UUID    // a UUID that is not the key of a row
	BigInt  // a whole number of at most 64 bits
	Float   // a float64
	Float32 // a float32
	Decimal
	Date      // a time that is stored as a date on PostgreSQL
	LocalTime // a time that is stored as a time of day on PostgreSQL
	Duration  // a time.Duration, which is stored in nanoseconds
	Bytes
	JSON
	List  // a slice of scalars, which is stored as JSON; see Field.Elem
	Other // stored in a form that depends on its Go type
)

// Scale returns how many digits a decimal number of the column has after its point. It returns -1
// if the column has no scale of its own.
func (f *Field) Scale() int {
	_, size, sized := strings.Cut(f.Stored[dialect.Postgres], "(")
	if !sized {
		return -1
	}
	_, scale, _ := strings.Cut(strings.TrimSuffix(size, ")"), ",")
	n, _ := strconv.Atoi(strings.TrimSpace(scale)) // numeric(5) has the scale 0
	return n
}

// Field returns the field with an API name, or nil.
func (e *Entity) Field(name string) *Field {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return &e.Fields[i]
		}
	}
	return nil
}

// Edge returns the edge with an API name, or nil.
func (e *Entity) Edge(name string) *Edge {
	for i := range e.Edges {
		if e.Edges[i].Name == name {
			return &e.Edges[i]
		}
	}
	return nil
}

// ValueNames returns the names that the values of an enum have in the API, in the order of Values.
func (f *Field) ValueNames() []string {
	names := make([]string, len(f.Values))
	for i, value := range f.Values {
		names[i] = ValueName(value)
	}
	return names
}

// ValueName returns the name that a value of an enum has in the API: the value itself if GraphQL
// allows it as a name. Otherwise it has _ in place of what GraphQL does not allow, as PG_13 stands
// for PG-13, and before a digit at its beginning.
func ValueName(value string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, value)
	if name == "" || name[0] >= '0' && name[0] <= '9' || name == "true" || name == "false" || name == "null" {
		return "_" + name
	}
	return name
}

// Shown returns the edge and the column of the other entity that hold an API field (see
// Edge.Shows). It returns nil if no edge shows the field.
func (e *Entity) Shown(name string) (*Edge, string) {
	for i := range e.Edges {
		if column, ok := e.Edges[i].Shows[name]; ok {
			return &e.Edges[i], column
		}
	}
	return nil, ""
}

// Fold returns a text that is the same for all spellings of text. Upper and lower case, composed
// and decomposed letters, and fullwidth and other compatibility characters then make no difference.
// Fold applies Unicode's NFKC and full case folding until the text no longer changes.
func Fold(text string) string {
	for range 4 { // two rounds suffice for all known texts
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
		if folded == text {
			break
		}
		text = folded
	}
	return text
}

// Capitals returns a text in capitals, as Unicode defines them for all languages: ß becomes SS. Two
// texts differ in case alone if they are the same in capitals.
func Capitals(text string) string { return cases.Upper(language.Und).String(text) }

// Graph makes queries for rows of any entity. Each query and each mutation of ent has one, by which
// package rule looks at other rows.
type Graph interface {
	// Entity returns the entity with a name, or nil.
	Entity(name string) *Entity
	// Select returns a query for rows of an entity, which can stand inside of another one. The
	// function shape sets its columns and adds conditions, before interceptors and policies do.
	Select(ctx context.Context, e *Entity, shape func(*sql.Selector)) (*sql.Selector, error)
	// Exists runs a query, and reports whether there are rows.
	Exists(ctx context.Context, e *Entity, shape func(*sql.Selector)) (bool, error)
}

// Annotation adds properties that Forge needs, and ent does not have, to an entity, a field or an
// edge.
type Annotation struct {
	Prefix  string              `json:",omitempty"` // see Entity.Prefix
	Schema  string              `json:",omitempty"` // see Entity.Schema
	MatchBy string              `json:",omitempty"` // see Field.MatchBy
	Shows   map[string]string   `json:",omitempty"` // see Edge.Shows
	Unites  map[string][]string `json:",omitempty"` // see Entity.Unites

	// ShownToAll are the API names of the fields and edges that everybody may see. ShownToOwners
	// are the API names of those that only the row's owner and administrators may see.
	Deleted string `json:",omitempty"` // see Entity.Deleted
	Line    bool   `json:",omitempty"` // see Field.Line

	Owner                     string   `json:",omitempty"` // see Entity.Owner
	ShownToAll, ShownToOwners []string `json:",omitempty"`
	// Computed are the fields that a resolver computes, by their API names.
	Computed map[string]Computed `json:",omitempty"`
	Search   []string            `json:",omitempty"` // see Entity.Search

	Logged    bool     `json:",omitempty"` // see Entity.Logged
	LoggedFor []string `json:",omitempty"` // see Entity.LoggedFor
	MaxAge    int      `json:",omitempty"` // see Entity.MaxAge
	ClientIDs bool     `json:",omitempty"` // see Entity.ClientIDs

	Personal    map[string]Erase `json:",omitempty"` // see Entity.Personal
	OwnerErased Erase            `json:",omitempty"` // see Entity.OwnerErased

	StoresFiles bool        `json:",omitempty"` // see Entity.Files
	Files       *FileLimits `json:",omitempty"` // see Edge.Files
}

// Name returns the name under which ent stores the annotation.
func (Annotation) Name() string { return "Forge" }

// Merge returns the other annotation, with Prefix and Deleted of this one if the other has none.
// Ent calls it to merge the annotation of a mixin with the annotation of an entity.
func (a Annotation) Merge(other schema.Annotation) schema.Annotation {
	b, ok := other.(Annotation)
	if !ok {
		return a
	}
	b.Prefix, b.Deleted = cmp.Or(b.Prefix, a.Prefix), cmp.Or(b.Deleted, a.Deleted)
	return b
}

var _ schema.Merger = Annotation{}

// NewID returns a new key for a row. It sorts after all keys that were made earlier.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

type deletedKey struct{}

// WithDeleted returns a context in which queries and updates include the rows that are marked as
// deleted.
func WithDeleted(ctx context.Context) context.Context {
	return context.WithValue(ctx, deletedKey{}, true)
}

// WithoutDeleted returns a context that does not come from WithDeleted, even if ctx does.
func WithoutDeleted(ctx context.Context) context.Context {
	return context.WithValue(ctx, deletedKey{}, nil)
}

// SeesDeleted reports whether ctx comes from WithDeleted.
func SeesDeleted(ctx context.Context) bool { return ctx.Value(deletedKey{}) != nil }
