package edges

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/gqltest"
)

// nestedMutations write rows together with related ones, over edges of every kind.
const nestedMutations = `
type Mutation {
  createListener(input: CreateListenerInput!): ListenerPayload!
  updateListener(id: ID!, input: UpdateListenerInput!): ListenerPayload!
  createTrack(input: CreateTrackInput!): TrackPayload!
  updateTrack(id: ID!, input: UpdateTrackInput!): TrackPayload!
  createGenre(input: CreateGenreInput!, onConflict: GenreConflict): GenrePayload!
  updateGenre(id: ID!, input: UpdateGenreInput!): UpdateGenrePayload!
  createPlaylist(input: CreatePlaylistInput!): PlaylistPayload!
  createTracks(input: [CreateTrackInput!]!, onError: OnError! = ABORT): TracksPayload!
  updateTracks(where: TrackWhereInput!, input: ManyTracksInput!, atMost: Int! = 100): UpdateTracksPayload!
  deleteTracks(where: TrackWhereInput!, atMost: Int! = 100): DeleteTracksPayload!
  deleteGenres(where: GenreWhereInput!, atMost: Int! = 100): DeleteTracksPayload!
}
enum OnError { ABORT SKIP }
enum OnConflict { UPDATE NOTHING }
enum GenreUnique { ID }
input GenreConflict { on: GenreUnique! do: OnConflict! }
type ListenerPayload { listener: Listener! }
type TrackPayload { track: Track! }
type GenrePayload { created: Boolean! genre: Genre! }
type UpdateGenrePayload { genre: Genre! }
type PlaylistPayload { playlist: Playlist! }
type TracksPayload { affected: Int! tracks: [Track!]! errors: [TrackError!]! }
type TrackError { index: Int! code: String! message: String! field: String }
type UpdateTracksPayload { affected: Int! tracks: [Track!]! }
type DeleteTracksPayload { affected: Int! deletedIds: [ID!]! }

input CreateListenerInput { name: String! likes: CreateLikes following: CreateFriends friends: CreateFriends partner: OneListener partnerId: ID playlists: CreatePlaylists }
input UpdateListenerInput { name: String likes: ChangeLikes friends: ChangeFriends followers: ChangeFriends playlists: ChangePlaylists partner: OneListener }
input CreateLikes { create: [CreateTrackInput!] connect: [ID!] }
input ChangeLikes { create: [CreateTrackInput!] connect: [ID!] disconnect: [ID!] set: [ID!] update: [UpdateTrackEntry!] delete: [ID!] }
input UpdateTrackEntry { id: ID! input: UpdateTrackInput! }
input CreateFriends { create: [CreateListenerInput!] connect: [ID!] }
input ChangeFriends { connect: [ID!] disconnect: [ID!] set: [ID!] }
input OneListener { create: CreateListenerInput connect: ID }
input CreatePlaylists { create: [CreatePlaylistInput!] connect: [ID!] }
input ChangePlaylists { create: [CreatePlaylistInput!] connect: [ID!] disconnect: [ID!] set: [ID!] update: [UpdatePlaylistEntry!] delete: [ID!] }
input UpdatePlaylistEntry { id: ID! input: UpdatePlaylistInput! }
input CreatePlaylistInput { name: String! listenerId: ID listener: OneListener }
input UpdatePlaylistInput { name: String }
input CreateTrackInput { name: String! length: Int genreId: ID genre: OneGenre sleeve: OneSleeve likedBy: CreateFriends }
input UpdateTrackInput { name: String length: Int genre: OneGenre genreId: ID sleeve: OneSleeve }
input ManyTracksInput { length: Int genreId: ID }
input OneGenre { create: CreateGenreInput connect: ID }
input OneSleeve { create: CreateSleeveInput connect: ID }
input CreateSleeveInput { color: String! }
input CreateGenreInput { id: ID! rank: Int! = 7 parent: OneGenre children: Genres tracks: GenreTracks similar: Genres }
input Genres { create: [CreateGenreInput!] connect: [ID!] }
input GenreTracks { create: [CreateTrackInput!] connect: [ID!] }
input UpdateGenreInput { rank: Int children: ChangeGenres similar: ChangeGenres tracks: ChangeLikes }
input ChangeGenres { create: [CreateGenreInput!] connect: [ID!] disconnect: [ID!] set: [ID!] }
`

// client sends operations to a server with the standard mutations of nestedMutations, and compares
// the answers.
type client struct {
	*world
	*gqltest.Client
}

