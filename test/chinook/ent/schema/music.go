package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Artist records albums.
type Artist struct{ ent.Schema }

// Mixin returns the mixins.
func (Artist) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "artist", Shown: []string{"name", "albums"}}}
}

// Fields returns the fields that no mixin adds.
func (Artist) Fields() []ent.Field { return []ent.Field{field.String("name").MaxRuneLen(120)} }

// Edges returns the relations to other entities.
func (Artist) Edges() []ent.Edge { return []ent.Edge{edge.To("albums", Album.Type)} }

// Indexes returns the indexes of the table.
func (Artist) Indexes() []ent.Index { return []ent.Index{index.Fields("name")} }

// Label publishes albums. The API shows no labels, but finds albums by them.
type Label struct{ ent.Schema }

// Mixin returns the mixins.
func (Label) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "label", Shown: []string{"name"}}}
}

// Fields returns the fields that no mixin adds.
func (Label) Fields() []ent.Field { return []ent.Field{field.String("name").MaxRuneLen(120)} }

// Edges returns the relations to other entities.
func (Label) Edges() []ent.Edge { return []ent.Edge{edge.To("albums", Album.Type)} }

// Album is a list of tracks by one artist.
type Album struct{ ent.Schema }

// Mixin returns the mixins.
func (Album) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "album", Shown: []string{"title", "artist", "label", "tracks"}}}
}

// Fields returns the fields that no mixin adds.
func (Album) Fields() []ent.Field {
	return []ent.Field{field.String("title").MaxRuneLen(160), key("artist_id"), maybeKey("label_id")}
}

// Edges returns the relations to other entities.
func (Album) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("artist", Artist.Type).Ref("albums").Field("artist_id").Unique().Required(),
		edge.From("label", Label.Type).Ref("albums").Field("label_id").Unique(),
		edge.To("tracks", Track.Type),
	}
}

// Indexes returns the indexes of the table.
func (Album) Indexes() []ent.Index {
	return []ent.Index{index.Fields("title"), index.Fields("artist_id", "id"), index.Fields("label_id", "id")}
}

// Genre is a kind of music.
type Genre struct{ ent.Schema }

// Mixin returns the mixins.
func (Genre) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "genre", Shown: []string{"name", "tracks"}}}
}

// Fields returns the fields that no mixin adds.
func (Genre) Fields() []ent.Field { return []ent.Field{field.String("name").MaxRuneLen(120).Unique()} }

// Edges returns the relations to other entities.
func (Genre) Edges() []ent.Edge { return []ent.Edge{edge.To("tracks", Track.Type)} }

// MediaType is the format of a file.
type MediaType struct{ ent.Schema }

// Mixin returns the mixins.
func (MediaType) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "mediatype", Shown: []string{"name"}}}
}

// Fields returns the fields that no mixin adds.
func (MediaType) Fields() []ent.Field {
	return []ent.Field{field.String("name").MaxRuneLen(120).Unique()}
}

// Edges returns the relations to other entities.
func (MediaType) Edges() []ent.Edge { return []ent.Edge{edge.To("tracks", Track.Type)} }

// Track is one piece of music.
type Track struct{ ent.Schema }

// Mixin returns the mixins.
func (Track) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "track", Shown: []string{
		"name", "composer", "milliseconds", "bytes", "unitPrice", "album", "genre", "mediaType", "playlists", "invoiceLines", "foundUnder"},
		Unites: map[string][]string{"foundUnder": {"album", "genre"}}, Search: []string{"name", "composer"}}}
}

// Fields returns the fields that no mixin adds.
func (Track) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxRuneLen(200),
		field.String("composer").MaxRuneLen(220).Optional().Nillable(),
		field.Int32("milliseconds"),
		field.Int64("bytes").Optional().Nillable(),
		price("unit_price"),
		maybeKey("album_id"), maybeKey("genre_id"), key("media_type_id"),
	}
}

// Edges returns the relations to other entities.
func (Track) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("album", Album.Type).Ref("tracks").Field("album_id").Unique(),
		edge.From("genre", Genre.Type).Ref("tracks").Field("genre_id").Unique(),
		edge.From("media_type", MediaType.Type).Ref("tracks").Field("media_type_id").Unique().Required(),
		edge.From("playlists", Playlist.Type).Ref("tracks"),
		edge.To("invoice_lines", InvoiceLine.Type),
	}
}

// Indexes returns the indexes of the table.
func (Track) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name"), index.Fields("milliseconds"), index.Fields("bytes"), index.Fields("unit_price"),
		index.Fields("album_id", "id"), index.Fields("genre_id", "id"), index.Fields("media_type_id", "id"),
	}
}

// Playlist has any tracks, and a track is in any playlists.
type Playlist struct{ ent.Schema }

// Mixin returns the mixins.
func (Playlist) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "playlist", Shown: []string{"name", "tracks"}}}
}

// Fields returns the fields that no mixin adds.
func (Playlist) Fields() []ent.Field { return []ent.Field{field.String("name").MaxRuneLen(120)} }

// Edges returns the relations to other entities.
func (Playlist) Edges() []ent.Edge { return []ent.Edge{edge.To("tracks", Track.Type)} }

// Indexes returns the indexes of the table.
func (Playlist) Indexes() []ent.Index { return []ent.Index{index.Fields("name")} }
