package edges

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
)

// TestOwnEdgesTogether has clients change the same rows at once over edges to the own type. Only
// PostgreSQL has several writers. None of them may wait for another one that waits for it: such a
// circle is resolved by an error after a second, and the attempts at a mutation would be used up.
func TestOwnEdgesTogether(t *testing.T) {
	api := writes(t, nestedMutations)
	each(t, func(w *world) {
		if w.db.Dialect != dialect.Postgres {
			w.Skip("one writer at a time")
		}
		c := nestedClient(w, api)
		var genres, listeners []string
		for i := range 4 {
			id := fmt.Sprint("genre_", i)
			c.want(`mutation { createGenre(input: {id: "`+id+`"}) { created } }`, "")
			genres = append(genres, id)
			listeners = append(listeners, c.want(`mutation { createListener(input: {name: "l"}) { listener { id } } }`, "").Text("createListener.listener.id"))
		}
		for _, tt := range []struct {
			of    []string
			query string
		}{
			{genres, `mutation { updateGenre(id: "%s", input: {children: {set: ["%s"]}}) { genre { id } } }`},
			{genres, `mutation { updateGenre(id: "%s", input: {similar: {set: ["%s"]}}) { genre { id } } }`},
			{listeners, `mutation { updateListener(id: "%s", input: {friends: {set: ["%s"]}}) { listener { id } } }`},
			{listeners, `mutation { updateListener(id: "%s", input: {followers: {set: ["%s"]}}) { listener { id } } }`},
		} {
			var clients sync.WaitGroup
			for range 8 {
				clients.Go(func() {
					for range 5 {
						pair := rand.Perm(4)
						query := fmt.Sprintf(tt.query, tt.of[pair[0]], tt.of[pair[1]])
						if got := c.Send(w.Context(), query, nil); len(got.Errors) > 0 {
							w.Errorf("%s: %s", query, got)
						}
					}
				})
			}
			clients.Wait()
		}
		var deadlocks int
		if err := w.db.QueryRow(`SELECT deadlocks FROM pg_stat_get_db_deadlocks((SELECT oid FROM pg_database WHERE datname = current_database())) AS deadlocks`).Scan(&deadlocks); err != nil || deadlocks > 0 {
			w.Errorf("%d circles of waiting mutations (%v), want none", deadlocks, err)
		}
	})
}
