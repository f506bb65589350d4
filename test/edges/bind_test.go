package edges

import (
	"slices"
	"strings"
	"testing"

	entpkg "entgo.io/ent"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/test/edges/ent"
)

// TestWritesBindRelated has the start name nested inputs, arguments onConflict and mutations of
// several rows that do not fit the entities.
func TestWritesBindRelated(t *testing.T) {
	t.Parallel()
	const (
		create  = "type Mutation { createTrack(input: I!): P! } type P { track: Track! } input I { name: String! "
		update  = "type Mutation { updateVenue(id: ID!, input: I!): P! } type P { venue: Venue! } input I { name: String "
		upsert  = "enum Do { UPDATE NOTHING } type P { created: Boolean! ticket: Ticket! } input I { row: String! seat: Int } type Mutation { createTicket(input: I!, onConflict: "
		tickets = "type P { affected: Int! tickets: [Ticket!]! } input I { row: String! seat: Int } enum E { ABORT SKIP } type Mutation { createTickets(input: [I!]!, onError: E): P! } "
		updates = "type P { affected: Int! tickets: [Ticket!]! } input I { seat: Int } "
	)
	for _, tt := range []struct{ mutations, finding string }{
		{create + "ratings: N } input N { connect: [ID!] }", "I.ratings: rows of Rating have no ID, so they cannot be written from the input of another row"},
		{create + "raters: N } input N { connect: [ID!] }", "I.raters: the rows between the two are those of Rating, which have columns and a policy of their own; write these instead, by the edge that leads to them"},
		{create + "labels: N } input N { connect: [ID!] }", "I.labels: it holds IDs of Label, which have no prefix; give the entity one"},
		{update + "awards: N } input N { connect: [ID!] }", "I.awards: Prize holds the key and has no edge back; add one in ent/schema, with edge.From and Unique()"},
		{create + "genre: N! } input N { connect: ID }", "I.genre: its type is N!; allowed is one input object, without !"},
		{create + "genre: [N!] } input N { connect: ID }", "I.genre: its type is [N!]; allowed is one input object, without !"},
		{create + "genre: N } input N { connect: ID disconnect: Boolean }", "N.disconnect: nothing reads this field; allowed here: create, connect"},
		{create + "likedBy: N } input N { connect: [ID!] set: [ID!] }", "N.set: nothing reads this field; allowed here: create, connect"},
		{update + "concerts: N } input N { connect: [ID!] disconnect: [ID!] }", "N.disconnect: rows of Concert must be related to one of Venue, so they cannot be disconnected; allowed: create, connect, update, delete"},
		{update + "concerts: N } input N { connect: [ID!] set: [ID!] }", "N.set: rows of Concert must be related to one of Venue, so they cannot be disconnected"},
		{update + "near: N } input N { connect: [ID!]! }", "N.connect: it must be possible to leave it out; take ! and the default out"},
		{update + "near: N } input N { connect: [ID!] = [] }", "N.connect: it must be possible to leave it out; take ! and the default out"},
		{update + "near: N } input N { connect: ID }", "N.connect: its type is ID; allowed is a list, such as [ID!]"},
		{update + "near: N } input N { connect: [ID] }", "N.connect: its type is [ID]; allowed is a list, such as [ID!]"},
		{create + "genre: N } input N { connect: [ID!] }", "N.connect: its type is [ID!]; allowed is a single value"},
		{update + "near: N } input N { connect: [String!] }", "N.connect: its type is [String!]; allowed: IDs for connect, set, disconnect and delete, and input objects for create and update"},
		{update + "near: N } input N { create: [ID!] }", "N.create: its type is [ID!]; allowed: IDs for connect"},
		{update + "near: N } input N { update: [F!] } input F { name: String }", "N.update: its type is [F!]; allowed are objects of two fields: id: ID! and input, an input object with !"},
		{update + "near: N } input N { update: [E!] } input E { id: ID! input: F } input F { name: String }", "N.update: its type is [E!]; allowed are objects of two fields"},
		{update + "near: N } input N { update: [E!] } input E { id: ID! input: F! } input F { title: String }", "F.title: Venue has neither a column nor an edge of this name in ent/schema"},
		{update + "near: N } input N { create: [F!] } input F { city: String }", "F: the column name of Venue must have a value, and nothing sets it; add the field name"},
		{update + "concerts: N } input N { create: [F!] } input F { name: String! price: Decimal! }", ""},
		{`type Mutation { createConcert(input: I!): P! } type P { concert: Concert! } input I { name: String! price: Decimal! venueId: ID }`, "I.venueId: the column venue_id of Concert must have a value; write ID!"},
		{`type Mutation { createConcert(input: I!): P! } type P { concert: Concert! } input I { name: String! price: Decimal! venueId: ID venue: N } input N { connect: ID }`, ""},

		{`type Mutation { updatePoster(id: ID!, input: I!): P! } type P { poster: Poster! } input I { designerId: ID }`, "I.designerId: the edge designer of Poster is Immutable() in ent/schema; take one of the two out"},
		{`type Mutation { updatePoster(id: ID!, input: I!): P! } type P { poster: Poster! } input I { designer: N } input N { connect: ID }`, "I.designer: the edge designer of Poster is Immutable() in ent/schema; take one of the two out"},
		{`type Mutation { updateListener(id: ID!, input: I!): P! } type P { listener: Listener! } input I { designs: N } input N { connect: [ID!] }`,
			"N.connect: Poster is related for good, by an edge or a column that is Immutable() in ent/schema; allowed: create, update, delete"},

		{upsert + "ID): P! }", "Mutation.createTicket(onConflict:): its type is ID; allowed is an input object of two fields, on: TicketUnique! and do: OnConflict!"},
		{upsert + "C!): P! } input C { on: U! do: Do! } enum U { ROW_SEAT }", "Mutation.createTicket(onConflict:): its type is C!; allowed is an input object of two fields"},
		{upsert + "C): P! } input C { on: U! do: Do } enum U { ROW_SEAT }", "Mutation.createTicket(onConflict:): its type is C; allowed is an input object of two fields"},
		{upsert + "C): P! } input C { on: U! do: U! } enum U { ROW_SEAT }", "C.do: its type is U!; allowed is an enum of the values UPDATE, NOTHING"},
		{upsert + "C): P! } input C { on: U! do: Do! } enum U { ROW_SEAT NOTE }", "C.on: its type is U!; allowed is an enum of the values ID, ROW_SEAT"},
		{upsert + "C): P! } input C { on: U! do: Do! } enum U { ID ROW_SEAT }", "C.on: no field of the input sets the column id, which ID looks for; add one, or take ID out"},
		{upsert + "C): P! } input C { on: U! do: Do! } enum U { ROW_SEAT }", ""},
		{`type Mutation { createTickets(input: [I!]!, onConflict: I): P! } input I { row: String! } type P { affected: Int! }`, "Mutation.createTickets(onConflict:): nothing reads this argument; allowed: input, onError"},
		{`type Mutation { updateTicket(id: ID!, input: I!, onConflict: I): P! } input I { seat: Int } type P { ticket: Ticket! }`, "Mutation.updateTicket(onConflict:): nothing reads this argument; allowed: id, input, expectedVersion"},

		{strings.Replace(tickets, "[I!]!", "I!", 1), "Mutation.createTickets(input:): its type is I!; allowed is a list of input objects, such as [CreateTicketInput!]!"},
		{strings.Replace(tickets, "[I!]!", "[I]!", 1), "Mutation.createTickets(input:): its type is [I]!; allowed is a list of input objects"},
		{strings.Replace(tickets, "SKIP", "GO", 1), "Mutation.createTickets(onError:): its type is E; allowed is an enum of the values ABORT, SKIP"},
		{strings.Replace(tickets, "tickets: [Ticket!]!", "ticket: Ticket", 1), "P.ticket: nothing answers this field; allowed: one of the type [Ticket!]!, affected: Int!, errors"},
		{strings.Replace(tickets, "tickets: [Ticket!]!", "errors: Int!", 1), "P.errors: its type is Int!; allowed is a list of objects, such as [CreateError!]!"},
		{strings.Replace(tickets, "tickets: [Ticket!]!", "errors: [X!]!", 1) + "type X { place: Int! }", "X.place: nothing answers this field; allowed: index: Int!, code: String!, message: String!, field: String"},
		{strings.Replace(tickets, "tickets: [Ticket!]!", "created: Boolean!", 1), "P.created: nothing answers this field"},
		{updates + "type Mutation { updateTickets(where: TicketWhereInput!, input: I!): P! }", "Mutation.updateTickets: it needs the argument atMost"},
		{updates + "type Mutation { updateTickets(input: I!, atMost: Int! = 1): P! }", "Mutation.updateTickets: it needs the argument where"},
		{updates + "type Mutation { updateTickets(where: VenueWhereInput!, input: I!, atMost: Int! = 1): P! }", "Mutation.updateTickets(where:): its type is VenueWhereInput!; allowed: TicketWhereInput!"},
		{updates + "type Mutation { updateTickets(where: TicketWhereInput, input: I!, atMost: Int! = 1): P! }", "Mutation.updateTickets(where:): its type is TicketWhereInput; allowed: TicketWhereInput!"},
		{updates + "type Mutation { updateTickets(where: TicketWhereInput!, input: I!, atMost: Int!): P! }", "Mutation.updateTickets(atMost:): it needs a default; write atMost: Int! = 100"},
		{updates + "type Mutation { updateTickets(where: TicketWhereInput!, input: I!, atMost: Int = 5): P! }", "Mutation.updateTickets(atMost:): its type is Int; allowed: Int!"},
		{updates + "type Mutation { updateTickets(where: TicketWhereInput!, input: [I!]!, atMost: Int! = 5): P! }", "Mutation.updateTickets(input:): its type is [I!]!; allowed is one input object, with !"},
		{updates + "type Mutation { updateTickets(where: TicketWhereInput!, input: I!, atMost: Int! = 5, expectedVersion: Int): P! }", "Mutation.updateTickets(expectedVersion:): nothing reads this argument; allowed: where, input, atMost"},
		{updates + "type Mutation { deleteTickets(where: TicketWhereInput!, atMost: Int! = 5): P! }", "P.tickets: nothing answers this field; allowed: affected: Int!, deletedIds: [ID!]!"},
		{`type Mutation { restoreVenues(where: VenueWhereInput!, atMost: Int! = 5): P! } type P { affected: Int! }`, "Mutation.restoreVenues: nothing carries it out"},
		{"type Mutation { updateVenues(where: VenueWhereInput!, input: I!, atMost: Int! = 5): P! } type P { affected: Int! } input I { near: N } input N { connect: [ID!] }", "I.near: it cannot be set in several rows with one statement; take the field out"},
		{"type Mutation { updateListeners(where: ListenerWhereInput!, input: I!, atMost: Int! = 5): P! } type P { affected: Int! } input I { partnerId: ID }", "I.partnerId: it cannot be set in several rows with one statement; take the field out"},
	} {
		err := writes(t, tt.mutations+"\n").Check()
		if tt.finding == "" && err != nil || tt.finding != "" && (err == nil || !strings.Contains(err.Error(), tt.finding)) {
			t.Errorf("%s: %v, want %s", tt.mutations, err, tt.finding)
		}
	}
}

