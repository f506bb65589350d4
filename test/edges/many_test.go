package edges

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/read/load"
	"forge/internal/viewer"
	"forge/test/edges/ent"
	"forge/test/edges/ent/listener"
	"forge/test/edges/ent/playlist"
	"forge/test/edges/ent/predicate"
	"forge/test/edges/ent/track"
)

// filled holds the rows that fill stores.
type filled struct {
	listeners []*ent.Listener
	tracks    []*ent.Track
	playlists []*ent.Playlist
	genres    []*ent.Genre
	sleeves   []*ent.Sleeve
}

// fill stores rows with all edges between them, at random.
func (w *world) fill() (f filled) {
	w.Helper()
	r := rand.New(rand.NewPCG(16, 1))
	for i, key := range []string{"Rock", "Drum & Bass", "7", "Ёж_%", "01h455vb4pex5vsknk084sn02q", "a/b.c~d", "Zouk"} {
		create := w.ent.Genre.Create().SetID(key).SetRank(int32(i % 3)).AddSimilar(f.genres[:i/2]...)
		if i > 1 {
			create.SetParent(f.genres[(i-1)/2])
		}
		f.genres = append(f.genres, create.SaveX(w.system))
	}
	for i := range 8 {
		f.listeners = append(f.listeners, w.ent.Listener.Create().SetName(fmt.Sprint("listener ", i%6, i)).SaveX(w.system))
	}
	for i := range 15 {
		create := w.ent.Track.Create().SetName(fmt.Sprint("track ", i%4))
		if i%3 > 0 {
			create.SetLength(int32(i % 5))
		}
		if i%4 > 0 {
			create.SetGenre(f.genres[i%len(f.genres)])
		}
		f.tracks = append(f.tracks, create.SaveX(w.system))
		if i%2 == 0 {
			f.sleeves = append(f.sleeves, w.ent.Sleeve.Create().SetColor(fmt.Sprint("color ", i)).SetTrack(f.tracks[i]).SaveX(w.system))
		}
	}
	for i := range 6 {
		create := w.ent.Playlist.Create().SetName(fmt.Sprint("playlist ", i))
		if i > 0 {
			create.SetListener(f.listeners[i%3])
		}
		f.playlists = append(f.playlists, create.SaveX(w.system))
	}
	for i, l := range f.listeners {
		change := w.ent.Listener.UpdateOne(l)
		for j, other := range f.listeners {
			if r.IntN(3) == 0 {
				change.AddFollowing(other)
			}
			if j > i && r.IntN(3) == 0 {
				change.AddFriends(other)
			}
		}
		for _, t := range f.tracks {
			if i > 0 && r.IntN(2) == 0 {
				change.AddLikes(t)
			}
		}
		if i%3 == 1 {
			change.SetPartner(f.listeners[i-1])
		}
		change.SaveX(w.system)
	}
	for i, l := range f.listeners[:4] {
		for j, t := range f.tracks {
			if r.IntN(2) == 0 {
				w.ent.Rating.Create().SetListener(l).SetTrack(t).SetStars(int32(r.IntN(6))).SetRemark(fmt.Sprint("remark ", i, j)).SaveX(w.system)
			}
		}
	}
	for i := range 3 {
		w.ent.Label.Create().SetName(fmt.Sprint("label ", i)).AddTracks(f.tracks[i*3 : i*3+4]...).SaveX(w.system)
	}
	for i, p := range f.playlists[1:] {
		for j, t := range f.tracks {
			if r.IntN(3) > 0 {
				w.ent.PlaylistTrack.Create().SetPlaylist(p).SetTrack(t).SetPosition(int32(r.IntN(100))).SetNote(fmt.Sprint("note ", i, j)).
					SetAddedAt(time.Date(2026, 1, 1+i, j, 0, 0, 0, time.UTC)).SetAdder(f.listeners[r.IntN(3)]).SaveX(w.system)
			}
		}
	}
	return f
}

// all asks for something that is to be answered without an error, and with one statement on
// PostgreSQL.
func (w *world) all(v viewer.Viewer, query string, variables map[string]any, into any) {
	w.Helper()
	a := w.ask(v, query, variables)
	if len(a.errors) > 0 {
		w.Fatalf("%s: %q", query, a.errors)
	}
	if w.db.Dialect == dialect.Postgres && a.statements != 1 {
		w.Errorf("%s: %d statements, want one", query, a.statements)
	}
	if err := json.Unmarshal([]byte(a.data), into); err != nil {
		w.Fatalf("%s: %v in %s", query, err, a.data)
	}
}

