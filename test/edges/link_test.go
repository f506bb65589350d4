package edges

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/edges/ent"
	"forge/test/edges/ent/label"
	"forge/test/edges/ent/listener"
	"forge/test/edges/ent/predicate"
	"forge/test/edges/ent/rating"
	"forge/test/edges/ent/track"
)

// TestLinkColumns reads the columns of join tables on the edges of connections, for many parents and
// page by page.
func TestLinkColumns(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		type edge struct {
			Cursor                                             string
			Node                                               named
			Position                                           int32
			AddedAt, AddedBy, Note, PlaylistID, TrackID, Typed string
		}
		const selection = `totalCount pageInfo { hasNextPage } __typename
			edges { cursor node { id name } position addedAt addedBy note playlistId trackId typed: __typename }`
		type connection struct {
			TotalCount int
			PageInfo   struct{ HasNextPage bool }
			Edges      []edge
		}
		check := func(v viewer.Viewer, p *ent.Playlist, from int, got connection) {
			w.Helper()
			ctx := viewer.NewContext(w.Context(), v)
			all := p.QueryPlaylistTracks().WithTrack().AllX(ctx)
			slices.SortFunc(all, func(a, b *ent.PlaylistTrack) int {
				return cmp.Or(strings.Compare(b.Edges.Track.Name, a.Edges.Track.Name), cmp.Compare(b.TrackID, a.TrackID))
			})
			if got.TotalCount != len(all) {
				w.Errorf("%s has %d tracks, want %d", p.Name, got.TotalCount, len(all))
			}
			for i, e := range got.Edges {
				want := all[from+i]
				have := fmt.Sprintln(e.Node, e.Position, e.AddedAt, e.AddedBy, e.Note, e.PlaylistID, e.TrackID, e.Typed)
				if place := fmt.Sprintln(named{want.Edges.Track.GlobalID().String(), want.Edges.Track.Name}, want.Position, want.AddedAt.UTC().Format("2006-01-02T15:04:05Z"),
					ids.ID{Prefix: "listener", UUID: want.AddedBy}, *want.Note, p.GlobalID(), want.Edges.Track.GlobalID(), "PlaylistTracksEdge"); have != place {
					w.Errorf("%s, track %d: %s, want %s", p.Name, i, have, place)
				}
			}
		}
		for _, v := range []viewer.Viewer{admin, {ID: f.listeners[1].ID, Role: viewer.User}} {
			var got struct {
				Playlists struct{ Nodes []struct{ Tracks connection } }
			}
			w.all(v, `{ playlists { nodes { tracks(first: 4, offset: 1, orderBy: [{field: NAME, direction: DESC}]) { `+selection+` } } } }`, nil, &got)
			for i, n := range got.Playlists.Nodes {
				check(v, f.playlists[i], 1, n.Tracks)
			}
			for i, p := range f.playlists {
				after := "null"
				for seen := 0; ; {
					var got struct{ Playlist struct{ Tracks connection } }
					w.all(v, fmt.Sprintf(`{ playlist(id: %q) { tracks(first: 3, after: %s, orderBy: [{field: NAME, direction: DESC}]) { `, p.GlobalID(), after)+selection+` } } }`, nil, &got)
					check(v, f.playlists[i], seen, got.Playlist.Tracks)
					seen += len(got.Playlist.Tracks.Edges)
					if !got.Playlist.Tracks.PageInfo.HasNextPage {
						if seen != got.Playlist.Tracks.TotalCount {
							w.Errorf("%s: %d tracks on all pages, want %d", p.Name, seen, got.Playlist.Tracks.TotalCount)
						}
						break
					}
					after = `"` + got.Playlist.Tracks.Edges[len(got.Playlist.Tracks.Edges)-1].Cursor + `"`
				}
			}
		}
	})
}

