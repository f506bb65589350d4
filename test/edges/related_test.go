package edges

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/edges/ent"
)

// ranked is a row with what it can be ordered by: nil, int or string by the value of the enum.
type ranked struct {
	id string
	by map[string]any
}

// compareBy compares two rows by terms such as "NAME" and "NAME DESC", and then by their place in
// the order of keys.
func compareBy(terms []string, place map[string]int) func(a, b ranked) int {
	return func(a, b ranked) int {
		sign := 1
		for i, term := range terms {
			field, desc := strings.CutSuffix(term, " DESC")
			if i > 0 && strings.HasPrefix(terms[0], field+" ") {
				continue // only the first time counts
			}
			if sign = 1; desc {
				sign = -1
			}
			x, y := a.by[field], b.by[field]
			switch {
			case x == nil && y == nil:
				continue
			case x == nil:
				return 1
			case y == nil:
				return -1
			}
			n := 0
			switch x := x.(type) {
			case int:
				n = cmp.Compare(x, y.(int))
			case string:
				n = cmp.Compare(x, y.(string))
			}
			if n != 0 {
				return sign * n
			}
		}
		return sign * cmp.Compare(place[a.id], place[b.id])
	}
}

// TestRelatedOrders reads pages that are ordered by columns of related rows and by numbers of
// these, forward and backward, at the root and below a row, and compares them with what plain ent
// queries of the same viewer find.
func TestRelatedOrders(t *testing.T) {
	each(t, func(w *world) {
		f := w.fill()
		for _, v := range []viewer.Viewer{viewer.System, {Role: viewer.User, ID: f.listeners[1].ID}, {}} {
			rows := w.ranked(viewer.NewContext(w.Context(), v), f)
			for _, list := range []struct{ root, of string }{
				{"tracks", "TrackOrder"}, {"listeners", "ListenerOrder"}, {"genres", "GenreOrder"},
				{"listener.likes", "TrackOrder"}, {"listener.following", "ListenerOrder"}, {"genre.similar", "GenreOrder"}, {"genre.tracks", "TrackOrder"},
			} {
				all := rows[list.of]
				if root, field, nested := strings.Cut(list.root, "."); nested {
					all = w.below(v, f, root, field, all)
				}
				for _, field := range w.schema.Types[list.of+"Field"].EnumValues {
					for _, terms := range [][]string{{field.Name}, {field.Name + " DESC"}, {field.Name + " DESC", "NAME"}} {
						if list.of == "GenreOrder" && len(terms) == 2 {
							terms[1] = "RANK DESC"
						}
						w.walk(v, f, list.root, list.of, terms, all)
					}
				}
			}
		}
	})
}

// ranked returns the rows that a viewer sees, by the type of their orders, in the order of keys.
func (w *world) ranked(ctx context.Context, f filled) map[string][]ranked {
	count := func(n int, err error) any {
		if err != nil {
			w.Fatal(err)
		}
		return n
	}
	name := func(text string, err error) any {
		if err != nil {
			if ent.IsNotFound(err) {
				return nil
			}
			w.Fatal(err)
		}
		return text
	}
	all := map[string][]ranked{}
	for _, t := range f.tracks {
		by := map[string]any{"NAME": t.Name, "LENGTH": nil, "GENRE_RANK": nil,
			"LIKED_BY_COUNT": count(t.QueryLikedBy().Count(ctx)), "RATINGS_COUNT": count(t.QueryRatings().Count(ctx)),
			"LABELS_COUNT": count(t.QueryLabels().Count(ctx)), "PLAYLISTS_COUNT": count(t.QueryPlaylistTracks().QueryPlaylist().Count(ctx))}
		if t.Length != nil {
			by["LENGTH"] = int(*t.Length)
		}
		if g, err := t.QueryGenre().Only(ctx); err == nil {
			by["GENRE_RANK"] = int(g.Rank)
		}
		sleeve, err := t.QuerySleeve().Only(ctx)
		if sleeve == nil {
			sleeve = new(ent.Sleeve)
		}
		by["SLEEVE_COLOR"] = name(sleeve.Color, err)
		all["TrackOrder"] = append(all["TrackOrder"], ranked{ids.OfNumber("track", t.ID).String(), by})
	}
	for _, l := range f.listeners {
		by := map[string]any{"NAME": l.Name, "LIKES_COUNT": count(l.QueryLikes().Count(ctx)), "FOLLOWERS_COUNT": count(l.QueryFollowers().Count(ctx)),
			"FRIENDS_COUNT": count(l.QueryFriends().Count(ctx)), "PLAYLISTS_COUNT": count(l.QueryPlaylists().Count(ctx)), "RATED_COUNT": count(l.QueryRatings().QueryTrack().Count(ctx))}
		partner, err := l.QueryPartner().Only(ctx)
		if partner == nil {
			partner = new(ent.Listener)
		}
		by["PARTNER_NAME"] = name(partner.Name, err)
		all["ListenerOrder"] = append(all["ListenerOrder"], ranked{ids.ID{Prefix: "listener", UUID: l.ID}.String(), by})
	}
	slices.SortFunc(f.genres, func(a, b *ent.Genre) int { return cmp.Compare(a.ID, b.ID) })
	for _, g := range f.genres {
		by := map[string]any{"RANK": int(g.Rank), "PARENT_RANK": nil, "CHILDREN_COUNT": count(g.QueryChildren().Count(ctx)),
			"SIMILAR_COUNT": count(g.QuerySimilar().Count(ctx)), "TRACKS_COUNT": count(g.QueryTracks().Count(ctx))}
		if parent, err := g.QueryParent().Only(ctx); err == nil {
			by["PARENT_RANK"] = int(parent.Rank)
		}
		all["GenreOrder"] = append(all["GenreOrder"], ranked{ids.OfText("genre", g.ID).String(), by})
	}
	return all
}

