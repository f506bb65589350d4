package edges

import (
	"fmt"
	"strings"
	"testing"

	"forge/test/gqltest"
)

// tenInputs are the inputs of tenMutations.
const tenInputs = `
enum OnError { ABORT SKIP }
enum OnConflict { UPDATE NOTHING }
type CreateError { index: Int! code: String! message: String! field: String }

enum GenreUnique { ID }
enum PrizeUnique { ID }
enum VenueUnique { CITY_NAME CODE }
enum TicketUnique { ROW_SEAT }
enum PosterUnique { CONCERT_ID }

input CreateListenerInput { name: String! playlists: NewPlaylists likes: NewTracks concerts: IDs }
input UpdateListenerInput { name: String playlists: Playlists likes: Tracks concerts: AllIDs partnerId: ID }
input ManyListenerInput { name: String }
input IDs { connect: [ID!] }
input AllIDs { connect: [ID!] disconnect: [ID!] set: [ID!] }
input CreateTrackInput { name: String! length: Int genreId: ID genre: OneGenre sleeve: OneSleeve }
input UpdateTrackInput { name: String length: Int genreId: ID likedBy: AllIDs }
input ManyTrackInput { length: Int genreId: ID }
input NewTracks { create: [CreateTrackInput!] connect: [ID!] }
input Tracks { create: [CreateTrackInput!] connect: [ID!] disconnect: [ID!] set: [ID!] update: [TrackEntry!] delete: [ID!] }
input TrackEntry { id: ID! input: UpdateTrackInput! }
input CreateGenreInput { id: ID! rank: Int! parentId: ID tracks: NewTracks }
input UpdateGenreInput { rank: Int parentId: ID tracks: Tracks similar: AllIDs }
input ManyGenreInput { rank: Int parentId: ID }
input OneGenre { create: CreateGenreInput connect: ID }
input CreateSleeveInput { color: String! trackId: ID }
input UpdateSleeveInput { color: String trackId: ID }
input ManySleeveInput { color: String }
input OneSleeve { create: CreateSleeveInput connect: ID }
input CreatePlaylistInput { name: String! listenerId: ID }
input UpdatePlaylistInput { name: String listenerId: ID }
input ManyPlaylistInput { name: String }
input NewPlaylists { create: [CreatePlaylistInput!] connect: [ID!] }
input Playlists { create: [CreatePlaylistInput!] update: [PlaylistEntry!] delete: [ID!] }
input PlaylistEntry { id: ID! input: UpdatePlaylistInput! }

input CreateVenueInput { name: String! city: String code: String concerts: NewConcerts near: NewVenues }
input UpdateVenueInput { name: String city: String code: String concerts: Concerts near: AllIDs }
input ManyVenueInput { city: String }
input NewVenues { create: [CreateVenueInput!] connect: [ID!] }
input NewConcerts { create: [CreateConcertInput!] connect: [ID!] }
input Concerts { create: [CreateConcertInput!] connect: [ID!] update: [ConcertEntry!] delete: [ID!] }
input ConcertEntry { id: ID! input: UpdateConcertInput! }
input CreateConcertInput {
  name: String! venueId: ID venue: OneVenue price: Decimal! day: Date kind: ConcertKind token: UUID seats: BigInt data: Bytes rider: JSON words: [String!] score: Float sold: Boolean
  tickets: NewTickets guests: NewListeners poster: OnePoster pictures: IDs
}
input OneVenue { create: CreateVenueInput connect: ID }
input UpdateConcertInput {
  name: String venueId: ID price: Decimal day: Date kind: ConcertKind token: UUID seats: BigInt data: Bytes rider: JSON words: [String!] score: Float sold: Boolean
  tickets: Tickets guests: Listeners poster: OnePoster pictures: AllIDs
}
input ManyConcertInput { price: Decimal day: Date kind: ConcertKind seats: BigInt rider: JSON words: [String!] sold: Boolean }
input NewTickets { create: [CreateTicketInput!] connect: [ID!] }
input Tickets { create: [CreateTicketInput!] connect: [ID!] disconnect: [ID!] set: [ID!] update: [TicketEntry!] delete: [ID!] }
input TicketEntry { id: ID! input: UpdateTicketInput! }
input NewListeners { create: [CreateListenerInput!] connect: [ID!] }
input Listeners { create: [CreateListenerInput!] connect: [ID!] disconnect: [ID!] set: [ID!] update: [ListenerEntry!] }
input ListenerEntry { id: ID! input: UpdateListenerInput! }
input CreateTicketInput { row: String! seat: Int note: String concertId: ID }
input UpdateTicketInput { seat: Int note: String concertId: ID }
input ManyTicketInput { note: String concertId: ID }
input CreatePosterInput { text: String! concertId: ID designer: OneListener printId: ID }
input UpdatePosterInput { text: String concertId: ID printId: ID }
input ManyPosterInput { text: String }
input OnePoster { create: CreatePosterInput connect: ID }
input CreatePrizeInput { id: ID! year: Int! winner: OneListener winnerId: ID shared: IDs }
input UpdatePrizeInput { year: Int winnerId: ID winner: OneListener shared: AllIDs }
input ManyPrizeInput { year: Int winnerId: ID }
input OneListener { create: CreateListenerInput connect: ID }
`