// TestLinkColumnsOfOwners shows a column of a join table only to the owner of its row. The join
// table's key consists of two columns.
func TestLinkColumnsOfOwners(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		for _, v := range []viewer.Viewer{admin, {}, {ID: f.listeners[0].ID, Role: viewer.User}} {
			a := w.ask(v, `{ listeners(first: 2) { nodes { rated(last: 2) { edges { node { id } stars remark } } } } }`, nil)
			var want []string
			failed := 0
			for _, l := range f.listeners[:2] {
				all := w.ent.Rating.Query().Where(rating.ListenerID(l.ID)).Order(rating.ByTrackID()).AllX(w.system)
				var edges []string
				for _, r := range all[len(all)-2:] {
					remark := `"` + *r.Remark + `"`
					if v != admin && v.ID != l.ID {
						remark = "null"
						failed++
					}
					edges = append(edges, fmt.Sprintf(`{"node":{"id":"track_%d"},"stars":%d,"remark":%s}`, r.TrackID, r.Stars, remark))
				}
				want = append(want, `{"rated":{"edges":[`+strings.Join(edges, ",")+`]}}`)
			}
			if data := `{"listeners":{"nodes":[` + strings.Join(want, ",") + `]}}`; a.data != data {
				w.Errorf("%s sees\n%s, want\n%s", v.Role, a.data, data)
			}
			if len(a.errors) != failed || failed > 0 && !strings.HasPrefix(a.errors[0], "FORBIDDEN  listeners.nodes[") {
				w.Errorf("%s: %q, want %d errors", v.Role, a.errors, failed)
			}
		}
	})
}

// TestHiddenFilters compares conditions over entities that have no type, or a key of two columns,
// with plain ent's.
func TestHiddenFilters(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		own := f.listeners[1]
		for _, tt := range []struct {
			where string
			only  predicate.Track
		}{
			{`hasLabels: true`, track.HasLabels()},
			{`hasLabels: false`, track.Not(track.HasLabels())},
			{`hasLabelsWith: [{name: "label 1"}]`, track.HasLabelsWith(label.Name("label 1"))},
			{`hasLabelsWith: [{hasTracksWith: [{id: "track_4"}], not: {name: "label 0"}}]`, track.HasLabelsWith(label.HasTracksWith(track.ID(4)), label.NameNEQ("label 0"))},
			{`hasRatings: false`, track.Not(track.HasRatings())},
			{`hasRatingsWith: [{starsGT: 3}]`, track.HasRatingsWith(rating.StarsGT(3))},
			{`hasRatingsWith: [{listenerId: "` + own.GlobalID().String() + `", not: {starsGT: 2}}]`, track.HasRatingsWith(rating.ListenerID(own.ID), rating.StarsLTE(2))},
			{`not: {hasRatingsWith: [{hasListenerWith: [{name: "` + own.Name + `"}], trackIdIn: ["track_1", "track_2", "track_3"]}]}`,
				track.Not(track.HasRatingsWith(rating.HasListenerWith(listener.Name(own.Name)), rating.TrackIDIn(1, 2, 3)))},
			{`hasRatersWith: [{name: "` + own.Name + `"}]`, track.HasRatersWith(listener.Name(own.Name))},
		} {
			want := trackIDs(w.ent.Track.Query().Where(tt.only).Order(track.ByID()).AllX(w.system))
			var got struct{ Tracks page }
			w.all(admin, `{ tracks(where: {`+tt.where+`}) { totalCount nodes { id } } }`, nil, &got)
			w.same(tt.where, idsOf(got.Tracks.Nodes), want)
		}
		for _, v := range []viewer.Viewer{{}, {ID: uuid.New(), Role: viewer.User}} {
			var got struct{ With, Without struct{ TotalCount int } }
			w.all(v, `{ with: tracks(where: {hasLabels: true}) { totalCount } without: tracks(where: {not: {hasLabelsWith: [{name: "label 1"}]}}) { totalCount } }`, nil, &got)
			if got.With.TotalCount != 0 || got.Without.TotalCount != len(f.tracks) {
				w.Errorf("%s finds labels: %+v", v.Role, got)
			}
		}
	})
}
