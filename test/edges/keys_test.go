package edges

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/read"
	"forge/test/edges/ent"
	"forge/test/edges/ent/genre"
	"forge/test/edges/ent/predicate"
	"forge/test/edges/ent/sleeve"
	"forge/test/edges/ent/track"
)

func genres(list []*ent.Genre) (all []string) {
	for _, g := range list {
		all = append(all, g.GlobalID().String())
	}
	return all
}

func idsOf(list []named) (all []string) {
	for _, n := range list {
		all = append(all, n.ID)
	}
	return all
}

// TestKeysLookUp looks rows up by keys of each form, alone and in a list.
func TestKeysLookUp(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		for _, g := range f.genres {
			id := g.GlobalID().String()
			var got struct {
				Genre struct {
					ID       string
					Rank     int32
					ParentID *string
					Parent   *named
					Children []named
					Similar  page
					Tracks   page
				}
				Node *named
			}
			w.all(admin, `query($id: ID!) { genre(id: $id) { id rank parentId parent { id } children { id } similar { totalCount nodes { id } } tracks { totalCount nodes { id name } } }
				node(id: $id) { id } }`, map[string]any{"id": id}, &got)
			if got.Genre.ID != id || got.Node.ID != id || got.Genre.Rank != g.Rank || (got.Genre.Parent == nil) != (g.ParentID == nil) {
				w.Errorf("%s is read as %+v", id, got)
			}
			if g.ParentID != nil {
				want := ids.OfText("genre", *g.ParentID).String()
				w.same("parent", []string{got.Genre.Parent.ID, *got.Genre.ParentID}, []string{want, want})
			}
			w.same("children of "+id, idsOf(got.Genre.Children), genres(g.QueryChildren().Order(genre.ByID()).AllX(w.system)))
			w.same("similar to "+id, idsOf(got.Genre.Similar.Nodes), genres(g.QuerySimilar().Order(genre.ByID()).AllX(w.system)))
			w.same("tracks of "+id, texts(got.Genre.Tracks.Nodes), tracks(g.QueryTracks().Order(track.ByID()).AllX(w.system)))
		}
		for _, s := range f.sleeves {
			var got struct {
				Sleeve struct {
					Color string
					Track struct {
						ID     string
						Sleeve struct{ ID string }
						Genre  *named
					}
				}
			}
			id := s.GlobalID().String()
			w.all(admin, `query($id: ID!) { sleeve(id: $id) { color track { id sleeve { id } genre { id } } } }`, map[string]any{"id": id}, &got)
			of := s.QueryTrack().OnlyX(w.system)
			if got.Sleeve.Color != s.Color || got.Sleeve.Track.ID != of.GlobalID().String() || got.Sleeve.Track.Sleeve.ID != id ||
				(got.Sleeve.Track.Genre == nil) != (of.GenreID == nil) || of.GenreID != nil && got.Sleeve.Track.Genre.ID != ids.OfText("genre", *of.GenreID).String() {
				w.Errorf("%s is read as %+v", id, got)
			}
		}
		list := []any{f.genres[3].GlobalID().String(), f.tracks[2].GlobalID().String(), f.genres[0].GlobalID().String(), "track_99999999999", f.sleeves[1].GlobalID().String(),
			f.listeners[2].GlobalID().String(), f.tracks[2].GlobalID().String(), "sleeve_99999999999", "genre_None", f.tracks[0].GlobalID().String()}
		a := w.ask(admin, `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Track { genre { id } likedBy { id } } ... on Genre { children { id } } } }`, map[string]any{"ids": list})
		var found []string
		for _, id := range list {
			if strings.Contains(a.data, `{"id":"`+id.(string)+`"`) {
				found = append(found, id.(string))
			}
		}
		if len(a.errors) > 0 || len(found) != 7 || strings.Count(a.data, "null") < 3 {
			w.Errorf("nodes: %s, %q", a.data, a.errors)
		}
		for _, id := range []string{"track_99999999999", "track_-1", "track_0", "sleeve_99999999999", "genre_None", "listener_" + strings.Repeat("0", 26)} {
			field, _, _ := strings.Cut(id, "_")
			if a := w.ask(admin, `{ `+field+`(id: "`+id+`") { id } node(id: "`+id+`") { id } }`, nil); a.data != `{"`+field+`":null,"node":null}` || len(a.errors) > 0 {
				w.Errorf("%s: %s, %q; want null", id, a.data, a.errors)
			}
		}
	})
}

