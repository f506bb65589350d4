// Package schema has edges and keys of every kind.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

var blobOnSQLite = map[string]string{dialect.SQLite: "blob"}

// shown adds the annotation of an entity whose fields and edges everybody may see.
func shown(prefix string, names ...string) schema.Annotation {
	return entity.Annotation{Prefix: prefix, ShownToAll: append(names, "id")}
}

// open is the policy of entities that everybody may see. Nobody but a test writes them.
type open struct {
	mixin.Schema
	remove rule.Who // who may delete rows
}

func (o open) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: o.remove}
}

// Listener has a UUID as its key. Listeners follow each other, in one direction, and are friends,
// in both. They like tracks, which is many-to-many with a join table that is no entity.
type Listener struct{ ent.Schema }

func (Listener) Mixin() []ent.Mixin { return []ent.Mixin{open{}} }

func (Listener) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("listener", "name", "likes", "rated", "following", "followers", "friends", "partner", "playlists")}
}

func (Listener) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).SchemaType(blobOnSQLite),
		field.String("name"),
	}
}

func (Listener) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("likes", Track.Type),
		edge.To("rated", Track.Type).Through("ratings", Rating.Type),
		edge.To("following", Listener.Type).From("followers"),
		edge.To("friends", Listener.Type),
		edge.To("partner", Listener.Type).Unique(),
		edge.To("playlists", Playlist.Type),
		edge.From("concerts", Concert.Type).Ref("guests"),
		edge.From("designs", Poster.Type).Ref("designer"),
	}
}

// Track has a whole number of 64 bits as its key. It is in playlists, through an entity with
// columns of its own. It may have one sleeve.
type Track struct{ ent.Schema }

func (Track) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}} }

func (Track) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("track", "name", "length", "genre", "likedBy", "raters", "ratings", "labels", "playlists", "playlistTracks", "sleeve")}
}

func (Track) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("name"),
		field.Int32("length").Optional().Nillable(),
		field.String("genre_id").Optional().Nillable(),
	}
}

func (Track) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("liked_by", Listener.Type).Ref("likes"),
		edge.From("genre", Genre.Type).Ref("tracks").Field("genre_id").Unique(),
		edge.To("sleeve", Sleeve.Type).Unique(),
		edge.To("labels", Label.Type),
		edge.From("raters", Listener.Type).Ref("rated").Through("ratings", Rating.Type),
		edge.From("playlists", Playlist.Type).Ref("tracks").Through("playlist_tracks", PlaylistTrack.Type),
	}
}

// Rating is what a listener thinks of a track. Its key is that of the two.
type Rating struct{ ent.Schema }

func (Rating) Mixin() []ent.Mixin { return []ent.Mixin{open{}} }

func (Rating) Annotations() []schema.Annotation {
	return []schema.Annotation{
		field.ID("listener_id", "track_id"),
		entity.Annotation{Owner: "listener_id", ShownToAll: []string{"stars", "listener", "track"}, ShownToOwners: []string{"remark"}},
	}
}

func (Rating) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("listener_id", uuid.UUID{}).SchemaType(blobOnSQLite),
		field.Int64("track_id"),
		field.Int32("stars"),
		field.String("remark").Optional().Nillable(),
	}
}

func (Rating) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("listener", Listener.Type).Field("listener_id").Unique().Required(),
		edge.To("track", Track.Type).Field("track_id").Unique().Required(),
	}
}

// Label has no type in the GraphQL schema, and only administrators see its rows.
type Label struct{ ent.Schema }

func (Label) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("", "name", "tracks")}
}

func (Label) Fields() []ent.Field { return []ent.Field{field.String("name")} }

func (Label) Edges() []ent.Edge { return []ent.Edge{edge.From("tracks", Track.Type).Ref("labels")} }

func (Label) Policy() ent.Policy { return rule.Policy{Read: rule.Admins, Create: rule.Admins} }

// Sleeve is what one track comes in. Its key is a whole number of 32 bits.
type Sleeve struct{ ent.Schema }

func (Sleeve) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}} }

func (Sleeve) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("sleeve", "color", "track")}
}

func (Sleeve) Fields() []ent.Field {
	return []ent.Field{field.Int32("id"), field.String("color")}
}

func (Sleeve) Edges() []ent.Edge {
	return []ent.Edge{edge.From("track", Track.Type).Ref("sleeve").Unique()}
}

// Genre has a text as its key. Genres are a tree, and similar to each other.
type Genre struct{ ent.Schema }

func (Genre) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}} }

func (Genre) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("genre", "rank", "parent", "children", "tracks", "similar", "parentId")}
}

func (Genre) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").NotEmpty().MaxLen(100),
		field.Int32("rank"),
		field.String("parent_id").Optional().Nillable(),
	}
}

func (Genre) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Genre.Type).From("parent").Field("parent_id").Unique(),
		edge.To("tracks", Track.Type),
		edge.To("similar", Genre.Type),
	}
}

// Playlist belongs to a listener.
type Playlist struct{ ent.Schema }

func (Playlist) Mixin() []ent.Mixin { return []ent.Mixin{open{remove: rule.Admins}} }

func (Playlist) Annotations() []schema.Annotation {
	return []schema.Annotation{shown("playlist", "name", "tracks", "playlistTracks", "listener")}
}

func (Playlist) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).SchemaType(blobOnSQLite),
		field.String("name"),
		field.UUID("listener_id", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite),
	}
}

func (Playlist) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("tracks", Track.Type).Through("playlist_tracks", PlaylistTrack.Type),
		edge.From("listener", Listener.Type).Ref("playlists").Field("listener_id").Unique(),
	}
}

// PlaylistTrack is a track's place in a playlist. Only the listener who has added it sees it, and
// administrators do.
type PlaylistTrack struct{ ent.Schema }

func (PlaylistTrack) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{Owner: "added_by", ShownToAll: []string{"id", "position", "addedAt", "addedBy", "playlistId", "trackId", "track"}, ShownToOwners: []string{"note"}},
	}
}

func (PlaylistTrack) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("playlist_id", uuid.UUID{}).SchemaType(blobOnSQLite),
		field.Int64("track_id"),
		field.Int32("position"),
		field.String("note").Optional().Nillable(),
		field.Time("added_at"),
		field.UUID("added_by", uuid.UUID{}).SchemaType(blobOnSQLite),
	}
}

func (PlaylistTrack) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("playlist", Playlist.Type).Field("playlist_id").Unique().Required(),
		edge.To("track", Track.Type).Field("track_id").Unique().Required(),
		edge.To("adder", Listener.Type).Field("added_by").Unique().Required(),
	}
}

func (PlaylistTrack) Indexes() []ent.Index {
	return []ent.Index{index.Fields("playlist_id", "track_id").Unique()}
}

func (PlaylistTrack) Policy() ent.Policy {
	return rule.Policy{Read: rule.Owners, Create: rule.Admins, Owner: rule.Owner{Column: "added_by"}}
}