func (w *world) same(what string, got, want []string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s:\n%q, want\n%q", what, got, want)
	}
}

type named struct{ ID, Name string }

type page struct {
	Nodes      []named
	TotalCount int
	PageInfo   struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

func texts(list []named) (all []string) {
	for _, n := range list {
		all = append(all, n.ID+" "+n.Name)
	}
	return all
}

func tracks(list []*ent.Track) (all []string) {
	for _, t := range list {
		all = append(all, t.GlobalID().String()+" "+t.Name)
	}
	return all
}

func listeners(list []*ent.Listener) (all []string) {
	for _, l := range list {
		all = append(all, l.GlobalID().String()+" "+l.Name)
	}
	return all
}

var admin = viewer.System

// TestManyToManyLists compares lists over many-to-many edges with plain ent's.
func TestManyToManyLists(t *testing.T) {
	each(t, func(w *world) {
		w.fill()
		var got struct {
			Listeners struct {
				Nodes []struct {
					named
					Followers, Friends []struct {
						named
						Friends   []named
						Playlists []named
						Partner   *named
					}
					Likes struct {
						TotalCount int
						Nodes      []struct {
							named
							LikedBy []named
						}
					}
				}
			}
		}
		w.all(admin, `{ listeners { nodes { id name
			followers { id name friends { id name } playlists { id name } partner { id name } }
			friends { id name friends { id name } playlists { id name } partner { id name } }
			likes(orderBy: [{field: NAME, direction: DESC}]) { totalCount nodes { id name likedBy { id name } } } } } }`, nil, &got)
		if len(got.Listeners.Nodes) != 8 {
			w.Fatalf("%d listeners", len(got.Listeners.Nodes))
		}
		for _, n := range got.Listeners.Nodes {
			l := w.ent.Listener.Query().Where(listener.Name(n.Name)).
				WithFollowers(func(q *ent.ListenerQuery) { q.Order(listener.ByID()).WithFriends().WithPlaylists().WithPartner() }).
				WithFriends(func(q *ent.ListenerQuery) { q.Order(listener.ByID()).WithFriends().WithPlaylists().WithPartner() }).
				WithLikes(func(q *ent.TrackQuery) { q.Order(track.ByName(desc), track.ByID(desc)).WithLikedBy() }).OnlyX(w.system)
			for i, edge := range [][]*ent.Listener{l.Edges.Followers, l.Edges.Friends} {
				list := n.Followers
				if i == 1 {
					list = n.Friends
				}
				if len(list) != len(edge) {
					w.Fatalf("%s: %d, want %d", n.Name, len(list), len(edge))
				}
				for j, other := range edge {
					w.same(n.Name, []string{list[j].ID + " " + list[j].Name}, listeners([]*ent.Listener{other}))
					w.same(n.Name+": friends of "+other.Name, texts(list[j].Friends), listeners(sorted(other.Edges.Friends)))
					if len(list[j].Playlists) != len(other.Edges.Playlists) {
						w.Errorf("%s: %d playlists of %s, want %d", n.Name, len(list[j].Playlists), other.Name, len(other.Edges.Playlists))
					}
					if (list[j].Partner == nil) != (other.Edges.Partner == nil) || list[j].Partner != nil && list[j].Partner.Name != other.Edges.Partner.Name {
						w.Errorf("%s: partner of %s is %v, want %v", n.Name, other.Name, list[j].Partner, other.Edges.Partner)
					}
				}
			}
			if n.Likes.TotalCount != len(l.Edges.Likes) || len(n.Likes.Nodes) != len(l.Edges.Likes) {
				w.Fatalf("%s likes %d, %d shown, want %d", n.Name, n.Likes.TotalCount, len(n.Likes.Nodes), len(l.Edges.Likes))
			}
			for j, liked := range l.Edges.Likes {
				w.same(n.Name+" likes", []string{n.Likes.Nodes[j].ID}, []string{liked.GlobalID().String()})
				w.same(n.Name+": by whom "+liked.Name+" is liked", texts(n.Likes.Nodes[j].LikedBy), listeners(sorted(liked.Edges.LikedBy)))
			}
		}
	})
}

// sorted returns listeners in the order of their keys.
func sorted(list []*ent.Listener) []*ent.Listener {
	slices.SortFunc(list, func(a, b *ent.Listener) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return list
}

// TestManyToManyPages walks through nested pages, forwards, backwards and by offset, in several
// orders and with a condition.
func TestManyToManyPages(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		const query = `query($id: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor, $offset: Int, $where: TrackWhereInput, $orderBy: [TrackOrder!]) {
			listener(id: $id) { likes(first: $first, after: $after, last: $last, before: $before, offset: $offset, where: $where, orderBy: $orderBy) {
				totalCount nodes { id name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`
		for _, tt := range []struct {
			orderBy []any
			where   map[string]any
			order   []track.OrderOption
			only    []predicate.Track
		}{
			{nil, nil, []track.OrderOption{track.ByID()}, nil},
			{[]any{map[string]any{"field": "NAME"}}, nil, []track.OrderOption{track.ByName(), track.ByID()}, nil},
			{[]any{map[string]any{"field": "LENGTH", "direction": "DESC"}}, nil, []track.OrderOption{track.ByLength(descNullsLast), track.ByID(desc)}, nil},
			{[]any{map[string]any{"field": "NAME", "direction": "DESC"}}, map[string]any{"lengthGT": 1}, []track.OrderOption{track.ByName(desc), track.ByID(desc)},
				[]predicate.Track{track.LengthGT(1)}},
		} {
			for _, l := range f.listeners[:3] {
				want := tracks(l.QueryLikes().Where(tt.only...).Order(tt.order...).AllX(w.system))
				ask := func(more map[string]any) page {
					variables := map[string]any{"id": l.GlobalID().String(), "where": tt.where, "orderBy": tt.orderBy}
					if tt.where == nil {
						delete(variables, "where")
					}
					for name, value := range more {
						variables[name] = value
					}
					var got struct{ Listener struct{ Likes page } }
					w.all(admin, query, variables, &got)
					if got.Listener.Likes.TotalCount != len(want) {
						w.Errorf("%s likes %d, want %d", l.Name, got.Listener.Likes.TotalCount, len(want))
					}
					return got.Listener.Likes
				}
				var forwards, backwards []string
				more := map[string]any{"first": 2}
				for {
					p := ask(more)
					forwards = append(forwards, texts(p.Nodes)...)
					if !p.PageInfo.HasNextPage {
						break
					}
					more = map[string]any{"first": 2, "after": *p.PageInfo.EndCursor}
				}
				w.same("forwards", forwards, want)
				more = map[string]any{"last": 3}
				for {
					p := ask(more)
					backwards = append(texts(p.Nodes), backwards...)
					if !p.PageInfo.HasPreviousPage {
						break
					}
					more = map[string]any{"last": 3, "before": *p.PageInfo.StartCursor}
				}
				w.same("backwards", backwards, want)
				w.same("by offset", texts(ask(map[string]any{"first": 3, "offset": 2}).Nodes), want[min(2, len(want)):min(5, len(want))])
				if p := ask(map[string]any{"first": 3, "offset": len(want) + 1}); p.PageInfo.HasPreviousPage != (len(want) > 0) {
					w.Errorf("behind the end of %d: a page before it: %t", len(want), p.PageInfo.HasPreviousPage)
				}
			}
		}
		// Pages of several parents at once, with rows that several of them have.
		var got struct {
			Listeners struct{ Nodes []struct{ Likes page } }
		}
		w.all(admin, `{ listeners { nodes { likes(first: 3, offset: 1) { totalCount nodes { id name } pageInfo { hasNextPage hasPreviousPage } } } } }`, nil, &got)
		for i, n := range got.Listeners.Nodes {
			want := tracks(f.listeners[i].QueryLikes().Order(track.ByID()).AllX(w.system))
			w.same("of many", texts(n.Likes.Nodes), want[min(1, len(want)):min(4, len(want))])
			if n.Likes.TotalCount != len(want) || n.Likes.PageInfo.HasNextPage != (len(want) > 4) || n.Likes.PageInfo.HasPreviousPage != (len(want) > 0) {
				w.Errorf("of %d: %+v", len(want), n.Likes)
			}
		}
	})
}