// TestKeysRefused sends IDs whose keys are not of the form that the entity has.
func TestKeysRefused(t *testing.T) {
	each(t, func(w *world) {
		someUUID := ids.ID{Prefix: "track", UUID: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")}.String()
		for _, tt := range []struct{ query, argument, message string }{
			{`{ track(id: "track_abc") { id } }`, "id", `"track_abc" is not an ID: one looks like track_42`},
			{`{ track(id: "track_042") { id } }`, "id", `"track_042" is not an ID: one looks like track_42`},
			{`{ track(id: "track_9223372036854775808") { id } }`, "id", `one looks like track_42`},
			{`{ track(id: "` + someUUID + `") { id } }`, "id", `one looks like track_42`},
			{`{ track(id: "genre_7") { id } }`, "id", `genre_7 is the ID of something else: one of the form track_… is wanted`},
			{`{ node(id: "track_abc") { id } }`, "id", `one looks like track_42`},
			{`{ node(id: "genre_01h455vb4pex5vsknk084sn02q") { id } }`, "id", `one looks like genre_Rock`},
			{`{ node(id: "listener_42") { id } }`, "id", `one looks like listener_01h455vb4pex5vsknk084sn02q`},
			{`{ nodes(ids: ["track_1", "track_1.0"]) { id } }`, "ids.1", `"track_1.0" is not an ID: one looks like track_42`},
			{`{ tracks(where: {id: "track_"}) { totalCount } }`, "where.id", `"track_" is not an ID: one looks like track_42`},
			{`{ tracks(where: {idIn: ["track_1", "track_x"]}) { totalCount } }`, "where.idIn.1", `one looks like track_42`},
			{`{ tracks(where: {genreId: "genre_Drum & Bass"}) { totalCount } }`, "where.genreId", `one looks like genre_Rock`},
			{`{ tracks(where: {hasGenreWith: [{parentIdIn: ["track_1"]}]}) { totalCount } }`, "where.hasGenreWith.0.parentIdIn.0", `one of the form genre_… is wanted`},
			{`{ listeners(where: {id: "listener_1"}) { totalCount } }`, "where.id", `one looks like listener_01h455vb4pex5vsknk084sn02q`},
		} {
			a := w.ask(admin, tt.query, nil)
			if len(a.errors) != 1 || !strings.HasPrefix(a.errors[0], "BAD_USER_INPUT "+tt.argument+" ") || !strings.Contains(a.errors[0], tt.message) {
				w.Errorf("%s: %q, want %s at %s", tt.query, a.errors, tt.message, tt.argument)
			}
		}
	})
}

// TestKeysPages walks through lists whose keys are numbers and texts.
func TestKeysPages(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		for _, tt := range []struct {
			field, order string
			want         []string
		}{
			{"tracks", "", trackIDs(w.ent.Track.Query().Order(track.ByID()).AllX(w.system))},
			{"tracks", "LENGTH", trackIDs(w.ent.Track.Query().Order(track.ByLength(nullsLast), track.ByID()).AllX(w.system))},
			{"genres", "", genres(w.ent.Genre.Query().Order(genre.ByID()).AllX(w.system))},
			{"genres", "RANK", genres(w.ent.Genre.Query().Order(genre.ByRank(), genre.ByID()).AllX(w.system))},
		} {
			order := ""
			if tt.order != "" {
				order = `, orderBy: [{field: ` + tt.order + `}]`
			}
			var forwards, backwards []string
			for after := "null"; ; {
				var got map[string]page
				w.all(admin, `{ `+tt.field+`(first: 2, after: `+after+order+`) { nodes { id } pageInfo { hasNextPage endCursor } } }`, nil, &got)
				forwards = append(forwards, idsOf(got[tt.field].Nodes)...)
				if !got[tt.field].PageInfo.HasNextPage {
					break
				}
				after = `"` + *got[tt.field].PageInfo.EndCursor + `"`
			}
			w.same(tt.field+" forwards", forwards, tt.want)
			for before := "null"; ; {
				var got map[string]page
				w.all(admin, `{ `+tt.field+`(last: 4, before: `+before+order+`) { nodes { id } pageInfo { hasPreviousPage startCursor } } }`, nil, &got)
				backwards = append(idsOf(got[tt.field].Nodes), backwards...)
				if !got[tt.field].PageInfo.HasPreviousPage {
					break
				}
				before = `"` + *got[tt.field].PageInfo.StartCursor + `"`
			}
			w.same(tt.field+" backwards", backwards, tt.want)
		}
		if len(f.genres) != 7 || !slices.IsSorted([]string{"01h455vb4pex5vsknk084sn02q", "7", "Drum & Bass", "Rock", "Zouk", "a/b.c~d", "Ёж_%"}) {
			w.Error("the genres do not stand in the order of their bytes")
		}
	})
}