// TestClientIDsBind has the start name fields for keys that clients cannot make. The keys of
// tickets are UUIDs, and those of tracks are numbers.
func TestClientIDsBind(t *testing.T) {
	t.Parallel()
	const ticket = "type Mutation { createTicket(input: I!): P! } type P { ticket: Ticket! } input I { id: ID row: String! }"
	const track = "type Mutation { createTrack(input: I!): P! } type P { track: Track! } input I { id: ID name: String! }"
	owned := func() entpkg.Policy { return rule.Policy{Owner: rule.Owner{Column: "id"}} }
	for _, tt := range []struct {
		of, mutations, finding string
		clientIDs              bool
		policy                 func() entpkg.Policy
	}{
		{"Ticket", ticket, "", true, nil},
		{"Ticket", ticket, "I.id: the server makes the keys of Ticket; take the field out, or allow clients to make them: entity.Annotation{ClientIDs: true}", false, nil},
		{"Ticket", strings.Replace(ticket, "id: ID", "id: String", 1), "I.id: its type is String; allowed: ID", true, nil},
		{"Ticket", ticket, "I.id: the policy of Ticket says by the key who may do what, so that a client cannot make it; take ClientIDs out", true, owned},
		{"Track", track, "I.id: the keys of Track are no UUIDs, for which alone ClientIDs is; take ClientIDs out", true, nil},
		{"Track", track, "", false, nil},
	} {
		api := writes(t, tt.mutations+"\n")
		api.Entities = slices.Clone(ent.Entities)
		for i, e := range api.Entities {
			if e.Name == tt.of {
				of := *e
				of.ClientIDs, of.Policy = tt.clientIDs, tt.policy
				api.Entities[i] = &of
			}
		}
		err := api.Check()
		if tt.finding == "" && err != nil || tt.finding != "" && (err == nil || !strings.Contains(err.Error(), tt.finding)) {
			t.Errorf("%s: %v, want %s", tt.mutations, err, tt.finding)
		}
	}
}