// TestManyToManyFilters compares conditions over many-to-many edges with plain ent's.
func TestManyToManyFilters(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		id := f.tracks[3].GlobalID().String()
		for _, tt := range []struct {
			where string
			only  predicate.Listener
		}{
			{`hasLikes: true`, listener.HasLikes()},
			{`hasLikes: false`, listener.Not(listener.HasLikes())},
			{`hasLikesWith: [{name: "track 1"}]`, listener.HasLikesWith(track.Name("track 1"))},
			{`not: {hasLikesWith: [{name: "track 1", lengthGT: 2}]}`, listener.Not(listener.HasLikesWith(track.Name("track 1"), track.LengthGT(2)))},
			{`hasLikesWith: [{id: "` + id + `"}]`, listener.HasLikesWith(track.ID(f.tracks[3].ID))},
			{`hasLikesWith: [{idIn: ["` + id + `"]}]`, listener.HasLikesWith(track.ID(f.tracks[3].ID))},
			{`hasFollowing: false`, listener.Not(listener.HasFollowing())},
			{`hasFollowingWith: [{nameGT: "listener 3"}]`, listener.HasFollowingWith(listener.NameGT("listener 3"))},
			{`hasFollowersWith: [{nameGT: "listener 3"}]`, listener.HasFollowersWith(listener.NameGT("listener 3"))},
			{`hasFriendsWith: [{hasFriendsWith: [{hasPartnerWith: [{nameGT: "listener 1"}]}]}]`,
				listener.HasFriendsWith(listener.HasFriendsWith(listener.HasPartnerWith(listener.NameGT("listener 1"))))},
			{`or: [{hasFriendsWith: [{name: "listener 00"}]}, {hasLikesWith: [{hasLikedByWith: [{name: "listener 00"}]}]}, {hasPlaylistsWith: [{not: {hasTracks: true}}]}]`,
				listener.Or(listener.HasFriendsWith(listener.Name("listener 00")), listener.HasLikesWith(track.HasLikedByWith(listener.Name("listener 00"))),
					listener.HasPlaylistsWith(playlist.Not(playlist.HasTracks())))},
		} {
			want := listeners(w.ent.Listener.Query().Where(tt.only).Order(listener.ByID()).AllX(w.system))
			var got struct{ Listeners page }
			w.all(admin, `{ listeners(where: {`+tt.where+`}) { totalCount nodes { id name } } }`, nil, &got)
			w.same(tt.where, texts(got.Listeners.Nodes), want)
			if got.Listeners.TotalCount != len(want) {
				w.Errorf("%s: %d, want %d", tt.where, got.Listeners.TotalCount, len(want))
			}
		}
	})
}

