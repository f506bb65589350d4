// Package entity describes the entity graph to whoever works with all of it alike, the read engine above all.
// Package ent generates the descriptions (ent.Entities) from ent/schema.
package entity

import (
	"cmp"
	"context"

	"entgo.io/ent/schema"
	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Entity is one kind of row.
type Entity struct {
	Name     string // of the GraphQL type: "OrderItem"
	Prefix   string // of its IDs: "item"
	Table    string
	Fields   []Field // the key first, unless it consists of several columns
	Edges    []Edge
	Owner    string                // the column that holds whose row it is, "" if nobody owns any
	Visible  map[string]Visibility // by the API names of fields and edges; those that are missing are shown to nobody
	Ruled    bool                  // it has a policy, which says who may see which rows
	Filtered bool                  // interceptors add conditions to its queries, so some rows may be hidden, such as deleted ones
}

// Visibility says who may see a field of the rows that they may see. The zero value is nobody.
type Visibility int

// The visibilities.
const (
	ToNobody Visibility = iota
	ToOwners            // and administrators
	ToAll
)

// Field is a column that the API may show under Name. The schema decides whether it does.
type Field struct {
	Name     string // in the API: "priceCents"
	Column   string
	Kind     Kind
	Type     string // the Go type that ent/schema gives it: "int32"
	Refers   string // the entity whose key it holds, if Kind is ID
	Nullable bool
	Stored   map[string]string // the type in the database that ent/schema asks for, by dialect; usually ent's own choice
	Values   []string          // that it can have, if Kind is Enum
	MatchBy  string            // the column that filters compare instead, holding Fold of the value; usually empty
}

// Edge leads from an entity to related ones.
type Edge struct {
	Name     string            // in the API: "heroes"
	To       string            // the name of the entity it leads to
	Column   string            // the foreign key
	OwnKey   bool              // the foreign key is a column of the entity that the edge leaves, not of the one it reaches
	Nullable bool              // that column may be NULL
	Unique   bool              // it reaches one row at most
	Through  string            // the table that joins the two, if the edge is many-to-many
	Shows    map[string]string // API fields of the leaving entity that are columns of the one reached, which each row has to have
}

// Kind says how a column's values are compared, read and written. The read engine says which kinds it holds (read/binding/kinds.go),
// and ent/template which kind each type of ent's is.
type Kind int

// The kinds of columns.
const (
	ID Kind = iota // a UUID that is the key of an entity
	String
	Int // of 32 bits, or ent's Int, whose values are looked at one by one
	Bool
	Time
	Enum
	UUID   // that is the key of nothing
	BigInt // whole numbers of more than 32 bits
	Float
	Bytes
	JSON
	Other // stored in a form that its Go type decides
)

// Field returns the field of the given API name, or nil.
func (e *Entity) Field(name string) *Field {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return &e.Fields[i]
		}
	}
	return nil
}

// Edge returns the edge of the given API name, or nil.
func (e *Entity) Edge(name string) *Edge {
	for i := range e.Edges {
		if e.Edges[i].Name == name {
			return &e.Edges[i]
		}
	}
	return nil
}

// Shown returns the edge and the column of the related row that hold the API field name, or nil.
func (e *Entity) Shown(name string) (*Edge, string) {
	for i := range e.Edges {
		if column, ok := e.Edges[i].Shows[name]; ok {
			return &e.Edges[i], column
		}
	}
	return nil, ""
}

// Fold returns text without regard to case, and to the form that letters were written in: é is one letter or two, and a
// fullwidth or a Kelvin sign's K is a k (Unicode's NFKC, and full case folding). Folding again changes nothing.
func Fold(text string) string {
	for range 4 { // at most two rounds are known to change anything
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
		if folded == text {
			break
		}
		text = folded
	}
	return text
}

// Annotation is what ent/schema says of an entity, a field or an edge beyond what ent itself can express.
type Annotation struct {
	Prefix  string            `json:",omitempty"` // see Entity
	MatchBy string            `json:",omitempty"` // see Field
	Shows   map[string]string `json:",omitempty"` // see Edge

	// Who may see which fields and edges, by their names in the API. To owners of a row means to administrators as well.
	Owner                     string   `json:",omitempty"` // see Entity
	ShownToAll, ShownToOwners []string `json:",omitempty"`
}

// Name of the annotation in ent's graph.
func (Annotation) Name() string { return "Forge" }

// Merge returns what both say: the annotation of an entity adds to that of its mixins.
func (a Annotation) Merge(other schema.Annotation) schema.Annotation {
	b, ok := other.(Annotation)
	if !ok {
		return a
	}
	b.Prefix = cmp.Or(b.Prefix, a.Prefix)
	return b
}

var _ schema.Merger = Annotation{}

// NewID returns a key for a new row: later ones sort after earlier ones.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

type deletedKey struct{}

// WithDeleted returns a context in which queries and updates also see rows that are marked as deleted.
func WithDeleted(ctx context.Context) context.Context {
	return context.WithValue(ctx, deletedKey{}, true)
}

// SeesDeleted reports whether ctx comes from WithDeleted.
func SeesDeleted(ctx context.Context) bool { return ctx.Value(deletedKey{}) != nil }
