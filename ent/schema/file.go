// This file belongs to the framework: internal/upload keeps here what is known of files, whose bytes
// are in a folder or in S3. Every application needs it.

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

// File is what is known of a file. A file belongs to one row, in one place: rows have it by OneFile,
// or by an edge that ManyFiles returns.
type File struct{ ent.Schema }

// Annotations returns what the API shows, and the checks of the table.
func (File) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{
			StoresFiles: true,
			ShownToAll:  []string{"id", "url", "name", "contentType", "size", "width", "height", "blurhash"},
			Computed:    map[string]entity.Computed{"url": {Needs: []string{"name", "contentType"}, Outside: true}},
		},
		entsql.Checks(map[string]string{
			"files_name_length":       length("name", 1, 255),
			"files_size_not_negative": "size >= 0",
			"files_state_known":       "state IN ('announced', 'stored', 'removed')",
			"files_stored_with_etag":  "state <> 'stored' OR etag IS NOT NULL",
			"files_attached_stored":   "attached_at IS NULL OR state <> 'announced'",
		}),
	}
}

// Mixin returns the mixins, which add the key.
func (File) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "file"}}
}

// Fields returns the fields that no mixin adds.
func (File) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().Immutable().SchemaType(blobOnSQLite).Comment("Who has uploaded it."),
		field.String("name").MaxRuneLen(255),
		field.String("content_type").MaxLen(127).Comment("As the client has announced it, and as it was found once the file is stored."),
		field.Int64("size").Comment("In bytes."),
		field.Int32("width").Optional().Nillable(),
		field.Int32("height").Optional().Nillable(),
		field.String("blurhash").MaxLen(64).Optional().Nillable(),
		field.String("etag").MaxLen(128).Optional().Nillable().Comment("A hash of the bytes."),
		field.Enum("state").Values("announced", "stored", "removed").Default("announced").
			Comment("announced: the bytes may not be there yet. removed: the bytes are about to go."),
		field.Time("attached_at").Optional().Nillable().Comment("When a row first had it; no other row can have it then."),
		field.Time("created_at").Default(now).Immutable(),
	}
}

// Edges returns the relations to other entities.
func (File) Edges() []ent.Edge {
	return append([]ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Immutable().Annotations(entsql.OnDelete(entsql.SetNull)),
	}, fileHolders...)
}

// Indexes returns the indexes of the table.
func (File) Indexes() []ent.Index {
	all := []ent.Index{
		index.Fields("user_id", "created_at"),
		// These help the sweep to find files that no row ever had, and those that are to go.
		index.Fields("created_at").Annotations(entsql.IndexWhere("attached_at IS NULL")),
		index.Fields("id").Annotations(entsql.IndexWhere("state = 'removed'")),
	}
	for _, holder := range fileHolders {
		all = append(all, index.Edges(holder.Descriptor().Name))
	}
	return all
}

// Policy lets those see a file who see a row that has it: the API shows files in no other way. Rows
// that are changed change their files, so the policies of rows say who may.
func (File) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Everyone, Delete: rule.Admins}
}

// fileHolders are the edges from a file back to the rows that have lists of files.
var fileHolders []ent.Edge

// OneFile is a mixin that gives rows a file: the edge Name, and its key in an indexed column.
type OneFile struct {
	mixin.Schema
	Name   string // such as "picture"
	Limits entity.FileLimits
}

// Fields returns the key of the file.
func (m OneFile) Fields() []ent.Field {
	return []ent.Field{field.UUID(m.Name+"_id", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite)}
}

// Edges returns the edge to the file.
func (m OneFile) Edges() []ent.Edge {
	return []ent.Edge{edge.To(m.Name, File.Type).Field(m.Name+"_id").Unique().
		Annotations(entsql.OnDelete(entsql.NoAction), entity.Annotation{Files: &m.Limits})}
}

// Indexes returns the index by which the sweep, and the foreign key, find the row of a file.
func (m OneFile) Indexes() []ent.Index { return []ent.Index{index.Fields(m.Name + "_id")} }

// ManyFiles returns an edge that gives rows a list of files. It is called for a variable of the
// package, so that File has the edge back:
//
//	var albumPages = ManyFiles("album", Album.Type, "pages", entity.FileLimits{…})
//
// One is the name of a row, and name that of the edge. A file holds the key of its row.
func ManyFiles(one string, of any, name string, limits entity.FileLimits) ent.Edge {
	fileHolders = append(fileHolders, edge.From(one+"_of_"+name, of).Ref(name).Unique())
	return edge.To(name, File.Type).Annotations(entsql.OnDelete(entsql.SetNull), entity.Annotation{Files: &limits})
}