// parent returns the query around a field below a row, with %s for the field.
func (f filled) parent(root string) string {
	id := ids.ID{Prefix: "listener", UUID: f.listeners[2].ID}.String()
	if root == "genre" {
		id = ids.OfText("genre", f.genres[1].ID).String()
	}
	return root + `(id: "` + id + `") { list: %s }`
}

// below returns those of the rows that a field below a row has.
func (w *world) below(v viewer.Viewer, f filled, root, field string, all []ranked) (kept []ranked) {
	var got map[string]struct{ List struct{ Nodes []named } }
	w.all(v, "{ "+fmt.Sprintf(f.parent(root), field+"(first: 100) { nodes { id } }")+" }", nil, &got)
	for _, r := range all {
		if slices.ContainsFunc(got[root].List.Nodes, func(n named) bool { return n.ID == r.id }) {
			kept = append(kept, r)
		}
	}
	return kept
}

// walk reads all pages of a list, from both ends, and compares them with the rows.
func (w *world) walk(v viewer.Viewer, f filled, list, of string, terms []string, rows []ranked) {
	w.Helper()
	place := map[string]int{}
	for i, r := range rows {
		place[r.id] = i
	}
	var want []string
	for _, r := range slices.SortedFunc(slices.Values(rows), compareBy(terms, place)) {
		want = append(want, r.id)
	}
	var order []any
	for _, term := range terms {
		field, desc := strings.CutSuffix(term, " DESC")
		order = append(order, map[string]any{"field": field, "direction": map[bool]any{true: "DESC", false: "ASC"}[desc]})
	}
	for _, side := range []string{"first: 4, after", "last: 4, before"} {
		var got []string
		var cursor any
		for range len(rows) + 1 {
			var answer struct {
				List page
				Of   struct{ List page }
			}
			root, field, nested := strings.Cut(list, ".")
			text := `(orderBy: $o, ` + side + `: $c) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
			if nested {
				text = "of: " + fmt.Sprintf(f.parent(root), field+text)
			} else {
				text = "list: " + list + text
			}
			w.all(v, `query($o: [`+of+`!], $c: Cursor) { `+text+` }`, map[string]any{"o": order, "c": cursor}, &answer)
			p := answer.List
			if nested {
				p = answer.Of.List
			}
			var shown []string
			for _, n := range p.Nodes {
				shown = append(shown, n.ID)
			}
			if side[0] == 'f' {
				got, cursor = append(got, shown...), p.PageInfo.EndCursor
			} else {
				got, cursor = append(shown, got...), p.PageInfo.StartCursor
			}
			if side[0] == 'f' && !p.PageInfo.HasNextPage || side[0] == 'l' && !p.PageInfo.HasPreviousPage {
				break
			}
			cursor = *cursor.(*string)
		}
		w.same(fmt.Sprint(list, " by ", terms, ", ", side, " of ", v.Role), got, want)
	}
}