func trackIDs(list []*ent.Track) (all []string) {
	for _, t := range list {
		all = append(all, t.GlobalID().String())
	}
	return all
}

// TestKeysFilters compares conditions on keys of each form, and over edges that hold them, with
// plain ent's.
func TestKeysFilters(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		list := func(of ...fmt.Stringer) string {
			var quoted []string
			for _, id := range of {
				quoted = append(quoted, `"`+id.String()+`"`)
			}
			return "[" + strings.Join(quoted, ", ") + "]"
		}
		g := f.genres
		for _, tt := range []struct {
			where string
			only  predicate.Track
		}{
			{`id: "track_2"`, track.ID(2)},
			{`id: "track_9223372036854775807"`, track.ID(0)},
			{`idIn: ["track_2", "track_9223372036854775807", "track_5"]`, track.IDIn(2, 5)},
			{`idIn: []`, track.IDIn()},
			{`genreId: "` + g[1].GlobalID().String() + `"`, track.GenreID(g[1].ID)},
			{`genreIdIn: ` + list(g[1].GlobalID(), g[3].GlobalID(), g[5].GlobalID()), track.GenreIDIn(g[1].ID, g[3].ID, g[5].ID)},
			{`not: {genreIdIn: ` + list(g[1].GlobalID()) + `}`, track.Not(track.GenreIDIn(g[1].ID))},
			{`hasGenreWith: [{hasParentWith: [{id: "` + g[2].GlobalID().String() + `"}]}]`, track.HasGenreWith(genre.HasParentWith(genre.ID(g[2].ID)))},
			{`hasGenreWith: [{hasChildrenWith: [{rankGT: 0}], not: {parentIdIsNil: true}}]`,
				track.HasGenreWith(genre.HasChildrenWith(genre.RankGT(0)), genre.ParentIDNotNil())},
			{`hasGenreWith: [{hasSimilarWith: [{hasTracksWith: [{idIn: ["track_5", "track_6", "track_7"]}]}]}]`,
				track.HasGenreWith(genre.HasSimilarWith(genre.HasTracksWith(track.IDIn(5, 6, 7))))},
			{`hasSleeveWith: [{idIn: ["sleeve_1", "sleeve_3", "sleeve_99999999999"]}]`, track.HasSleeveWith(sleeve.IDIn(1, 3))},
			{`hasSleeveWith: [{not: {id: "sleeve_99999999999"}}]`, track.HasSleeve()},
		} {
			want := trackIDs(w.ent.Track.Query().Where(tt.only).Order(track.ByID()).AllX(w.system))
			var got struct{ Tracks page }
			w.all(admin, `{ tracks(where: {`+tt.where+`}) { totalCount nodes { id } } }`, nil, &got)
			w.same(tt.where, idsOf(got.Tracks.Nodes), want)
			if got.Tracks.TotalCount != len(want) {
				w.Errorf("%s: %d, want %d", tt.where, got.Tracks.TotalCount, len(want))
			}
		}
	})
}

