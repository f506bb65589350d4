package edges

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/write"
	"forge/test/gqltest"
)

// journal holds what functions of an application were called for, in order.
type journal struct{ calls []string }

func (j *journal) add(format string, args ...any) {
	j.calls = append(j.calls, fmt.Sprintf(format, args...))
}

// functions returns functions that write each call down, and fail for some names.
func (j *journal) functions(entity string) write.Functions {
	return write.Functions{Before: func(ctx context.Context, w *write.Write) error {
		name, _ := w.Value("name")
		what := fmt.Sprintf("%s %s %v", [...]string{"create", "update", "delete", "restore"}[w.Op], entity, name)
		j.add("before %s", what)
		switch name {
		case "panic":
			panic("on purpose")
		case "fail":
			return errors.New("on purpose")
		}
		w.After(func(context.Context) error {
			if w.ID == (ids.ID{}) {
				j.add("no ID of %s", what)
			}
			j.add("after %s", what)
			if name == "late" {
				return errors.New("on purpose")
			}
			return nil
		})
		w.OnError(func(err error) error {
			j.add("error of %s", what)
			return err
		})
		gqlexec.AfterCommit(ctx, func(context.Context) { j.add("stored %s", what) })
		return nil
	}}
}

// TestWriteMoments has functions called for each row: of the root field, nested, in bulk, and
// connected. What a function has registered is called in order, and nothing is stored if one fails.
func TestWriteMoments(t *testing.T) {
	api := writes(t, tenMutations())
	each(t, func(w *world) {
		j := &journal{}
		api := api
		api.Writes = map[string]write.Functions{"Venue": j.functions("venue"), "Concert": j.functions("concert"), "Ticket": j.functions("ticket")}
		if err := api.Check(); err != nil {
			w.Fatal(err)
		}
		c := nestedClient(w, api)
		var venue, concert string
		for _, tt := range []struct{ query, wanted string }{
			{`createVenue(input: {name: "a", city: "Bonn", concerts: {create: [{name: "b", price: 1, tickets: {create: [{row: "A"}, {row: "A"}]}}, {name: "c", price: 1}]}}) { venue { id concerts { id } } }`,
				`before create venue a, before create concert b, before create concert c, before create ticket <nil>, before create ticket <nil>, after create ticket <nil>, after create ticket <nil>,
				after create concert b, after create concert c, after create venue a, stored create venue a, stored create concert b, stored create concert c, stored create ticket <nil>, stored create ticket <nil>`},
			{`createConcerts(input: [{name: "d", price: 1, venueId: "$venue"}, {name: "e", price: 1, venueId: "$venue"}]) { affected }`,
				`before create concert d, before create concert e, after create concert d, after create concert e, stored create concert d, stored create concert e`},
			{`updateConcerts(where: {or: [{name: "d"}, {name: "e"}]}, input: {price: 2}) { affected }`,
				`before update concert <nil>, after update concert <nil>, before update concert <nil>, after update concert <nil>, stored update concert <nil>, stored update concert <nil>`},
			{`createVenue(input: {name: "f", concerts: {connect: ["$concert"]}}) { venue { concerts { name } } }`,
				`before create venue f, before update concert <nil>, after update concert <nil>, after create venue f, stored create venue f, stored update concert <nil>`},
			{`deleteConcerts(where: {or: [{name: "d"}, {name: "e"}]}) { affected }`,
				`before delete concert <nil>, after delete concert <nil>, before delete concert <nil>, after delete concert <nil>, stored delete concert <nil>, stored delete concert <nil>`},
			{`updateConcert(id: "$concert", input: {name: "g", tickets: {set: []}}) { concert { tickets { row } } }`,
				`before update concert g, before update ticket <nil>, after update ticket <nil>, before update ticket <nil>, after update ticket <nil>, after update concert g,
				stored update concert g, stored update ticket <nil>, stored update ticket <nil>`},
			{`createVenue(input: {name: "a", city: "Bonn"}, onConflict: {on: CITY_NAME, do: NOTHING}) { created }`, ``},
			{`createVenue(input: {name: "a", city: "Bonn"}, onConflict: {on: CITY_NAME, do: UPDATE}) { created }`, `before update venue a, after update venue a, stored update venue a`},
			{`createTickets(onError: SKIP, input: [{row: "S", seat: 1}, {row: "S", seat: 1}, {row: "SSS"}]) { affected }`, `stored create ticket <nil>`},
			{`deleteVenue(id: "$venue") { deletedId } restoreVenue(id: "$venue") { venue { name } }`,
				`before delete venue <nil>, after delete venue <nil>, before restore venue <nil>, after restore venue <nil>, stored delete venue <nil>, stored restore venue <nil>`},
		} {
			j.calls = nil
			got := c.want("mutation { "+strings.NewReplacer("$venue", venue, "$concert", concert).Replace(tt.query)+" }", "")
			if venue == "" {
				venue, concert = got.Text("createVenue.venue.id"), got.Text("createVenue.venue.concerts.0.id")
			}
			calls := strings.Join(j.calls, ", ")
			if strings.Contains(tt.query, "SKIP") { // rows that are left out are tried, and undone
				calls = strings.Join(slices.DeleteFunc(j.calls, func(call string) bool { return !strings.HasPrefix(call, "stored") }), ", ")
			}
			if calls != strings.Join(strings.Fields(tt.wanted), " ") {
				w.Errorf("%s: %s", tt.query, calls)
			}
		}
		before := c.Must(stored, nil).RawData()
		for _, tt := range []struct{ query, wanted string }{
			{`createVenue(input: {name: "x", concerts: {create: [{name: "y", price: 1}, {name: "panic", price: 1}]}}) { venue { id } }`, ``},
			{`createVenue(input: {name: "x", concerts: {create: [{name: "fail", price: 1}]}}) { venue { id } }`, ``},
			{`createVenue(input: {name: "x", concerts: {create: [{name: "late", price: 1}]}}) { venue { id } }`, `after create concert late`},
			{`createVenue(input: {name: "late"}) { venue { id } }`, `after create venue late`},
			{`createConcerts(input: [{name: "y", price: 1, venueId: "$venue"}, {name: "panic", price: 1, venueId: "$venue"}], onError: SKIP) { affected }`, ``},
			{`createVenue(input: {name: "y"}) { venue { id } } createConcerts(input: [{name: "late", price: 1, venueId: "$venue"}], onError: SKIP) { affected }`, `after create concert late`},
			{`updateVenues(where: {}, input: {city: "x"}) { affected } updateConcert(id: "$concert", input: {name: "panic"}) { concert { id } }`, ``},
		} {
			j.calls = nil
			got := c.Do("mutation { "+strings.NewReplacer("$venue", venue, "$concert", concert).Replace(tt.query)+" }", nil)
			if got.Code() != "INTERNAL" || strings.Contains(got.String(), "on purpose") {
				w.Errorf("%s: %s, want INTERNAL", tt.query, got)
			}
			calls := strings.Join(j.calls, ", ")
			if strings.Contains(calls, "stored") || !strings.Contains(calls, tt.wanted) {
				w.Errorf("%s: %s", tt.query, calls)
			}
			if after := c.Must(stored, nil).RawData(); after != before {
				w.Errorf("%s has failed, and has changed what is stored:\n%s\n%s", tt.query, before, after)
			}
		}
		j.calls = nil
		c.refused("NOT_FOUND", "input.concerts.connect.0", "there is no concert_99", `mutation { createVenue(input: {name: "x", concerts: {connect: ["concert_99"]}}) { venue { id } } }`)
		c.refused("CONFLICT", "input.code", "taken", `mutation { createVenue(input: {name: "x", code: "c"}) { venue { id } } updateVenue(id: "`+venue+`", input: {code: "C"}) { venue { id } } }`)
		if calls := strings.Join(j.calls, ", "); calls != "before create venue x, after create venue x, before update venue <nil>, error of update venue <nil>" {
			w.Errorf("a conflict: %s", calls)
		}
	})
}