// tenMutations returns every standard mutation of ten entities.
func tenMutations() string {
	var root, types strings.Builder
	for _, x := range []string{"Listener", "Track", "Genre", "Sleeve", "Playlist", "Venue", "Concert", "Ticket", "Poster", "Prize"} {
		many, version, conflict, created := x+"s", "", "", ""
		if x == "Venue" || x == "Ticket" {
			version = ", expectedVersion: Int"
		}
		if strings.Contains(tenInputs, "enum "+x+"Unique") {
			conflict, created = ", onConflict: "+x+"Conflict", "created: Boolean! "
			fmt.Fprintf(&types, "input %[1]sConflict { on: %[1]sUnique! do: OnConflict! }\n", x)
		}
		one, list := strings.ToLower(x), strings.ToLower(many)
		fmt.Fprintf(&root, `create%[1]s(input: Create%[1]sInput!%[4]s): Create%[1]sPayload! update%[1]s(id: ID!, input: Update%[1]sInput!%[3]s): Update%[1]sPayload! delete%[1]s(id: ID!%[3]s): Delete%[1]sPayload!
			create%[2]s(input: [Create%[1]sInput!]!, onError: OnError! = ABORT): Create%[2]sPayload! update%[2]s(where: %[1]sWhereInput!, input: Many%[1]sInput!, atMost: Int! = 100): Update%[2]sPayload!
			delete%[2]s(where: %[1]sWhereInput!, atMost: Int! = 100): Delete%[2]sPayload!
		`, x, many, version, conflict)
		fmt.Fprintf(&types, `type Create%[1]sPayload { %[5]s%[3]s: %[1]s! } type Update%[1]sPayload { %[3]s: %[1]s! } type Delete%[1]sPayload { deletedId: ID! }
			type Create%[2]sPayload { affected: Int! %[4]s: [%[1]s!]! errors: [CreateError!]! } type Update%[2]sPayload { affected: Int! %[4]s: [%[1]s!]! } type Delete%[2]sPayload { affected: Int! deletedIds: [ID!]! }
		`, x, many, one, list, created)
	}
	return "type Mutation {\n" + root.String() + "restoreVenue(id: ID!): RestoreVenuePayload! }\ntype RestoreVenuePayload { venue: Venue! }\n" + types.String() + tenInputs
}

