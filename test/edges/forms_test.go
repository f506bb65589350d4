package edges

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFormsNested sends inputs with faults in rows three deep. The answer has all of them, each
// with its path, and nothing is stored. A conflict has the values of the row that differ.
func TestFormsNested(t *testing.T) {
	api := writes(t, tenMutations())
	each(t, func(w *world) {
		c := nestedClient(w, api)
		for _, tt := range []struct {
			code, query string
			fields      []string
		}{
			{"BAD_USER_INPUT", `createConcert(input: {name: "x", price: "a lot", venueId: "track_1", token: "?", day: "2026-02-30", words: ["a"],
				venue: {create: {name: "y", code: "` + strings.Repeat("c", 11) + `", near: {create: [{name: "z"}, {name: "q\u0000"}]}}},
				tickets: {create: [{row: "A"}, {row: "B", concertId: "ticket_x"}]}, guests: {connect: ["listener_1", "track_1"]}}) { concert { id } }`,
				[]string{"input.price", "input.venue", "input.venueId", "input.token", "input.day", "input.tickets.create.1.concertId", "input.guests.connect.0", "input.guests.connect.1", "input.venue.create.near.create.1.name"}},
			{"NOT_FOUND", `createConcert(input: {name: "x", price: 1, venue: {create: {name: "y"}}, guests: {connect: ["listener_01h455vb4pe00000000000000a"], create: [{name: "g", likes: {connect: ["track_4000", "track_4001"]}}]}}) { concert { id } }`,
				[]string{"input.guests.connect.0", "input.guests.create.0.likes.connect.0", "input.guests.create.0.likes.connect.1"}},
		} {
			got := c.Do("mutation { "+tt.query+" }", nil)
			var fields []string
			for _, err := range got.Errors {
				fields = append(fields, fmt.Sprint(err.Extensions["field"]))
				if err.Extensions["code"] != tt.code {
					w.Errorf("%v, want %s", err, tt.code)
				}
			}
			slices.Sort(fields)
			slices.Sort(tt.fields)
			if !slices.Equal(fields, tt.fields) || got.Data != nil {
				w.Errorf("%q\nwant %q\n%s", fields, tt.fields, got)
			}
		}
		if got := c.Must(stored, nil).RawData(); strings.Contains(got, "name") {
			w.Errorf("something was stored: %s", got)
		}

		made := c.Do(`mutation { createConcert(input: {name: "c", price: 1, venue: {create: {name: "v"}}, tickets: {create: [{row: "A", seat: 1, note: "n"}]}}) { concert { id venue { id } tickets { id } } } }`, nil)
		ticket, concert := made.Text("createConcert.concert.tickets.0.id"), made.Text("createConcert.concert.id")
		got := c.Do(`mutation { updateTicket(id: "`+ticket+`", expectedVersion: 9, input: {seat: 2, note: null, concertId: "`+concert+`"}) { ticket { id } } }`, nil)
		current, _ := json.Marshal(got.Extension("current"))
		if got.Code() != "CONFLICT" || string(current) != `{"note":"n","seat":1}` {
			w.Errorf("%s, want the seat and the note", got)
		}
		long := strings.Repeat("x", 20_000)
		c.Must(`mutation { updateTicket(id: "`+ticket+`", input: {note: "`+long+`"}) { ticket { id } } }`, nil)
		got = c.Do(`mutation { updateTicket(id: "`+ticket+`", expectedVersion: 9, input: {seat: 2, note: "short"}) { ticket { id } } }`, nil)
		if current, _ := json.Marshal(got.Extension("current")); string(current) != `{"seat":1}` {
			w.Errorf("%.300s, want the seat alone: the note is too long", got)
		}
	})
}
