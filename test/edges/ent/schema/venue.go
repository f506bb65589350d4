package schema

import (
	"context"
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	forge "forge/ent/schema"
	"forge/internal/entity"
	"forge/internal/rule"
)

// SoftDeleted hides rows that are marked as deleted, as that of Forge's own entities does.
type SoftDeleted struct{ mixin.Schema }

func (SoftDeleted) Fields() []ent.Field {
	return []ent.Field{field.Time("deleted_at").Optional().Nillable()}
}

func (SoftDeleted) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Deleted: "deleted_at"}}
}

func (SoftDeleted) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
		if !entity.SeesDeleted(ctx) {
			q.(interface{ WhereP(...func(*sql.Selector)) }).WhereP(notDeleted)
		}
		return nil
	})}
}

func (SoftDeleted) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) && !entity.SeesDeleted(ctx) {
				m.(interface{ WhereP(...func(*sql.Selector)) }).WhereP(notDeleted)
			}
			return next.Mutate(ctx, m)
		})
	}}
}

func notDeleted(s *sql.Selector) { s.Where(sql.IsNull(s.C("deleted_at"))) }

var (
	dateOnly = map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}
	price    = map[string]string{dialect.Postgres: "numeric(12, 2)", dialect.SQLite: "text"}
)

// Venue is where concerts take place. Deleted venues can be restored, and changes are counted. No
// two have the same name in one city, or the same code, whatever its case.
type Venue struct{ ent.Schema }

func (Venue) Mixin() []ent.Mixin {
	return []ent.Mixin{open{remove: rule.Admins}, SoftDeleted{}, forge.Versioned{}, forge.Timed{}, forge.Folded{Name: "code", Length: 10, Optional: true, SoftDeleted: true}}
}

func (Venue) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("venue", "name", "city", "code", "version", "createdAt", "updatedAt", "concerts", "near", "awards"),
		entsql.Checks(map[string]string{"venues_name_length": "length(name) BETWEEN 1 AND 40"})}
}

func (Venue) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).SchemaType(blobOnSQLite),
		field.String("name"),
		field.String("city").Optional().Nillable(),
	}
}

func (Venue) Edges() []ent.Edge {
	return []ent.Edge{edge.To("concerts", Concert.Type), edge.To("near", Venue.Type), edge.To("awards", Prize.Type)}
}

func (Venue) Indexes() []ent.Index {
	return []ent.Index{index.Fields("city", "name").Unique().Annotations(entsql.IndexWhere("deleted_at IS NULL"))}
}

// Concert takes place at a venue. It has columns of many kinds.
type Concert struct{ ent.Schema }

func (Concert) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}} }

func (Concert) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("concert", "name", "venue", "venueId", "price", "day", "kind", "token", "seats", "data", "rider", "words", "score", "sold", "tickets", "guests", "poster", "pictures")}
}

func (Concert) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("name"),
		field.UUID("venue_id", uuid.UUID{}).SchemaType(blobOnSQLite),
		field.Other("price", decimal.Decimal{}).SchemaType(price),
		field.Time("day").SchemaType(dateOnly).Optional().Nillable(),
		field.Enum("kind").Values("INDOOR", "OUTDOOR").Default("INDOOR"),
		field.UUID("token", uuid.UUID{}).SchemaType(blobOnSQLite).Optional().Nillable(),
		field.Int64("seats").Default(100),
		field.Bytes("data").Optional(),
		field.JSON("rider", json.RawMessage{}).Optional(),
		field.Strings("words").Optional(),
		field.Float("score").Optional().Nillable(),
		field.Bool("sold").Default(false),
	}
}

func (Concert) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("venue", Venue.Type).Ref("concerts").Field("venue_id").Unique().Required(),
		edge.To("tickets", Ticket.Type),
		edge.To("guests", Listener.Type),
		edge.To("poster", Poster.Type).Unique(),
		edge.To("pictures", File.Type).Annotations(entsql.OnDelete(entsql.SetNull),
			entity.Annotation{Files: &entity.FileLimits{ContentTypes: entity.Pictures, Most: 2}}),
	}
}

// Ticket is for a seat at a concert, or for none in particular.
type Ticket struct{ ent.Schema }

func (Ticket) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}, forge.Versioned{}} }

func (Ticket) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("ticket", "seat", "row", "note", "concert", "concertId", "version")}
}

func (Ticket) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).SchemaType(blobOnSQLite),
		field.Int32("seat").Optional().Nillable(),
		field.String("row").MaxRuneLen(2).Immutable(),
		field.String("note").Optional().Nillable(),
		field.Int64("concert_id").Optional().Nillable(),
	}
}

func (Ticket) Edges() []ent.Edge {
	return []ent.Edge{edge.From("concert", Concert.Type).Ref("tickets").Field("concert_id").Unique()}
}

func (Ticket) Indexes() []ent.Index { return []ent.Index{index.Fields("row", "seat").Unique()} }

// File is that of Forge. Concerts have lists of files, and posters one each.
type File struct{ forge.File }

func (File) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{StoresFiles: true, ShownToAll: []string{"id", "name", "contentType", "size", "width", "height"}}}
}

func (File) Edges() []ent.Edge {
	return []ent.Edge{edge.From("concert_of_pictures", Concert.Type).Ref("pictures").Unique()}
}

func (File) Indexes() []ent.Index { return []ent.Index{index.Edges("concert_of_pictures")} }

// Poster announces one concert. Its key is a whole number of 32 bits.
type Poster struct{ ent.Schema }

func (Poster) Mixin() []ent.Mixin {
	return []ent.Mixin{open{remove: rule.Admins},
		forge.OneFile{Name: "print", Limits: entity.FileLimits{MaxBytes: 1000, ContentTypes: []string{"application/pdf"}}}}
}

func (Poster) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("poster", "text", "concert", "designer", "print")}
}

func (Poster) Fields() []ent.Field { return []ent.Field{field.Int32("id"), field.Text("text")} }

func (Poster) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("concert", Concert.Type).Ref("poster").Unique(),
		edge.To("designer", Listener.Type).Unique().Immutable(),
	}
}

// Prize has a text as its key, and a winner who does not lead back to it.
type Prize struct{ ent.Schema }

func (Prize) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}} }

func (Prize) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("prize", "year", "winner", "shared")}
}

func (Prize) Fields() []ent.Field {
	return []ent.Field{field.String("id").NotEmpty().MaxLen(20), field.Int16("year")}
}

func (Prize) Edges() []ent.Edge {
	return []ent.Edge{edge.To("winner", Listener.Type).Unique(), edge.To("shared", Prize.Type)}
}