// stored is all that is stored, as clients read it.
const stored = `{
	venues { nodes { name city code version concerts { name } near { name } } }
	concerts { nodes { name venue { name } price day kind token seats data rider words score sold tickets { row seat } guests { name } poster { text } } }
	tickets { nodes { row seat note version concert { name } } }
	posters { nodes { text concert { name } designer { name } } }
	prizes { nodes { id year winner { name } shared { id } } }
	listeners { nodes { name likes { nodes { name } } playlists { name } partner { name } } }
	tracks { nodes { name length genre { id } sleeve { color } likedBy { name } } }
	genres { nodes { id rank parentId similar { nodes { id } } } }
	sleeves { nodes { color track { name } } }
	playlists { nodes { name listener { name } } }
}`

// afterwards is what is stored in the end.
const afterwards = `{"venues":{"nodes":[
{"name":"Cellar","city":null,"code":"sS","version":3,"concerts":[{"name":"Opening"}],"near":[{"name":"Hall"},{"name":"Attic"}]},
{"name":"Hall","city":"Ulm","code":"HB","version":6,"concerts":[{"name":"Second"},{"name":"Third"}],"near":[{"name":"Cellar"}]},
{"name":"Attic","city":null,"code":null,"version":1,"concerts":[],"near":[{"name":"Cellar"}]}]},
"concerts":{"nodes":[
{"name":"Opening","venue":{"name":"Cellar"},"price":"9.99","day":null,"kind":"OUTDOOR","token":"01890a5d-ac96-774b-bcce-b302099a8057","seats":"9007199254740993","data":"/wAB","rider":null,"words":[],"score":0.5,"sold":true,
"tickets":[{"row":"A","seat":null},{"row":"C","seat":1},{"row":"D","seat":1}],"guests":[{"name":"Anna"},{"name":"Bob"}],"poster":{"text":"same"}},
{"name":"Second","venue":{"name":"Hall"},"price":"7.00","day":"2026-06-01","kind":"OUTDOOR","token":null,"seats":"12","data":null,"rider":[1],"words":["w"],"score":null,"sold":true,"tickets":[],"guests":[],"poster":null},
{"name":"Third","venue":{"name":"Hall"},"price":"7.00","day":"2026-06-01","kind":"OUTDOOR","token":null,"seats":"12","data":null,"rider":[1],"words":["w"],"score":null,"sold":true,"tickets":[],"guests":[],"poster":null}]},
"tickets":{"nodes":[
{"row":"A","seat":null,"note":"back","version":2,"concert":{"name":"Opening"}},
{"row":"B","seat":1,"note":null,"version":2,"concert":null},
{"row":"C","seat":1,"note":"y","version":2,"concert":{"name":"Opening"}},
{"row":"C","seat":null,"note":null,"version":1,"concert":null},
{"row":"C","seat":null,"note":null,"version":1,"concert":null},
{"row":"D","seat":1,"note":"d","version":2,"concert":{"name":"Opening"}}]},
"posters":{"nodes":[{"text":"same","concert":{"name":"Opening"},"designer":{"name":"Bob"}},{"text":"same","concert":null,"designer":null}]},
"prizes":{"nodes":[
{"id":"prize_B","year":2,"winner":{"name":"Eve"},"shared":[]},
{"id":"prize_One","year":1999,"winner":{"name":"Anna"},"shared":[{"id":"prize_Two"}]},
{"id":"prize_Two","year":2001,"winner":{"name":"Bob"},"shared":[{"id":"prize_One"}]}]},
"listeners":{"nodes":[
{"name":"Anna","likes":{"nodes":[{"name":"T"}]},"playlists":[],"partner":{"name":"Bob"}},
{"name":"Bob","likes":{"nodes":[]},"playlists":[],"partner":{"name":"Anna"}},
{"name":"Cyd","likes":{"nodes":[]},"playlists":[],"partner":null},
{"name":"Dan","likes":{"nodes":[]},"playlists":[],"partner":null},
{"name":"Eve","likes":{"nodes":[{"name":"T"}]},"playlists":[],"partner":null},
{"name":"xx","likes":{"nodes":[]},"playlists":[],"partner":null},
{"name":"y","likes":{"nodes":[]},"playlists":[],"partner":null}]},
"tracks":{"nodes":[{"name":"T","length":null,"genre":{"id":"genre_Rock"},"sleeve":null,"likedBy":[{"name":"Anna"},{"name":"Eve"}]}]},
"genres":{"nodes":[{"id":"genre_F","rank":5,"parentId":"genre_Rock","similar":{"nodes":[]}},{"id":"genre_Rock","rank":1,"parentId":null,"similar":{"nodes":[]}}]},
"sleeves":{"nodes":[{"color":"blue","track":null},{"color":"blue","track":null}]},
"playlists":{"nodes":[]}}`

