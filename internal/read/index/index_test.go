package index_test

import (
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/index"
	"forge/internal/schema"
)

const catalogue = `
scalar Cursor
interface Node { id: ID! }
type Query { albums(where: AlbumWhereInput, deleted: Boolean): AlbumConnection! tracks(where: TrackWhereInput, orderBy: [TrackOrder!]): TrackConnection! }
enum OrderDirection { ASC DESC }
type Album implements Node { id: ID! title: String! tracks(orderBy: [TrackOrder!]): TrackConnection! }
type AlbumConnection { nodes: [Album!]! }
input AlbumWhereInput { hasTracks: Boolean tracksCountGT: Int hasTracksWith: [TrackWhereInput!] }
type Track implements Node { id: ID! name: String! }
type TrackConnection { nodes: [Track!]! }
input TrackWhereInput { id: ID name: String nameIn: [String!] nameHasPrefix: String nameNEQ: String nameNotIn: [String!] nameContains: String nameHasSuffix: String nameEqualFold: String
	lengthGT: Int lengthIsNil: Boolean lengthNotNil: Boolean hasAlbum: Boolean hasAlbumWith: [AlbumWhereInput!] }
input TrackOrder { field: TrackOrderField! direction: OrderDirection! = ASC }
enum TrackOrderField { NAME LENGTH ALBUM_TITLE }
`

// album has the list of tracks, track the key to it.
func entities() []*entity.Entity {
	key := func(name string) entity.Field {
		return entity.Field{Name: "id", Column: "id", Kind: entity.ID, Type: "uuid.UUID", Refers: name}
	}
	return []*entity.Entity{
		{Name: "Album", Prefix: "album", Table: "albums", Ruled: true, Deleted: "deleted_at", Fields: []entity.Field{key("Album"), {Name: "title", Column: "title", Kind: entity.String, Type: "string"}}, Edges: []entity.Edge{{Name: "tracks", To: "Track", Column: "album_id"}}},
		{Name: "Track", Prefix: "track", Table: "tracks", Ruled: true, Fields: []entity.Field{
			key("Track"), {Name: "name", Column: "name", Kind: entity.String, Type: "string"}, {Name: "length", Column: "length", Kind: entity.Int, Type: "int32", Nullable: true},
			{Name: "albumId", Column: "album_id", Kind: entity.ID, Type: "uuid.UUID", Refers: "Album", Nullable: true},
		}, Edges: []entity.Edge{{Name: "album", To: "Album", Column: "album_id", OwnKey: true, Unique: true, Nullable: true}}},
	}
}

// tables returns the two tables, with indexes that are written as in "name id". A word before the
// columns makes an index a special one. The column title is one of the first table, and all others
// of the second. An empty text takes the index of deleted rows from the first.
func tables(indexes ...string) []*schema.Table {
	columns := map[string]*schema.Column{}
	for _, name := range []string{"id", "name", "length", "album_id", "title"} {
		columns[name] = &schema.Column{Name: name}
	}
	albums := &schema.Table{Name: "albums", PrimaryKey: []*schema.Column{columns["id"]}}
	tracks := &schema.Table{Name: "tracks", PrimaryKey: []*schema.Column{columns["id"]}}
	tracks.ForeignKeys = []*schema.ForeignKey{{Columns: []*schema.Column{columns["album_id"]}}}
	for _, text := range indexes {
		i := &schema.Index{}
		for _, word := range strings.Fields(text) {
			switch word {
			case "unique":
				i.Unique = true
			case "desc":
				i.Annotation = &entsql.IndexAnnotation{Desc: true}
			case "gin":
				i.Annotation = &entsql.IndexAnnotation{Types: map[string]string{dialect.Postgres: "GIN"}}
			case "partial":
				i.Annotation = &entsql.IndexAnnotation{Where: "length > 0"}
			default:
				i.Columns = append(i.Columns, columns[word])
			}
		}
		if len(i.Columns) > 0 && i.Columns[0] == columns["title"] {
			albums.Indexes = append(albums.Indexes, i)
		} else {
			tracks.Indexes = append(tracks.Indexes, i)
		}
	}
	for condition, is := range map[string]bool{"deleted_at IS NULL": true, "deleted_at IS NOT NULL": !slices.Contains(indexes, "")} {
		if is {
			albums.Indexes = append(albums.Indexes, &schema.Index{Columns: albums.PrimaryKey, Annotation: entsql.IndexWhere(condition)})
		}
	}
	return []*schema.Table{albums, tracks}
}