func nestedClient(w *world, api gqlexec.API) client {
	handler := gqlexec.New(api, w.db, gqlexec.Options{Development: true}, slog.New(slog.DiscardHandler))
	return client{w, gqltest.NewHandler(w.T, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(rw, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
	}))}
}

// want sends an operation, and returns the answer, which must be the wanted one. If wanted is "",
// any answer without an error is.
func (c client) want(query, wanted string) gqltest.Answer {
	c.T.Helper()
	got := c.Do(query, nil)
	if len(got.Errors) > 0 || wanted != "" && got.RawData() != wanted {
		c.T.Errorf("%s: %s, want %s", query, got, wanted)
	}
	return got
}

// refused sends an operation that must be refused, and looks whether anything was stored.
func (c client) refused(code, field, message, query string) {
	c.T.Helper()
	const all = `{ listeners { nodes { id name likes { nodes { id } } following { nodes { id } } friends { id } partner { id } } } tracks { nodes { id name length genre { id } sleeve { id } likedBy { id } } }
		genres { nodes { id rank parentId similar { nodes { id } } } } playlists { nodes { id name listener { id } } } sleeves { nodes { id } } }`
	before := c.Do(all, nil).RawData()
	got := c.Do(query, nil)
	at, _ := got.Extension("field").(string)
	if got.Code() != code || at != field || !strings.Contains(got.Errors[0].Message, message) {
		c.T.Errorf("%s: %s, want %s at %q: %s", query, got, code, field, message)
	}
	if after := c.Do(all, nil).RawData(); after != before {
		c.T.Errorf("%s was refused, and has changed what is stored:\n%s\n%s", query, before, after)
	}
}

func (c client) of(got gqltest.Answer, path string) string {
	c.T.Helper()
	return got.Text(path)
}