// TestTenEntities creates, changes, relates, upserts, deletes and restores rows of ten entities by
// standard mutations alone, and compares all that is stored with what is expected.
func TestTenEntities(t *testing.T) {
	api := writes(t, tenMutations())
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		c := nestedClient(w, api)
		ids := map[string]string{}
		expand := func(text string) string {
			for name, id := range ids {
				text = strings.ReplaceAll(text, "$"+name+"$", id)
			}
			return text
		}
		do := func(query, wanted string) gqltest.Answer {
			w.Helper()
			return c.want("mutation { "+expand(query)+" }", expand(wanted))
		}
		refused := func(code, field, message, query string) {
			w.Helper()
			before := c.Must(stored, nil).RawData()
			got := c.Do("mutation { "+expand(query)+" }", nil)
			if at, _ := got.Extension("field").(string); got.Code() != code || at != field || !strings.Contains(got.Errors[0].Message, expand(message)) {
				w.Errorf("%s: %s, want %s at %q: %s", query, got, code, field, message)
			}
			if after := c.Must(stored, nil).RawData(); after != before {
				w.Errorf("%s was refused, and has changed what is stored:\n%s\n%s", query, before, after)
			}
		}

		// A concert, with all that belongs to it, three levels deep.
		got := do(`createConcert(input: {name: "Opening", price: "12.50", day: "2026-05-01", kind: OUTDOOR, token: "01890a5d-ac96-774b-bcce-b302099a8057", seats: "9007199254740993",
			data: "/wAB", rider: {b: 1.50, a: [null]}, words: ["loud", "é"], score: 0.5, sold: true, venue: {create: {name: "Hall", city: "Bonn", code: "Ha1", near: {create: [{name: "Cellar", code: "ß"}]}}},
			tickets: {create: [{row: "A", seat: 1}, {row: "A"}, {row: "A", note: "free"}]}, poster: {create: {text: "Come"}},
			guests: {create: [{name: "Ann", playlists: {create: [{name: "P"}, {name: "Q"}]}, likes: {create: [{name: "T", genre: {create: {id: "genre_Rock", rank: 1}}, sleeve: {create: {color: "red"}}}, {name: "U", length: 3}]}}, {name: "Bob"}]}}) {
			concert { id venue { id near { id } } tickets { id version } guests { id likes { nodes { id } } playlists { id } } } }`, "")
		for name, path := range map[string]string{"opening": "id", "hall": "venue.id", "cellar": "venue.near.0.id", "a1": "tickets.0.id", "a": "tickets.1.id", "free": "tickets.2.id", "ann": "guests.0.id",
			"bob": "guests.1.id", "t": "guests.0.likes.nodes.0.id", "u": "guests.0.likes.nodes.1.id", "p": "guests.0.playlists.0.id", "q": "guests.0.playlists.1.id"} {
			ids[name] = got.Text("createConcert.concert." + path)
		}
		ids["red"] = c.Must(`{ sleeves { nodes { id } } }`, nil).Text("sleeves.nodes.0.id")

		// Changes that expect a version. What is written nested is changed with the rest, or not at
		// all.
		do(`updateVenue(id: "$hall$", expectedVersion: 1, input: {code: "HB", concerts: {create: [{name: "Second", price: 1}], update: [{id: "$opening$", input: {price: "9.99", rider: null, day: null, words: [],
			tickets: {update: [{id: "$a$", input: {note: "back"}}], delete: ["$free$"], create: [{row: "B", seat: 1}]}}}]}}) { venue { version concerts { name price day rider words tickets { row seat note version } } } }`,
			`{"updateVenue":{"venue":{"version":2,"concerts":[{"name":"Opening","price":"9.99","day":null,"rider":null,"words":[],"tickets":[{"row":"A","seat":1,"note":null,"version":1},{"row":"A","seat":null,"note":"back","version":2},{"row":"B","seat":1,"note":null,"version":1}]},{"name":"Second","price":"1.00","day":null,"rider":null,"words":null,"tickets":[]}]}}}`)
		refused("CONFLICT", "", "has changed: its version is 2", `updateVenue(id: "$hall$", expectedVersion: 1, input: {concerts: {create: [{name: "Never", price: 1}]}}) { venue { id } }`)
		refused("CONFLICT", "input.code", "taken", `updateVenue(id: "$hall$", input: {code: "SS", concerts: {create: [{name: "Never", price: 1}]}}) { venue { id } }`)
		refused("BAD_USER_INPUT", "input.concerts.create.1.price", "more than 2 digits", `updateVenue(id: "$hall$", input: {concerts: {create: [{name: "Never", price: 1}, {name: "Never", price: "1.001"}]}}) { venue { id } }`)
		refused("CONFLICT", "input.concerts.create.0.tickets.create.0.row", "taken", `updateVenue(id: "$hall$", input: {near: {disconnect: ["$cellar$"]}, concerts: {create: [{name: "Never", price: 1, tickets: {create: [{row: "B", seat: 1}]}}]}}) { venue { id } }`)
		refused("BAD_USER_INPUT", "input.venueId", "venueId must have a value", `createConcert(input: {name: "Nowhere", price: 1}) { concert { id } }`)
		refused("BAD_USER_INPUT", "input.0.venueId", "venueId must have a value", `createConcerts(input: [{name: "Nowhere", price: 1}]) { affected }`)
		refused("BAD_USER_INPUT", "input.concerts.create.0.venueId", "belongs to the one around it", `updateVenue(id: "$hall$", input: {concerts: {create: [{name: "x", price: 1, venueId: "$cellar$"}]}}) { venue { id } }`)
		refused("BAD_USER_INPUT", "input.row", "row is not allowed", `createTicket(input: {row: "AAA"}) { ticket { id } }`)
		refused("FORBIDDEN", "", "only an administrator", `createPrize(input: {id: "prize_X", year: 1}) { prize { id } } deleteListener(id: "$ann$") { deletedId }`)

		// Rows are connected, disconnected and set, over edges of each form.
		do(`updateConcert(id: "$opening$", input: {tickets: {disconnect: ["$a1$"]}, guests: {disconnect: ["$bob$"], create: [{name: "Cyd"}], update: [{id: "$ann$", input: {name: "Anna", playlists: {update: [{id: "$q$", input: {name: "QQ"}}], delete: ["$p$"]}, likes: {disconnect: ["$u$"]}}}]},
			poster: {create: {text: "Come again", designer: {connect: "$bob$"}}}}) { concert { tickets { row seat } guests { name likes { nodes { name } } playlists { name } } poster { text } } }`,
			`{"updateConcert":{"concert":{"tickets":[{"row":"A","seat":null},{"row":"B","seat":1}],"guests":[{"name":"Anna","likes":{"nodes":[{"name":"T"}]},"playlists":[{"name":"QQ"}]},{"name":"Cyd","likes":{"nodes":[]},"playlists":[]}],"poster":{"text":"Come again"}}}}`)
		do(`a: updateConcert(id: "$opening$", input: {tickets: {set: ["$a1$", "$a$"]}, guests: {set: ["$bob$", "$ann$"]}}) { concert { tickets { row seat } guests { name } } } b: updateVenue(id: "$cellar$", input: {near: {set: []}, concerts: {connect: ["$opening$"]}}) { venue { near { name } concerts { name } } }
			c: updateListener(id: "$bob$", input: {partnerId: "$ann$"}) { listener { partner { name } } } d: updateTrack(id: "$u$", input: {likedBy: {connect: ["$bob$"]}, genreId: "genre_Rock"}) { track { likedBy { name } } }
			e: createPrize(input: {id: "prize_One", year: 1999, winner: {connect: "$ann$"}}) { prize { year winner { name } } } f: createPrize(input: {id: "prize_Two", year: 2000, winner: {create: {name: "Dan"}}, shared: {connect: ["prize_One"]}}) { prize { shared { id } } }
			g: updateSleeve(id: "$red$", input: {trackId: "$u$"}) { sleeve { track { name } } } h: updateGenre(id: "genre_Rock", input: {similar: {connect: []}, tracks: {connect: ["$t$"], disconnect: ["$u$"]}}) { genre { tracks { nodes { name } } } }`, "")

		// Rows that may be there: by one column or two, without regard to case, and with NULL,
		// which is like no other value.
		for _, tt := range []struct{ query, wanted string }{
			{`createTicket(input: {row: "C", seat: 1, note: "x"}, onConflict: {on: ROW_SEAT, do: UPDATE}) { created ticket { row seat note version } }`, `{"created":true,"ticket":{"row":"C","seat":1,"note":"x","version":1}}`},
			{`createTicket(input: {row: "C", seat: 1, note: "y", concertId: "$opening$"}, onConflict: {on: ROW_SEAT, do: UPDATE}) { created ticket { row seat note version } }`, `{"created":false,"ticket":{"row":"C","seat":1,"note":"y","version":2}}`},
			{`createTicket(input: {row: "C", seat: 1, note: "z"}, onConflict: {on: ROW_SEAT, do: NOTHING}) { created ticket { row seat note version } }`, `{"created":false,"ticket":{"row":"C","seat":1,"note":"y","version":2}}`},
			{`createTicket(input: {row: "C", seat: null}, onConflict: {on: ROW_SEAT, do: UPDATE}) { created ticket { row seat note version } }`, `{"created":true,"ticket":{"row":"C","seat":null,"note":null,"version":1}}`},
			{`createTicket(input: {row: "C", seat: null}, onConflict: {on: ROW_SEAT, do: NOTHING}) { created ticket { row seat note version } }`, `{"created":true,"ticket":{"row":"C","seat":null,"note":null,"version":1}}`},
			{`createVenue(input: {name: "Cellar", code: "sS", near: {create: [{name: "Attic"}], connect: ["$hall$"]}}, onConflict: {on: CODE, do: UPDATE}) { created venue { name code version near { name } } }`, `{"created":false,"venue":{"name":"Cellar","code":"sS","version":3,"near":[{"name":"Hall"},{"name":"Attic"}]}}`},
			{`createVenue(input: {name: "Hall", city: "Bonn", concerts: {create: [{name: "Third", price: 3}]}}, onConflict: {on: CITY_NAME, do: UPDATE}) { created venue { code concerts { name } } }`, `{"created":false,"venue":{"code":"HB","concerts":[{"name":"Second"},{"name":"Third"}]}}`},
			{`createPoster(input: {text: "Last", concertId: "$opening$", designer: {create: {name: "Never"}}}, onConflict: {on: CONCERT_ID, do: UPDATE}) { created poster { text concert { name } designer { name } } }`, `{"created":false,"poster":{"text":"Last","concert":{"name":"Opening"},"designer":{"name":"Bob"}}}`},
			{`createPrize(input: {id: "prize_Two", year: 2001, winnerId: "$bob$"}, onConflict: {on: ID, do: UPDATE}) { created prize { year winner { name } } }`, `{"created":false,"prize":{"year":2001,"winner":{"name":"Bob"}}}`},
		} {
			name, _, _ := strings.Cut(tt.query, "(")
			do(tt.query, `{"`+name+`":`+tt.wanted+`}`)
		}
		refused("BAD_USER_INPUT", "input.seat", "seat is needed to look for the row", `createTicket(input: {row: "C"}, onConflict: {on: ROW_SEAT, do: UPDATE}) { created }`)
		refused("CONFLICT", "input.code", "taken", `createVenue(input: {name: "Hall", city: "Bonn", code: "ss"}, onConflict: {on: CITY_NAME, do: UPDATE}) { created }`)
		refused("CONFLICT", "input.code", "taken", `createVenue(input: {name: "New", city: "Bonn", code: "ss"}, onConflict: {on: CITY_NAME, do: NOTHING}) { created }`)

		// Many rows at once.
		do(`createTickets(onError: SKIP, input: [{row: "D", seat: 1}, {row: "D", seat: 1}, {row: "DDD"}, {row: "D", seat: 2, concertId: "concert_99"}, {row: "D", seat: 3}]) { affected tickets { row seat } errors { index code field } }`,
			`{"createTickets":{"affected":2,"tickets":[{"row":"D","seat":1},{"row":"D","seat":3}],"errors":[{"index":1,"code":"CONFLICT","field":"input.1.row"},{"index":2,"code":"BAD_USER_INPUT","field":"input.2.row"},{"index":3,"code":"NOT_FOUND","field":"input.3.concertId"}]}}`)
		do(`a: updateTickets(where: {row: "D"}, input: {note: "d", concertId: "$opening$"}) { affected tickets { seat note version concert { name } } } b: deleteTickets(where: {row: "D", seat: 3}) { affected }
			c: updateConcerts(where: {not: {name: "Opening"}}, input: {price: "7", seats: "12", kind: OUTDOOR, day: "2026-06-01", rider: [1], words: ["w"], sold: true}) { affected }
			d: updateVenues(where: {name: "Hall"}, input: {city: "Ulm"}) { affected venues { version } } e: createPrizes(input: [{id: "prize_A", year: 1}, {id: "prize_B", year: 2, winner: {create: {name: "Eve", likes: {connect: ["$t$"]}}}}]) { affected }
			f: createSleeves(input: [{color: "blue"}, {color: "blue"}]) { affected } g: createListeners(input: [{name: "x"}, {name: "y"}]) { affected } h: updateListeners(where: {name: "x"}, input: {name: "xx"}) { affected }
			i: createPlaylists(input: [{name: "m", listenerId: "$bob$"}, {name: "n"}]) { affected } j: deletePlaylists(where: {not: {hasTracks: true}}, atMost: 4) { affected } k: createGenres(input: [{id: "genre_E", rank: 1}, {id: "genre_F", rank: 2, parentId: "genre_Rock"}]) { affected }
			l: updateGenres(where: {rankGT: 1}, input: {rank: 5}) { affected genres { id rank } } m: updatePrizes(where: {year: 1}, input: {year: 3}) { affected } n: createPosters(input: [{text: "p"}]) { affected } o: updatePosters(where: {}, input: {text: "same"}) { affected }`,
			`{"a":{"affected":2,"tickets":[{"seat":1,"note":"d","version":2,"concert":{"name":"Opening"}},{"seat":3,"note":"d","version":2,"concert":{"name":"Opening"}}]},"b":{"affected":1},"c":{"affected":2},"d":{"affected":1,"venues":[{"version":4}]},"e":{"affected":2},"f":{"affected":2},"g":{"affected":2},"h":{"affected":1},"i":{"affected":2},"j":{"affected":3},"k":{"affected":2},"l":{"affected":1,"genres":[{"id":"genre_F","rank":5}]},"m":{"affected":1},"n":{"affected":1},"o":{"affected":3}}`)
		refused("BAD_USER_INPUT", "atMost", "more than 1 rows fulfil the condition", `deleteTickets(where: {row: "C"}, atMost: 1) { affected }`)
		refused("BAD_USER_INPUT", "input.parentId", "genre_Rock would lead back to itself by the edge parent", `updateGenres(where: {}, input: {parentId: "genre_Rock"}) { affected }`)
		refused("BAD_USER_INPUT", "input.parentId", "genre_Rock would lead back", `updateGenre(id: "genre_Rock", input: {parentId: "genre_Rock"}) { genre { id } }`)
		refused("BAD_USER_INPUT", "input.parentId", "genre_Rock would lead back", `createGenre(input: {id: "genre_Rock", rank: 1, parentId: "genre_Rock"}, onConflict: {on: ID, do: UPDATE}) { created }`)
		refused("CONFLICT", "input.id", "taken", `updateConcerts(where: {}, input: {seats: 5}) { affected } deleteConcerts(where: {}) { affected } deleteVenues(where: {}) { affected } createGenre(input: {id: "genre_Rock", rank: 1}) { genre { id } }`)

		// What is deleted is not there any more, until it is restored.
		do(`a: deleteVenue(id: "$hall$", expectedVersion: 4) { deletedId } b: deletePoster(id: "poster_1") { deletedId } c: deletePrize(id: "prize_A") { deletedId } d: deleteGenre(id: "genre_E") { deletedId } e: deleteSleeve(id: "$red$") { deletedId } f: deleteTrack(id: "$u$") { deletedId } g: deleteTicket(id: "$a1$", expectedVersion: 3) { deletedId } `,
			``)
		refused("NOT_FOUND", "", "there is no $hall$", `updateVenue(id: "$hall$", input: {city: "x"}) { venue { id } }`)
		refused("NOT_FOUND", "input.venueId", "", `createConcert(input: {name: "x", price: 1, venueId: "$hall$"}) { concert { id } }`)
		do(`createVenue(input: {name: "Hall", city: "Ulm", code: "hx"}, onConflict: {on: CITY_NAME, do: UPDATE}) { created venue { version } }`, `{"createVenue":{"created":true,"venue":{"version":1}}}`)
		refused("CONFLICT", "city", "taken", `restoreVenue(id: "$hall$") { venue { id } }`)
		do(`a: deleteVenues(where: {city: "Ulm"}) { affected } restoreVenue(id: "$hall$") { venue { name city code version concerts { name } } }`, ``)
		if got := c.Must(stored, nil).RawData(); got != strings.ReplaceAll(afterwards, "\n", "") {
			w.Errorf("afterwards, what is stored is\n%s", got)
		}

		// Rows that have the same set change with one statement, and the row at fault is found.
		got = do(`createConcert(input: {name: "Twins", price: 1, venueId: "$hall$", tickets: {create: [{row: "E", seat: 1}, {row: "E", seat: 2}]}}) { concert { id tickets { id } } }`, "")
		ids["twins"], ids["e1"], ids["e2"] = got.Text("createConcert.concert.id"), got.Text("createConcert.concert.tickets.0.id"), got.Text("createConcert.concert.tickets.1.id")
		do(`updateConcert(id: "$twins$", input: {tickets: {update: [{id: "$e1$", input: {note: "x"}}, {id: "$e2$", input: {note: "x"}}]}}) { concert { tickets { seat note version } } }`,
			`{"updateConcert":{"concert":{"tickets":[{"seat":1,"note":"x","version":2},{"seat":2,"note":"x","version":2}]}}}`)
		refused("CONFLICT", "input.tickets.update.1.input.seat", "taken", `updateConcert(id: "$twins$", input: {tickets: {update: [{id: "$e2$", input: {seat: 3}}, {id: "$e1$", input: {seat: 3}}]}}) { concert { id } }`)
	})
}