func bound(t *testing.T) *binding.Binding {
	t.Helper()
	b, err := binding.Bind(binding.Contract{Schema: gqlparser.MustLoadSchema(&ast.Source{Input: catalogue}), Entities: entities(), Refers: func(string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFind(t *testing.T) {
	t.Parallel()
	b := bound(t)
	const (
		descending = `TrackOrderField.LENGTH DESC: no index has this order, so that the whole table is read and sorted. ` +
			`Add index.Fields("length", "id").StorageKey("track_length_desc").Annotations(entsql.DescColumns("length", "id")) to the Indexes of Track in ent/schema.`
		compared = `TrackWhereInput.lengthGT, TrackWhereInput.lengthIsNil, TrackOrderField.LENGTH: no index begins with the column length of tracks, so that the whole table is read. ` +
			`Add index.Fields("length", "id") to the Indexes of Track in ent/schema.`
		names = `TrackWhereInput.name, TrackWhereInput.nameHasPrefix, TrackWhereInput.nameIn, TrackOrderField.NAME: no index begins with the column name of tracks, so that the whole table is read. ` +
			`Add index.Fields("name", "id") to the Indexes of Track in ent/schema.`
		keys = `AlbumWhereInput.hasTracks, TrackWhereInput.hasAlbumWith, AlbumWhereInput.hasTracksWith, AlbumWhereInput.tracksCountGT, Album.tracks, TrackOrderField.ALBUM_TITLE: ` +
			`no index begins with the column album_id of tracks, so that the whole table is read. Add index.Fields("album_id", "id") to the Indexes of Track in ent/schema.`
		titles = `TrackOrderField.ALBUM_TITLE: no index begins with the column title of albums, so that the whole table is read. ` +
			`Add index.Fields("title", "id") to the Indexes of Album in ent/schema.`
		deleted = `Query.albums(deleted:): no index holds the rows that are deleted, so that the whole table is read. ` +
			`Add index.Fields("id").Annotations(entsql.IndexWhere("deleted_at IS NOT NULL")) to the Indexes of Album in ent/schema.`
		sorted = `Album.tracks by LENGTH: all rows of a parent are read and sorted. Add index.Fields("album_id", "length", "id") to the Indexes of Track in ent/schema.`
	)
	all := []string{"name id", "length id", "desc length id", "album_id id", "album_id name", "album_id length", "title id"}
	without := func(index string, others ...string) []string {
		return append(slices.DeleteFunc(slices.Clone(all), func(one string) bool { return one == index }), others...)
	}
	for name, tt := range map[string]struct{ indexes, want []string }{
		"all there":                   {all, nil},
		"a unique one":                {without("name id", "unique name"), nil},
		"without the key":             {without("desc length id", "desc length"), []string{descending}},
		"one direction":               {without("desc length id"), []string{descending}},
		"a partial one":               {without("desc length id", "partial length id"), []string{descending}},
		"no column":                   {without("name id", "gin name"), []string{names}},
		"an order of a list":          {without("album_id length"), []string{sorted}},
		"no order of related rows":    {without("title id"), []string{titles}},
		"no key":                      {[]string{"name id", "length id", "desc length id", "title id"}, []string{keys}},
		"none of what is deleted":     {append(slices.Clone(all), ""), []string{deleted}},
		"neither order nor condition": {[]string{"name id", "album_id id", "album_id name", "album_id length", "title id"}, []string{compared, descending}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, m := range index.Find(b, tables(tt.indexes...)) {
				got = append(got, m.String()+". "+m.Advice)
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestMark expects filters to know whether an index begins with their column, or with a foreign key
// before it.
func TestMark(t *testing.T) {
	t.Parallel()
	b := bound(t)
	index.Mark(b, tables("name id", "gin length", "album_id name"))
	var got []string
	for name, by := range b.Objects["Track"].Filters {
		if by.Indexed {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if want := []string{"id", "name", "nameHasPrefix", "nameIn"}; !slices.Equal(got, want) {
		t.Errorf("indexed are %q, want %q", got, want)
	}
	if below := b.Objects["Track"].Filters["name"].IndexedBelow; !slices.Equal(below, []string{"album_id"}) {
		t.Errorf("indexes of the name begin with %q, want album_id", below)
	}
	if below := b.Objects["Track"].Orders["NAME"].IndexedBelow; !slices.Equal(below, []string{"album_id"}) {
		t.Errorf("indexes of the order by name begin with %q, want album_id", below)
	}
}
