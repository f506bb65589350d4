package api_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestRefusedBeginsNothing sends operations that are refused before they run, or that need no
// database. No connection is taken for them.
func TestRefusedBeginsNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		var taken, statements atomic.Int64
		a.db.Waited = func(time.Duration) { taken.Add(1) }
		a.db.Watch = func(context.Context, string, time.Duration, error) { statements.Add(1) }
		for _, tt := range []struct {
			name, query string
			vars        vars
			refused     bool
		}{
			{"syntax error", `mutation { createTeam(`, nil, true},
			{"unknown field", `mutation { createTeam(input: {name: "A"}) { team { id strength } } }`, nil, true},
			{"missing argument", `mutation { createTeam { team { id } } }`, nil, true},
			{"missing variable", `mutation($name: String!) { createTeam(input: {name: $name}) { team { id } } }`, nil, true},
			{"malformed ID", `mutation { deleteTeam(id: "x") { deletedId } }`, nil, true},
			{"ID of another type", `mutation { deleteTeam(id: "` + noUser + `") { deletedId } }`, nil, true},
			{"value that is not allowed", `mutation { createTeam(input: {name: " "}) { team { id } } }`, nil, true},
			{"page too large", `{ teams(first: 101) { nodes { id } } }`, nil, true},
			{"malformed cursor", `{ teams(after: "x") { nodes { id } } }`, nil, true},
			{"nothing stored is asked for", `{ __typename }`, nil, false},
			{"nothing stored is changed", `mutation { __typename }`, nil, false},
		} {
			taken.Store(0)
			statements.Store(0)
			got := a.Do(tt.query, tt.vars)
			if refused := got.Code() != ""; refused != tt.refused {
				t.Errorf("%s: %s\nrefused: %t, want %t", tt.name, got, refused, tt.refused)
			}
			if taken.Load() != 0 || statements.Load() != 0 {
				t.Errorf("%s: %d connections were taken, and %d statements run; want none", tt.name, taken.Load(), statements.Load())
			}
		}
		a.Must(`{ teams { nodes { id } } }`, nil)
		if taken.Load() != 1 || statements.Load() != 1 {
			t.Errorf("a query: %d connections were taken, and %d statements run; want one of each", taken.Load(), statements.Load())
		}
	})
}