// TestNestedWrites creates and changes rows together with related ones, over edges of every kind.
func TestNestedWrites(t *testing.T) {
	api := writes(t, nestedMutations)
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		t, c := w.T, nestedClient(w, api)

		// To one, with the key in the row itself, in the other row, and in a join table.
		got := c.want(`mutation { createTrack(input: {name: "a", genre: {create: {id: "genre_Rock", rank: 1, parent: {create: {id: "genre_All"}}}},
			sleeve: {create: {color: "red"}}, likedBy: {create: [{name: "x"}, {name: "y"}]}}) { track { id name genre { id rank parent { id rank } } sleeve { color } likedBy { name } } } }`, "")
		track := c.of(got, "createTrack.track.id")
		if want := `{"createTrack":{"track":{"id":"` + track + `","name":"a","genre":{"id":"genre_Rock","rank":1,"parent":{"id":"genre_All","rank":7}},"sleeve":{"color":"red"},"likedBy":[{"name":"x"},{"name":"y"}]}}}`; got.RawData() != want {
			t.Errorf("a track with related rows: %s, want %s", got, want)
		}
		c.want(`mutation { updateTrack(id: "`+track+`", input: {genre: {connect: "genre_All"}, sleeve: {create: {color: "blue"}}}) { track { genre { id } sleeve { color } } } }`,
			`{"updateTrack":{"track":{"genre":{"id":"genre_All"},"sleeve":{"color":"blue"}}}}`)
		c.want(`{ sleeves { nodes { color track { name } } } }`, `{"sleeves":{"nodes":[{"color":"red","track":null},{"color":"blue","track":{"name":"a"}}]}}`)
		red := c.Do(`{ sleeves { nodes { id } } }`, nil).Text("sleeves.nodes.0.id")
		c.want(`mutation { updateTrack(id: "`+track+`", input: {sleeve: {connect: "`+red+`"}}) { track { sleeve { color } } } }`, `{"updateTrack":{"track":{"sleeve":{"color":"red"}}}}`)

		// To many, with the key in the other rows: a tree, three levels at once.
		c.want(`mutation { createGenre(input: {id: "genre_Jazz", children: {create: [{id: "genre_Bebop", tracks: {create: [{name: "b"}, {name: "c", length: 3}]}}, {id: "genre_Swing", tracks: {create: [{name: "d"}]}}], connect: ["genre_Rock"]}}) {
			created genre { parentId children { id tracks { nodes { name length } } } } } }`,
			`{"createGenre":{"created":true,"genre":{"parentId":null,"children":[{"id":"genre_Bebop","tracks":{"nodes":[{"name":"b","length":null},{"name":"c","length":3}]}},{"id":"genre_Rock","tracks":{"nodes":[]}},{"id":"genre_Swing","tracks":{"nodes":[{"name":"d","length":null}]}}]}}}`)
		c.want(`mutation { updateGenre(id: "genre_Jazz", input: {children: {set: ["genre_Rock", "genre_Bebop"], create: [{id: "genre_Fusion"}]}}) { genre { children { id } } } }`,
			`{"updateGenre":{"genre":{"children":[{"id":"genre_Bebop"},{"id":"genre_Fusion"},{"id":"genre_Rock"}]}}}`)
		c.want(`mutation { updateGenre(id: "genre_Jazz", input: {children: {disconnect: ["genre_Rock"], connect: ["genre_Swing"]}}) { genre { children { id } } } }`,
			`{"updateGenre":{"genre":{"children":[{"id":"genre_Bebop"},{"id":"genre_Fusion"},{"id":"genre_Swing"}]}}}`)
		tracks := c.Do(`{ tracks(where: {hasGenreWith: [{id: "genre_Bebop"}]}) { nodes { id } } }`, nil)
		one, two := tracks.Text("tracks.nodes.0.id"), tracks.Text("tracks.nodes.1.id")
		c.want(`mutation { updateGenre(id: "genre_Bebop", input: {rank: 3, tracks: {update: [{id: "`+one+`", input: {name: "B", length: 9}}], delete: ["`+two+`"], create: [{name: "e"}]}}) { genre { rank tracks { nodes { name length } } } } }`,
			`{"updateGenre":{"genre":{"rank":3,"tracks":{"nodes":[{"name":"B","length":9},{"name":"e","length":null}]}}}}`)

		// Many to many, to another type and to the own one, in one direction and in both.
		got = c.want(`mutation { createListener(input: {name: "z", likes: {connect: ["`+track+`", "`+one+`"], create: [{name: "f"}]}, friends: {create: [{name: "g"}]}, following: {create: [{name: "h"}]}, partner: {create: {name: "i"}}, playlists: {create: [{name: "p"}, {name: "q"}]}}) {
			listener { id likes { nodes { name } } friends { name friends { name } } following { nodes { name followers { name } } } partner { name } playlists { name } } } }`, "")
		z := c.of(got, "createListener.listener.id")
		if want := `{"createListener":{"listener":{"id":"` + z + `","likes":{"nodes":[{"name":"a"},{"name":"B"},{"name":"f"}]},"friends":[{"name":"g","friends":[{"name":"z"}]}],"following":{"nodes":[{"name":"h","followers":[{"name":"z"}]}]},"partner":{"name":"i"},"playlists":[{"name":"p"},{"name":"q"}]}}}`; got.RawData() != want {
			t.Errorf("a listener with related rows: %s, want %s", got, want)
		}
		g := c.Do(`{ listeners(where: {name: "g"}) { nodes { id } } }`, nil).Text("listeners.nodes.0.id")
		c.want(`mutation { updateListener(id: "`+z+`", input: {likes: {disconnect: ["`+one+`"], connect: ["`+track+`"], create: [{name: "k"}]}, friends: {disconnect: ["`+g+`"]}, followers: {connect: ["`+g+`"]}}) { listener { likes { nodes { name } } friends { name } followers { name } } } }`,
			`{"updateListener":{"listener":{"likes":{"nodes":[{"name":"a"},{"name":"f"},{"name":"k"}]},"friends":[],"followers":[{"name":"g"}]}}}`)
		c.want(`mutation { updateListener(id: "`+z+`", input: {likes: {set: ["`+one+`", "`+track+`"], update: [{id: "`+track+`", input: {name: "A"}}]}}) { listener { likes { nodes { name } } friends { name } followers { name } } } }`,
			`{"updateListener":{"listener":{"likes":{"nodes":[{"name":"A"},{"name":"B"}]},"friends":[],"followers":[{"name":"g"}]}}}`)
		c.want(`mutation { updateListener(id: "`+z+`", input: {likes: {delete: ["`+one+`"]}}) { listener { likes { nodes { name } } } } }`, `{"updateListener":{"listener":{"likes":{"nodes":[{"name":"A"}]}}}}`)
		c.want(`mutation { updateListener(id: "`+z+`", input: {likes: {set: []}, playlists: {set: []}}) { listener { likes { nodes { name } } playlists { name } } } }`, `{"updateListener":{"listener":{"likes":{"nodes":[]},"playlists":[]}}}`)

		c.want(`mutation { updateListener(id: "`+g+`", input: {partner: {create: {name: "j"}}}) { listener { partner { name partner { name } } } } }`, `{"updateListener":{"listener":{"partner":{"name":"j","partner":{"name":"g"}}}}}`)

		// Who is the partner already stays so.
		i := c.Do(`{ listeners(where: {name: "i"}) { nodes { id } } }`, nil).Text("listeners.nodes.0.id")
		c.want(`mutation { updateListener(id: "`+z+`", input: {partner: {connect: "`+i+`"}}) { listener { partner { name partner { name } } } } }`, `{"updateListener":{"listener":{"partner":{"name":"i","partner":{"name":"z"}}}}}`)

		// What is the same row twice, is not related, or contradicts itself.
		x := c.Do(`{ listeners(where: {name: "x"}) { nodes { id } } }`, nil).Text("listeners.nodes.0.id")
		for _, tt := range []struct{ code, field, message, query string }{
			{"BAD_USER_INPUT", "input.genre", "say create or connect, not both", `createTrack(input: {name: "a", genre: {create: {id: "genre_X"}, connect: "genre_All"}}) { track { id } }`},
			{"BAD_USER_INPUT", "input.genre", "genre and genreId say the same", `createTrack(input: {name: "a", genreId: "genre_All", genre: {connect: "genre_All"}}) { track { id } }`},
			{"BAD_USER_INPUT", "input.partner", "partner and partnerId say the same", `createListener(input: {name: "a", partnerId: "` + x + `", partner: {create: {name: "b"}}}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.likes.disconnect.0", "is named at input.likes.connect.1 already", `updateListener(id: "` + z + `", input: {likes: {connect: ["` + two + `x", "` + track + `"], disconnect: ["` + track + `"]}}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.likes.set", "leave connect, disconnect and delete out", `updateListener(id: "` + z + `", input: {likes: {set: [], connect: ["` + track + `"]}}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.likes", "likes cannot be null", `updateListener(id: "` + z + `", input: {likes: null}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.children.connect.0", "is named at id already", `updateGenre(id: "genre_Jazz", input: {children: {connect: ["genre_Jazz"]}}) { genre { id } }`},
			{"BAD_USER_INPUT", "input.tracks.create.1.genreId", "the row belongs to the one around it", `createGenre(input: {id: "genre_X", tracks: {create: [{name: "a"}, {name: "b", genreId: "genre_All"}]}}) { genre { id } }`},
			{"BAD_USER_INPUT", "input.children.create.0.parent", "the row belongs to the one around it", `createGenre(input: {id: "genre_X", children: {create: [{id: "genre_Y", parent: {connect: "genre_All"}}]}}) { genre { id } }`},
			{"BAD_USER_INPUT", "input.likes.connect.0", "one that begins with track_ is wanted here", `createListener(input: {name: "a", likes: {connect: ["` + x + `"]}}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.likes.connect.0", "is not an ID", `createListener(input: {name: "a", likes: {connect: ["track_x"]}}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.likes.create.1.name", "cannot be stored", `createListener(input: {name: "a", likes: {create: [{name: "b"}, {name: "c\u0000"}]}}) { listener { id } }`},
			{"NOT_FOUND", "input.likes.connect.1", "there is no track_4000", `createListener(input: {name: "a", likes: {connect: ["` + track + `", "track_4000"]}}) { listener { id } }`},
			{"NOT_FOUND", "input.tracks.connect.0", "there is no track_4000", `createGenre(input: {id: "genre_X", tracks: {connect: ["track_4000"]}}) { genre { id } }`},
			{"NOT_FOUND", "input.likes.create.0.genre.connect", "there is no genre_Polka", `createListener(input: {name: "a", likes: {create: [{name: "b", genre: {connect: "genre_Polka"}}]}}) { listener { id } }`},
			{"NOT_FOUND", "input.likes.update.0.id", "there is no " + track + " among the related rows", `updateListener(id: "` + z + `", input: {likes: {update: [{id: "` + track + `", input: {name: "b"}}]}}) { listener { id } }`},
			{"NOT_FOUND", "input.likes.delete.0", "among the related rows", `updateListener(id: "` + z + `", input: {likes: {delete: ["` + track + `"]}}) { listener { id } }`},
			{"NOT_FOUND", "input.children.disconnect.0", "among the related rows", `updateGenre(id: "genre_Jazz", input: {children: {disconnect: ["genre_All"]}}) { genre { id } }`},
			{"NOT_FOUND", "", "there is no listener_", `updateListener(id: "listener_01h455vb4pe00000000000000a", input: {likes: {connect: ["` + track + `"]}}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.children.connect.0", "genre_All would lead back to itself by the edge parent", `createGenre(input: {id: "genre_X", parent: {connect: "genre_All"}, children: {connect: ["genre_All"]}}) { genre { id } }`},
			{"BAD_USER_INPUT", "input.children.create.0.children.connect.0", "genre_All would lead back", `createGenre(input: {id: "genre_X", parent: {create: {id: "genre_Y", parent: {connect: "genre_All"}}}, children: {create: [{id: "genre_Z", children: {connect: ["genre_All"]}}]}}) { genre { id } }`},
			{"BAD_USER_INPUT", "input.1.genre.create.children.connect.0", "genre_All would lead back", `createTracks(input: [{name: "a", genre: {create: {id: "genre_X", parent: {connect: "genre_All"}, children: {connect: ["genre_Jazz"]}}}}, {name: "b", genre: {create: {id: "genre_Y", parent: {connect: "genre_Jazz"}, children: {connect: ["genre_All"]}}}}]) { affected }`},
			{"CONFLICT", "input.partner.connect", "one of the two rows is related by partner already", `updateListener(id: "` + z + `", input: {partner: {connect: "` + x + `"}}) { listener { id } }`},
			{"CONFLICT", "input.partner.create", "one of the two rows is related by partner already", `updateListener(id: "` + z + `", input: {partner: {create: {name: "n"}}}) { listener { id } }`},
			{"CONFLICT", "input.friends.create.1.partner.connect", "one of the two rows", `createListener(input: {name: "n", friends: {create: [{name: "o"}, {name: "p", partner: {connect: "` + z + `"}}]}}) { listener { id } }`},
			{"CONFLICT", "input.partnerId", "this partnerId is taken", `createListener(input: {name: "n", partnerId: "` + z + `"}) { listener { id } }`},
			{"BAD_USER_INPUT", "input.partner.connect", x + " would lead back to itself by the edge partner", `updateListener(id: "` + x + `", input: {partner: {connect: "` + x + `"}}) { listener { id } }`},
			{"CONFLICT", "input.children.create.1.id", "taken", `createGenre(input: {id: "genre_X", children: {create: [{id: "genre_Y"}, {id: "genre_All"}]}}) { genre { id } }`},
			{"CONFLICT", "input.children.create.1.id", "taken", `createGenre(input: {id: "genre_X", children: {create: [{id: "genre_Y"}, {id: "genre_Y"}]}}) { genre { id } }`},
			{"CONFLICT", "input.genre.create.id", "taken", `createTrack(input: {name: "a", genre: {create: {id: "genre_All"}}}) { track { id } }`},
		} {
			if strings.Contains(tt.query, two+"x") {
				tt.query = strings.Replace(tt.query, two+"x", one, 1)
			}
			c.refused(tt.code, tt.field, tt.message, "mutation { "+tt.query+" }")
		}
		deep := `{name: "a"}`
		for range 11 {
			deep = `{name: "a", partner: {create: ` + deep + `}}`
		}
		c.refused("BAD_USER_INPUT", "input"+strings.Repeat(".partner.create", 11), "more than 10 deep", `mutation { createListener(input: `+deep+`) { listener { id } } }`)
	})
}

// TestNestedStatements counts statements: they depend on the shape of the input, not on how many
// rows it has.
func TestNestedStatements(t *testing.T) {
	api := writes(t, nestedMutations)
	each(t, func(w *world) {
		t, c := w.T, nestedClient(w, api)
		send := func(query string, variables any) gqltest.Answer {
			text, err := json.Marshal(variables)
			if err != nil {
				t.Fatal(err)
			}
			got := c.SendRequest(t.Context(), gqltest.Request{Query: query, Variables: json.RawMessage(text)})
			if len(got.Errors) > 0 {
				t.Fatalf("%s: %s", query, got)
			}
			return got
		}
		type vars map[string]any
		numbered := func(n int) (list []vars) {
			for i := range n {
				list = append(list, vars{"name": fmt.Sprint("t", i)})
			}
			return list
		}
		made := send(`mutation($input: [CreateTrackInput!]!) { createTracks(input: $input) { affected tracks { id } errors { index } } }`, vars{"input": numbered(1000)})
		var all []string
		for i := range 1000 {
			all = append(all, made.Text(fmt.Sprintf("createTracks.tracks.%d.id", i)))
		}
		for what, query := range map[string]string{
			"connect":     `mutation($rows: [ID!]!) { createListener(input: {name: "a", likes: {connect: $rows}}) { listener { id } } }`,
			"connect key": `mutation($rows: [ID!]!, $id: ID!) { createGenre(input: {id: $id, tracks: {connect: $rows}}) { genre { id } } }`,
		} {
			var counts []int
			for _, n := range []int{2, 1000} {
				v := vars{"rows": all[:n]}
				if strings.Contains(query, "$id") {
					v["id"] = fmt.Sprint("genre_", n)
				}
				counts = append(counts, send(query, v).Statements())
			}
			if counts[0] != counts[1] || counts[0] > 6 {
				t.Errorf("%s: %d statements for 2 rows, and %d for 1,000", what, counts[0], counts[1])
			}
		}
		create := `mutation($rows: [CreateListenerInput!]!) { createListener(input: {name: "a", friends: {create: $rows}}) { listener { id } } }`
		var counts []int
		for _, n := range []int{2, 300} {
			rows := numbered(n)
			for _, row := range rows {
				row["likes"] = vars{"create": numbered(3)}
			}
			counts = append(counts, send(create, vars{"rows": rows}).Statements())
		}
		if counts[0] != counts[1] {
			t.Errorf("create: %d statements for 2 rows, and %d for 300", counts[0], counts[1])
		}
		connects(t, c, send)
		send(`mutation($rows: [ID!]!) { createGenre(input: {id: "genre_updated", tracks: {connect: $rows}}) { genre { id } } }`, vars{"rows": all[:300]})
		counts = nil
		for _, n := range []int{2, 300} {
			var entries []vars
			for i, id := range all[:n] {
				entries = append(entries, vars{"id": id, "input": vars{"length": i % 2}})
			}
			counts = append(counts, send(`mutation($rows: [UpdateTrackEntry!]!) { updateGenre(id: "genre_updated", input: {tracks: {update: $rows}}) { genre { id } } }`, vars{"rows": entries}).Statements())
		}
		if counts[0]+2 != counts[1] { // the savepoint
			t.Errorf("update: %d statements for 2 rows, and %d for 300 with the same two inputs", counts[0], counts[1])
		}
		c.want(`{ tracks(where: {lengthGT: 0}) { totalCount } }`, `{"tracks":{"totalCount":150}}`)
		got := send(`mutation($rows: [CreateListenerInput!]!) { createListener(input: {name: "last", friends: {create: $rows}}) { listener { friends { name likes { nodes { name } } } } } }`,
			vars{"rows": []vars{{"name": "one", "likes": vars{"create": []vars{{"name": "1"}, {"name": "2"}}}}, {"name": "two"}, {"name": "three", "likes": vars{"create": []vars{{"name": "3"}}}}}})
		if want := `{"createListener":{"listener":{"friends":[{"name":"one","likes":{"nodes":[{"name":"1"},{"name":"2"}]}},{"name":"two","likes":{"nodes":[]}},{"name":"three","likes":{"nodes":[{"name":"3"}]}}]}}}`; got.RawData() != want {
			t.Errorf("rows in rows: %s, want %s", got, want)
		}
		var missing []string
		for i := range 10_001 {
			missing = append(missing, fmt.Sprint("track_", i))
		}
		friends := `mutation($rows: [ID!]!) { createListener(input: {name: "a", friends: {connect: $rows}}) { listener { id } } }`
		for n, wanted := range map[int]string{5000: "there is no listener_", 5001: "those of friends count twice"} {
			var rows []string
			for range n {
				rows = append(rows, ids.ID{Prefix: "listener", UUID: entity.NewID()}.String())
			}
			if got := c.SendRequest(t.Context(), gqltest.Request{Query: friends, Variables: vars{"rows": rows}}); len(got.Errors) == 0 || !strings.Contains(got.Errors[0].Message, wanted) {
				t.Errorf("%d friends: %s, want %s", n, got, wanted)
			}
		}
		refused := c.SendRequest(t.Context(), gqltest.Request{Query: `mutation($rows: [ID!]!) { createListener(input: {name: "a", likes: {connect: $rows}}) { listener { id } } }`, Variables: vars{"rows": missing}})
		if refused.Code() != "BAD_USER_INPUT" || !strings.Contains(refused.Errors[0].Message, "more than 10000 rows") {
			t.Errorf("10,001 rows: %s", refused)
		}
	})
}

// connects relates rows of each kind of key to 2 new rows and to 50: the statements are as many.
func connects(t *testing.T, c client, send func(string, any) gqltest.Answer) {
	type vars map[string]any
	made := c.want(`mutation { createListener(input: {name: "all", playlists: {create: [`+strings.Repeat(`{name: "p"},`, 104)+`]}}) { listener { playlists { id } } } }`, "")
	tracks := c.want(`mutation { createTracks(input: [`+strings.Repeat(`{name: "old", sleeve: {create: {color: "c"}}},`, 52)+`]) { tracks { sleeve { id } } } }`, "")
	var listenersCount, tracksCount []int
	place := 0
	for _, n := range []int{2, 50} {
		var listeners, sleeved []vars
		for i := range n {
			name := fmt.Sprint(n, " ", i)
			listeners = append(listeners, vars{"name": name, "playlists": vars{"connect": []string{made.Text(fmt.Sprintf("createListener.listener.playlists.%d.id", 2*place)), made.Text(fmt.Sprintf("createListener.listener.playlists.%d.id", 2*place+1))}}})
			sleeved = append(sleeved, vars{"name": name, "sleeve": vars{"connect": tracks.Text(fmt.Sprintf("createTracks.tracks.%d.sleeve.id", place))}})
			place++
		}
		got := send(`mutation($rows: [CreateListenerInput!]!) { createListener(input: {name: "around", friends: {create: $rows}}) { listener { friends { name playlists { id } } } } }`, vars{"rows": listeners})
		listenersCount = append(listenersCount, got.Statements())
		for i, l := range listeners {
			at := fmt.Sprintf("createListener.listener.friends.%d.", i)
			if got.Text(at+"name") != l["name"] || got.Text(at+"playlists.0.id") != l["playlists"].(vars)["connect"].([]string)[0] || got.Text(at+"playlists.1.id") != l["playlists"].(vars)["connect"].([]string)[1] {
				t.Errorf("%d listeners with two playlists each: %s, want %v", n, got, listeners)
				break
			}
		}
		got = send(`mutation($rows: [CreateTrackInput!]!) { createTracks(input: $rows) { tracks { name sleeve { id } } } }`, vars{"rows": sleeved})
		tracksCount = append(tracksCount, got.Statements())
		for i, track := range sleeved {
			at := fmt.Sprintf("createTracks.tracks.%d.", i)
			if got.Text(at+"name") != track["name"] || got.Text(at+"sleeve.id") != track["sleeve"].(vars)["connect"] {
				t.Errorf("%d tracks with a sleeve each: %s, want %v", n, got, sleeved)
				break
			}
		}
	}
	if listenersCount[0] != listenersCount[1] || tracksCount[0] != tracksCount[1] {
		t.Errorf("connect: %d and %d statements for 2 rows around, and %d and %d for 50", listenersCount[0], tracksCount[0], listenersCount[1], tracksCount[1])
	}
}

// TestManyWrites creates, changes and deletes several rows at once, and creates a row that may be
// there.
func TestManyWrites(t *testing.T) {
	api := writes(t, nestedMutations)
	each(t, func(w *world) {
		c := nestedClient(w, api)
		c.want(`mutation { createGenre(input: {id: "genre_Rock", rank: 1}, onConflict: {on: ID, do: UPDATE}) { created genre { rank } } }`, `{"createGenre":{"created":true,"genre":{"rank":1}}}`)
		c.want(`mutation { createGenre(input: {id: "genre_Rock", rank: 2, tracks: {create: [{name: "n"}]}}, onConflict: {on: ID, do: UPDATE}) { created genre { rank tracks { nodes { name } } } } }`,
			`{"createGenre":{"created":false,"genre":{"rank":2,"tracks":{"nodes":[{"name":"n"}]}}}}`)
		c.want(`mutation { createGenre(input: {id: "genre_Rock", rank: 3}, onConflict: {on: ID, do: NOTHING}) { created genre { rank } } }`, `{"createGenre":{"created":false,"genre":{"rank":2}}}`)

		c.want(`mutation { createTracks(onError: SKIP, input: [{name: "a", length: 1, genre: {connect: "genre_Rock"}}, {name: "b", genreId: "genre_Polka"}, {name: "c", genre: {create: {id: "genre_Rock"}}}, {name: "d", genre: {create: {id: "genre_New"}}}]) { affected tracks { name genre { id } } errors { index code field } } }`,
			`{"createTracks":{"affected":2,"tracks":[{"name":"a","genre":{"id":"genre_Rock"}},{"name":"d","genre":{"id":"genre_New"}}],"errors":[{"index":1,"code":"NOT_FOUND","field":"input.1.genreId"},{"index":2,"code":"CONFLICT","field":"input.2.genre.create.id"}]}}`)
		c.want(`mutation { createTracks(onError: SKIP, input: {name: "c", genre: {create: {id: "genre_Rock"}}}) { affected errors { index code field } } }`,
			`{"createTracks":{"affected":0,"errors":[{"index":0,"code":"CONFLICT","field":"input.0.genre.create.id"}]}}`)
		c.refused("NOT_FOUND", "input.1.genreId", "there is no genre_Polka", `mutation { createTracks(input: [{name: "a"}, {name: "b", genreId: "genre_Polka"}]) { affected } }`)
		c.want(`mutation { updateTracks(where: {or: [{name: "a"}, {name: "d"}]}, input: {length: 5, genreId: "genre_New"}) { affected tracks { name length genre { id } } } }`,
			`{"updateTracks":{"affected":2,"tracks":[{"name":"a","length":5,"genre":{"id":"genre_New"}},{"name":"d","length":5,"genre":{"id":"genre_New"}}]}}`)
		c.refused("BAD_USER_INPUT", "atMost", "more than 1 rows fulfil the condition", `mutation { updateTracks(where: {hasGenreWith: [{id: "genre_New"}]}, input: {length: 6}, atMost: 1) { affected } }`)
		c.refused("BAD_USER_INPUT", "atMost", "it must be from 0 to 10000", `mutation { deleteTracks(where: {}, atMost: 10001) { affected } }`)
		c.refused("NOT_FOUND", "input.genreId", "there is no genre_Polka", `mutation { updateTracks(where: {}, input: {genreId: "genre_Polka"}) { affected } }`)
		for where, at := range map[string]string{
			`{name: null}`: "where.name", `{not: {name: null}}`: "where.not.name", `{or: [{name: "n"}, {lengthGT: null}]}`: "where.or.1.lengthGT",
			`{hasGenreWith: [{id: "genre_New"}, {not: {parentId: null}}]}`: "where.hasGenreWith.1.not.parentId", `{not: null}`: "where.not",
			`{not: {}}`: "where.not", `{not: {or: [{}]}}`: "where.not.or.0", `{not: {or: []}}`: "where.not.or", `{not: {not: {}}}`: "where.not.not",
		} {
			c.refused("BAD_USER_INPUT", at, "says nothing of the rows to change", `mutation { updateTracks(where: `+where+`, input: {length: 6}) { affected } }`)
			c.refused("BAD_USER_INPUT", at, "leave it out", `mutation { deleteTracks(where: `+where+`) { affected } }`)
		}
		for null, query := range map[string]string{"parentId": `deleteGenres(where: {not: {parentId: $p}})`, "lengthGT": `deleteTracks(where: {not: {lengthGT: $p}})`} {
			kind := map[string]string{"parentId": "ID", "lengthGT": "Int"}[null]
			for _, variables := range []map[string]any{{"p": nil}, nil} {
				if got := c.Do(`mutation($p: `+kind+`) { `+query+` { affected } }`, variables); got.Code() != "BAD_USER_INPUT" {
					c.Errorf("%s with %v: %s", query, variables, got)
				}
			}
		}
		c.refused("BAD_USER_INPUT", "where.parentId", "write parentIdIsNil: true", `mutation { deleteGenres(where: {parentId: null}) { affected } }`)
		c.want(`mutation { updateTracks(where: {name: "zzz"}, input: {length: 6}) { affected tracks { name } } }`, `{"updateTracks":{"affected":0,"tracks":[]}}`)
		c.want(`mutation { deleteTracks(where: {hasGenreWith: [{id: "genre_New"}]}) { affected } }`, `{"deleteTracks":{"affected":2}}`)
		c.want(`{ tracks { nodes { name } } }`, `{"tracks":{"nodes":[{"name":"n"}]}}`)
	})
}