// TestUpsertRace has two clients look for a row at the same moment, and create it when neither has
// found it. Only PostgreSQL has several writers.
func TestUpsertRace(t *testing.T) {
	each(t, func(w *world) {
		if w.db.Dialect != dialect.Postgres {
			w.Skip("one writer at a time")
		}
		for _, do := range []string{"UPDATE", "NOTHING"} {
			// Both wait before the first statement that creates the row, after they have looked.
			var looked sync.WaitGroup
			looked.Add(2)
			api := writes(w.T, tenMutations())
			api.Writes = map[string]write.Functions{"Ticket": {Before: func(_ context.Context, w *write.Write) error {
				if w.Op == write.Create {
					looked.Done()
					looked.Wait()
				}
				return nil
			}}}
			c := nestedClient(w, api)
			answers := make(chan gqltest.Answer, 2)
			for _, note := range []string{"one", "two"} {
				go func() {
					answers <- c.Send(w.Context(), `mutation { createTicket(input: {row: "`+do[:1]+`", seat: 7, note: "`+note+`"}, onConflict: {on: ROW_SEAT, do: `+do+`}) { created ticket { id note version } } }`, nil)
				}()
			}
			one, other := <-answers, <-answers
			if one.At("createTicket.created") != true {
				one, other = other, one
			}
			version := map[string]int{"UPDATE": 2, "NOTHING": 1}[do]
			if one.At("createTicket.created") != true || other.At("createTicket.created") != false || one.Text("createTicket.ticket.id") != other.Text("createTicket.ticket.id") ||
				one.Number("createTicket.ticket.version") != 1 || other.Number("createTicket.ticket.version") != version {
				w.Errorf("two at the same moment, %s: %s and %s", do, one, other)
			}
			if got := c.Must(`{ tickets(where: {row: "`+do[:1]+`"}) { totalCount nodes { note version } } }`, nil); got.Number("tickets.totalCount") != 1 || got.Text("tickets.nodes.0.note") != other.Text("createTicket.ticket.note") {
				w.Errorf("after %s: %s", do, got)
			}
		}
	})
}