// TestKeysTree reads trees and edges from many rows at once.
func TestKeysTree(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		type node struct {
			ID       string
			Parent   *named
			Children []struct {
				ID       string
				Parent   named
				Children []named
				Tracks   page
				Similar  page
			}
		}
		var got struct{ Genres struct{ Nodes []node } }
		w.all(admin, `{ genres { nodes { id parent { id } children { id parent { id } children { id }
			tracks(first: 2, offset: 1) { totalCount nodes { id name } } similar(last: 2) { totalCount nodes { id } } } } } }`, nil, &got)
		if len(got.Genres.Nodes) != len(f.genres) {
			w.Fatalf("%d genres", len(got.Genres.Nodes))
		}
		seen := 0
		for _, n := range got.Genres.Nodes {
			for _, child := range n.Children {
				seen++
				if child.Parent.ID != n.ID {
					w.Errorf("the parent of %s is %s, and it is a child of %s", child.ID, child.Parent.ID, n.ID)
				}
				id, err := ids.Parse(child.ID)
				if err != nil {
					w.Fatal(err)
				}
				g := w.ent.Genre.GetX(w.system, id.Text)
				w.same("children", idsOf(child.Children), genres(g.QueryChildren().Order(genre.ByID()).AllX(w.system)))
				of := tracks(g.QueryTracks().Order(track.ByID()).AllX(w.system))
				w.same("tracks", texts(child.Tracks.Nodes), of[min(1, len(of)):min(3, len(of))])
				similar := genres(g.QuerySimilar().Order(genre.ByID()).AllX(w.system))
				w.same("similar", idsOf(child.Similar.Nodes), similar[max(0, len(similar)-2):])
				if child.Tracks.TotalCount != len(of) || child.Similar.TotalCount != len(similar) {
					w.Errorf("%s: %+v", child.ID, child)
				}
			}
		}
		if seen != len(f.genres)-2 {
			w.Errorf("%d children, want %d", seen, len(f.genres)-2)
		}
	})
}

// TestKeysShared has many requests at once look rows and pages up by keys of each form. On PostgreSQL
// they share statements, with a list of keys.
func TestKeysShared(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		w.engine = w.newEngine(read.Options{Query: ent.QueryEntity})
		if w.db.Dialect != dialect.Postgres {
			return // there, statements are not shared
		}
		var lists atomic.Int64
		w.db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) {
			if strings.Contains(text, "unnest") {
				lists.Add(1)
			}
		}
		type asked struct {
			op   func() *graphql.OperationContext
			want string
		}
		var all []asked
		for _, id := range slices.Concat(trackIDs(f.tracks), genres(f.genres)) {
			field, _, _ := strings.Cut(id, "_")
			all = append(all, asked{w.kept(`query($id: ID!) { `+field+`(id: $id) { id } }`, map[string]any{"id": id}), `{"` + field + `":{"id":"` + id + `"}}`})
		}
		for _, field := range []string{"tracks", "genres"} {
			var got map[string]struct {
				Edges []struct {
					Cursor string
					Node   named
				}
			}
			w.all(admin, `{ `+field+` { edges { cursor node { id } } } }`, nil, &got)
			for i, edge := range got[field].Edges[1:] {
				all = append(all, asked{w.kept(`query($after: Cursor!) { `+field+`(first: 1, after: $after) { nodes { id } } }`,
					map[string]any{"after": got[field].Edges[i].Cursor}), `{"` + field + `":{"nodes":[{"id":"` + edge.Node.ID + `"}]}}`})
			}
		}
		for range 20 {
			var running sync.WaitGroup
			for _, a := range all {
				running.Go(func() {
					if got := w.run(admin, a.op()); got.data != a.want || len(got.errors) > 0 {
						w.Errorf("got %s, %q, want %s", got.data, got.errors, a.want)
					}
				})
			}
			if running.Wait(); lists.Load() > 20 {
				return
			}
		}
		if lists.Load() == 0 {
			w.Error("no statement was shared")
		}
	})
}