// TestManyToManyFiltersAreJoins checks that PostgreSQL makes a join of a condition over an edge,
// and does not run a query for each row.
func TestManyToManyFiltersAreJoins(t *testing.T) {
	each(t, func(w *world) {
		if w.db.Dialect != dialect.Postgres {
			return
		}
		var statement string
		w.db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) { statement = text }
		w.ask(admin, `{ listeners(where: {hasLikesWith: [{hasLikedByWith: [{hasFollowing: false}]}], not: {hasFriendsWith: [{hasLikes: true}]}}) { totalCount } }`, nil)
		w.db.Watch = nil
		rows, err := w.db.QueryContext(w.Context(), "EXPLAIN "+statement)
		if err != nil {
			w.Fatalf("%s: %v", statement, err)
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil || strings.Contains(line, "SubPlan") {
				w.Errorf("%s: %s, %v", statement, line, err)
			}
		}
		if err := rows.Err(); err != nil {
			w.Error(err)
		}
	})
}

// TestManyToManyThroughHiddenRows checks that rows of a join table do not lead anywhere if the
// viewer may not see them.
func TestManyToManyThroughHiddenRows(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		for _, v := range []viewer.Viewer{admin, {}, {ID: f.listeners[0].ID, Role: viewer.User}, {ID: f.listeners[1].ID, Role: viewer.User}, {ID: uuid.New(), Role: viewer.User}} {
			ctx := viewer.NewContext(w.Context(), v)
			var got struct {
				Playlists struct {
					Nodes []struct {
						named
						Tracks struct {
							TotalCount int
							Nodes      []struct {
								named
								Playlists struct {
									TotalCount int
									Nodes      []named
								}
							}
						}
					}
				}
				Found struct{ TotalCount int }
			}
			w.all(v, `{ playlists { nodes { id name tracks { totalCount nodes { id name playlists { totalCount nodes { id name } } } } } }
				found: tracks(where: {hasPlaylistsWith: [{not: {hasTracksWith: [{name: "track 1"}]}}], not: {hasPlaylists: false}}) { totalCount } }`, nil, &got)
			for i, n := range got.Playlists.Nodes {
				seen := map[int64]bool{}
				for _, place := range f.playlists[i].QueryPlaylistTracks().AllX(ctx) {
					seen[place.TrackID] = true
				}
				var want []string
				for _, t := range f.tracks {
					if seen[t.ID] {
						want = append(want, t.GlobalID().String())
					}
				}
				var ids []string
				for _, t := range n.Tracks.Nodes {
					ids = append(ids, t.ID)
					var back []string
					for _, p := range t.Playlists.Nodes {
						back = append(back, p.ID)
					}
					if !slices.Contains(back, n.ID) || len(back) != t.Playlists.TotalCount {
						w.Errorf("%s is in the playlists %q, and not in %s", t.ID, back, n.ID)
					}
				}
				w.same(n.Name, ids, want)
				if n.Tracks.TotalCount != len(want) {
					w.Errorf("%s has %d tracks, want %d", n.Name, n.Tracks.TotalCount, len(want))
				}
			}
			want := 0
			for _, t := range f.tracks {
				if slices.ContainsFunc(t.QueryPlaylistTracks().WithPlaylist().AllX(ctx), func(place *ent.PlaylistTrack) bool {
					return !slices.ContainsFunc(place.Edges.Playlist.QueryPlaylistTracks().WithTrack().AllX(ctx), func(p *ent.PlaylistTrack) bool { return p.Edges.Track.Name == "track 1" })
				}) {
					want++
				}
			}
			if got.Found.TotalCount != want {
				w.Errorf("%v finds %d tracks, want %d", v, got.Found.TotalCount, want)
			}
		}
	})
}

