package edges

import (
	"strings"
	"testing"

	entschema "forge/internal/schema"
	convert "forge/internal/schema/entschema"
	"forge/test/dbtest"
	"forge/test/edges/ent/migrate"
)

// oneOfEach has the databases refuse two tickets of one concert with the same seat, and two with
// the same note.
func oneOfEach(tables []*entschema.Table) {
	for _, table := range tables {
		if table.Name != "tickets" {
			continue
		}
		for name, columns := range map[string][]string{"tickets_of_concert": {"concert_id", "seat"}, "tickets_note": {"note"}} {
			index := &entschema.Index{Name: name, Unique: true}
			for _, name := range columns {
				c, _ := table.Column(name)
				index.Columns = append(index.Columns, c)
			}
			table.Indexes = append(table.Indexes, index)
		}
	}
}

// TestNestedRowsCollide creates rows two of which have the same values in a unique index over the
// key of the row around them and a column: the answer names the column of the second.
func TestNestedRowsCollide(t *testing.T) {
	t.Parallel()
	api := writes(t, tenMutations())
	for name, address := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLite, "postgres": dbtest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := nestedClient(newWorldOf(t, address(t), oneOfEach), api)
			concert := func(tickets string) string { return `{name: "c", price: 1, tickets: {create: [` + tickets + `]}}` }
			venue := func(concerts string) string {
				return `mutation { createVenue(input: {name: "v", concerts: {create: [` + concerts + `]}}) { venue { id concerts { id } } } }`
			}
			c.refused("CONFLICT", "input.concerts.create.1.tickets.create.2.seat", "taken", venue(concert(`{row: "A", seat: 7}`)+
				concert(`{row: "B", seat: 1}, {row: "C", seat: 7}, {row: "D", seat: 7}, {row: "E"}, {row: "F"}`)+concert(`{row: "G", seat: 7}`)))
			got := c.want(venue(concert(`{row: "A", seat: 7}, {row: "A", seat: 8}`)), "").Text("createVenue.venue.concerts.0.id")
			c.refused("CONFLICT", "input.tickets.create.1.seat", "taken", `mutation { updateConcert(id: "`+got+`", input: {tickets: {create: [{row: "X", seat: 1}, {row: "Y", seat: 8}, {row: "Z", seat: 9}]}}) { concert { id } } }`)
			c.refused("CONFLICT", "input.1.concertId", "taken", `mutation { createTickets(input: [{row: "X", seat: 1, concertId: "`+got+`"}, {row: "Y", seat: 8, concertId: "`+got+`"}, {row: "Z", seat: 9}]) { affected } }`)
		})
	}
}

// TestUpsertOfSeveralKeys looks for a row by a key that none has, and creates one while others have
// the values of two more keys: the answer names the field that comes first in the input.
func TestUpsertOfSeveralKeys(t *testing.T) {
	t.Parallel()
	tables := convert.Copy(migrate.Tables)
	oneOfEach(tables)
	for name, address := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLite, "postgres": dbtest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, inputs := range []struct{ order, field string }{
				{"row: String! seat: Int note: String concertId: ID", "concertId"},
				{"note: String row: String! seat: Int concertId: ID", "note"},
			} {
				api := writes(t, strings.Replace(tenMutations(), "row: String! seat: Int note: String concertId: ID", inputs.order, 1))
				api.Tables = tables
				c := nestedClient(newWorldOf(t, address(t), oneOfEach), api)
				concert := c.want(`mutation { createVenue(input: {name: "v", concerts: {create: [{name: "c", price: 1, tickets: {create: [{row: "A", seat: 7}, {row: "B", note: "n"}]}}]}}) { venue { concerts { id } } } }`, "").Text("createVenue.venue.concerts.0.id")
				for _, do := range []string{"NOTHING", "UPDATE"} {
					c.refused("CONFLICT", "input."+inputs.field, "taken", `mutation { createTicket(input: {row: "Z", seat: 7, note: "n", concertId: "`+concert+`"}, onConflict: {on: ROW_SEAT, do: `+do+`}) { created } }`)
				}
			}
		})
	}
}