// immutableConcert returns the entities, with tickets whose concert never changes.
func immutableConcert() (list []*entity.Entity) {
	for _, e := range ent.Entities {
		if e.Name == "Ticket" {
			of := *e
			of.Fields = slices.Clone(e.Fields)
			of.Field("concertId").Immutable = true
			e = &of
		}
		list = append(list, e)
	}
	return list
}

// TestNestedImmutable relates rows by a column that is Immutable(): only new rows get a value.
func TestNestedImmutable(t *testing.T) {
	const types = "type P { concert: Concert! } type T { created: Boolean! ticket: Ticket! } input C { row: String! seat: Int concert: O } input O { connect: ID } "
	for _, tt := range []struct{ mutations, finding string }{
		{types + "type Mutation { updateTicket(id: ID!, input: I!): T2! } type T2 { ticket: Ticket! } input I { seat: Int concert: O }", "I.concert: the column concert_id of Ticket is Immutable() in ent/schema; take one of the two out"},
		{types + "type Mutation { updateConcert(id: ID!, input: I!): P! } input I { tickets: N } input N { connect: [ID!] }", "N.connect: Ticket is related for good, by an edge or a column that is Immutable() in ent/schema; allowed: create, update, delete"},
		{types + "type Mutation { updateConcert(id: ID!, input: I!): P! } input I { tickets: N } input N { set: [ID!] }", "N.set: Ticket is related for good, by an edge or a column that is Immutable() in ent/schema; allowed: create, update, delete"},
	} {
		api := writes(t, tt.mutations+"\n")
		api.Entities = immutableConcert()
		if err := api.Check(); err == nil || !strings.Contains(err.Error(), tt.finding) {
			t.Errorf("%s: %v, want %s", tt.mutations, err, tt.finding)
		}
	}
	api := writes(t, types+`type Mutation { createTicket(input: C!, onConflict: On): T! updateConcert(id: ID!, input: I!): P! } input I { name: String tickets: N } input N { create: [D!] delete: [ID!] } input D { row: String! }
		input On { on: U! do: Do! } enum U { ROW_SEAT } enum Do { UPDATE NOTHING }
	`)
	api.Entities = immutableConcert()
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		c := nestedClient(w, api)
		venue := w.ent.Venue.Create().SetName("v").SaveX(w.system)
		for _, name := range []string{"a", "b"} {
			w.ent.Concert.Create().SetName(name).SetPrice(decimal.New(1, 0)).SetVenue(venue).SaveX(w.system)
		}
		for _, of := range []string{"1", "2"} {
			c.want(`mutation { createTicket(input: {row: "A", seat: 1, concert: {connect: "concert_`+of+`"}}, onConflict: {on: ROW_SEAT, do: UPDATE}) { ticket { concert { name } } } }`, `{"createTicket":{"ticket":{"concert":{"name":"a"}}}}`)
		}
		c.want(`mutation { updateConcert(id: "concert_1", input: {tickets: {create: [{row: "B"}]}}) { concert { tickets { row } } } }`, `{"updateConcert":{"concert":{"tickets":[{"row":"A"},{"row":"B"}]}}}`)
	})
}

// TestSetKeepsHidden sets the rows that are related to another one. Rows that the viewer does not
// see stay related.
func TestSetKeepsHidden(t *testing.T) {
	api := writes(t, tenMutations())
	each(t, func(w *world) {
		c := nestedClient(w, api)
		got := c.want(`mutation { createVenue(input: {name: "a", near: {create: [{name: "b"}, {name: "c"}]}}) { venue { id near { id } } } }`, "")
		id, hidden := got.Text("createVenue.venue.id"), got.Text("createVenue.venue.near.0.id")
		c.want(`mutation { deleteVenue(id: "`+hidden+`") { deletedId } updateVenue(id: "`+id+`", input: {near: {set: []}}) { venue { near { name } } } restoreVenue(id: "`+hidden+`") { venue { near { name } } } }`,
			`{"deleteVenue":{"deletedId":"`+hidden+`"},"updateVenue":{"venue":{"near":[]}},"restoreVenue":{"venue":{"near":[{"name":"a"}]}}}`)
	})
}