// TestManyToManyOfManyNodes asks for more nodes than one statement reads. Each node then takes a
// statement on PostgreSQL as well.
func TestManyToManyOfManyNodes(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		var query strings.Builder
		query.WriteString(`{ playlists { nodes { `)
		for i := range load.MaxTree {
			fmt.Fprintf(&query, `p%d: tracks(first: 3, offset: %d) { totalCount edges { position node { id name likedBy { id } } } } `, i, i)
		}
		query.WriteString(`} } }`)
		a := w.ask(admin, query.String(), nil)
		var got struct {
			Playlists struct {
				Nodes []map[string]struct {
					TotalCount int
					Edges      []struct {
						Position int32
						Node     struct {
							named
							LikedBy []named
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(a.data), &got); err != nil || len(a.errors) > 0 {
			w.Fatalf("%v, %q", err, a.errors)
		}
		for i, n := range got.Playlists.Nodes {
			places := f.playlists[i].QueryPlaylistTracks().WithTrack(func(q *ent.TrackQuery) { q.WithLikedBy() }).AllX(w.system)
			slices.SortFunc(places, func(a, b *ent.PlaylistTrack) int { return cmp.Compare(a.TrackID, b.TrackID) })
			for offset := range load.MaxTree {
				p := n[fmt.Sprint("p", offset)]
				want := places[min(offset, len(places)):min(offset+3, len(places))]
				if p.TotalCount != len(places) || len(p.Edges) != len(want) {
					w.Fatalf("%d of %d tracks, want %d of %d", len(p.Edges), p.TotalCount, len(want), len(places))
				}
				for j, e := range p.Edges {
					if e.Position != want[j].Position || e.Node.ID != want[j].Edges.Track.GlobalID().String() || len(e.Node.LikedBy) != len(want[j].Edges.Track.Edges.LikedBy) {
						w.Errorf("track %d at %d: %+v", j, offset, e)
					}
				}
			}
		}
	})
}
