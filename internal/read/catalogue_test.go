package read

import "forge/internal/entity"

// catalogue is a schema for catalogueEntities.
const catalogue = `
scalar Cursor
interface Node { id: ID! }
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  artist(id: ID!): Artist
  artists(first: Int, after: Cursor, last: Int, before: Cursor, offset: Int): ArtistConnection!
  tracks(first: Int, where: TrackWhereInput): TrackConnection!
  labels: LabelConnection!
  albums: AlbumConnection!
}
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: Cursor endCursor: Cursor }
type Artist implements Node { id: ID! title: String! mail: String rank: String! tracks(first: Int): TrackConnection! }
type ArtistConnection { edges: [ArtistEdge!]! nodes: [Artist!]! pageInfo: PageInfo! totalCount: Int! }
type ArtistEdge { cursor: Cursor! node: Artist! }
type Track implements Node { id: ID! name: String! length: Int! artist: Artist label: Label }
type TrackConnection { nodes: [Track!]! totalCount: Int! }
input TrackWhereInput { name: String }
type Label implements Node { id: ID! name: String! }
type LabelConnection { nodes: [Label!]! }
type Album implements Node { id: ID! credits: [Credit!]! }
type AlbumConnection { nodes: [Album!]! totalCount: Int! }
type Credit implements Node { id: ID! studio: Studio }
type Studio implements Node { id: ID! code: String! }
`

func catalogueEntities() []*entity.Entity {
	of := func(name, prefix, table string, edges []entity.Edge, columns ...entity.Field) *entity.Entity {
		e := &entity.Entity{Name: name, Prefix: prefix, Table: table, Ruled: true, Edges: edges, Visible: map[string]entity.Visibility{}}
		e.Fields = append([]entity.Field{{Name: "id", Column: "id", Kind: entity.ID, Type: "uuid.UUID", Refers: name}}, columns...)
		for _, f := range e.Fields {
			e.Visible[f.Name] = entity.ToAll
		}
		for _, edge := range edges {
			e.Visible[edge.Name] = entity.ToAll
		}
		return e
	}
	text := func(name string) entity.Field {
		return entity.Field{Name: name, Column: name, Kind: entity.String, Type: "string"}
	}
	number := func(name string) entity.Field {
		return entity.Field{Name: name, Column: name, Kind: entity.Int, Type: "int32"}
	}
	one := func(name, to string) entity.Edge {
		return entity.Edge{Name: name, To: to, Column: name + "_id", OwnKey: true, Unique: true, Nullable: true}
	}
	return []*entity.Entity{
		of("Artist", "artist", "artists", []entity.Edge{{Name: "tracks", To: "Track", Column: "artist_id"}}, text("title"), text("mail"), text("rank")),
		of("Track", "track", "tracks", []entity.Edge{one("artist", "Artist"), one("label", "Label")}, text("name"), number("length")),
		of("Label", "label", "labels", nil, text("name")),
		of("Album", "album", "albums", []entity.Edge{{Name: "credits", To: "Credit", Column: "album_id"}}),
		of("Credit", "credit", "credits", []entity.Edge{one("studio", "Studio")}),
		of("Studio", "studio", "studios", nil, text("code")),
	}
}
