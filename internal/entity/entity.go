// Package entity describes the entities of an application, their columns and their edges. Code that
// works with any entity, such as the read engine, needs nothing else of them. The descriptions are
// generated from ent/schema (ent.Entities).
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
	Name   string // of the GraphQL type: "BookReview"
	Prefix string // of its IDs: "review"
	Table  string
	Fields []Field // the key first, unless it consists of several columns
	Edges  []Edge
	Owner  string // the column with the ID of the row's owner, or ""
	// Visible holds the visibility of fields and edges by their API names. Others are ToNobody.
	Visible  map[string]Visibility
	Ruled    bool // it has a policy, which says who may see which rows
	Filtered bool // interceptors hide some of its rows, such as deleted ones
	// Hooked says that ent/schema has hooks of the entity itself, not of its mixins. They may write
	// to the database, so a mutation of the entity always runs in a transaction.
	Hooked bool
}

// Visibility says who may see a field or an edge of a row, among those who may see the row. The
// zero value is nobody.
type Visibility int

// The visibilities.
const (
	ToNobody Visibility = iota
	ToOwners            // the row's owner, and administrators
	ToAll
)

// Field is a column. The API shows it under Name if the GraphQL schema has such a field.
type Field struct {
	Name     string // in the API: "priceCents"
	Column   string
	Kind     Kind
	Type     string // its Go type in ent/schema: "int32"
	Refers   string // the entity whose key it holds, if Kind is ID
	Nullable bool
	// Stored holds the database types that ent/schema sets, by dialect. Without one, ent chooses.
	Stored map[string]string
	Values []string // the possible values, if Kind is Enum
	// MatchBy is the column that filters compare instead of this one, or "". It holds Fold of the
	// value.
	MatchBy string
}

// Edge leads from an entity to related ones.
type Edge struct {
	Name   string // in the API: "reviews"
	To     string // the name of the other entity
	Column string // the foreign key
	// OwnKey says that the foreign key is a column of this entity, not of the other one.
	OwnKey   bool
	Nullable bool   // the foreign key may be NULL
	Unique   bool   // a row has at most one related row
	Through  string // the join table, if the edge is many-to-many
	// Shows maps API fields of this entity to the columns of the other entity that hold them. Each
	// row of this entity must then have a related row.
	Shows map[string]string
}

// Kind says how a column's values are compared, read and written. ent/template maps the types of
// ent to kinds; the read engine lists the kinds that it supports.
type Kind int

// The kinds of columns.
const (
	ID Kind = iota // a UUID that is the key of a row
	String
	Int // of 32 bits, or ent's Int, whose values are checked to fit into 32 bits
	Bool
	Time
	Enum
	UUID   // one that is not the key of a row
	BigInt // of more than 32 bits
	Float
	Bytes
	JSON
	Other // stored in a form that depends on its Go type
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

// Shown returns the edge, and the column of the related row, that hold the API field of the given
// name. It returns nil if the field is not one of Edge.Shows.
func (e *Entity) Shown(name string) (*Edge, string) {
	for i := range e.Edges {
		if column, ok := e.Edges[i].Shows[name]; ok {
			return &e.Edges[i], column
		}
	}
	return nil, ""
}

// Fold returns a form of text that is the same for all spellings of the text: upper and lower case,
// composed and decomposed letters, fullwidth and other compatibility characters. It applies
// Unicode's NFKC and full case folding until nothing changes.
func Fold(text string) string {
	for range 4 { // no text is known for which more than two rounds change anything
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
		if folded == text {
			break
		}
		text = folded
	}
	return text
}

// Annotation holds the properties of an entity, a field or an edge that ent has no words for.
type Annotation struct {
	Prefix  string            `json:",omitempty"` // see Entity
	MatchBy string            `json:",omitempty"` // see Field
	Shows   map[string]string `json:",omitempty"` // see Edge

	// ShownToAll and ShownToOwners name fields and edges, as in the API, by who may see them.
	// Administrators see those of owners as well.
	Owner                     string   `json:",omitempty"` // see Entity
	ShownToAll, ShownToOwners []string `json:",omitempty"`
}

// Name returns the name of the annotation in ent's graph.
func (Annotation) Name() string { return "Forge" }

// Merge returns the other annotation, with the prefix of this one if it has none of its own. Ent
// merges the annotations of mixins with that of their entity.
func (a Annotation) Merge(other schema.Annotation) schema.Annotation {
	b, ok := other.(Annotation)
	if !ok {
		return a
	}
	b.Prefix = cmp.Or(b.Prefix, a.Prefix)
	return b
}

var _ schema.Merger = Annotation{}

// NewID returns a key for a new row. Later keys sort after earlier ones.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

type deletedKey struct{}

// WithDeleted returns a context in which queries and updates include rows marked as deleted.
func WithDeleted(ctx context.Context) context.Context {
	return context.WithValue(ctx, deletedKey{}, true)
}

// SeesDeleted reports whether ctx comes from WithDeleted.
func SeesDeleted(ctx context.Context) bool { return ctx.Value(deletedKey{}) != nil }
