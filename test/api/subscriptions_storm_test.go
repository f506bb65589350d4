package api_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"forge/internal/changes"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestSubscriptionStorm has writers change rows on three servers, some in transactions that are
// rolled back. Subscribers leave after a few answers, and come back with their cursors to another
// server. Each of them is told of every change, once, in the order of the log.
func TestSubscriptionStorm(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		writers, rounds, readers := 4, 25, 6
		if os.Getenv("FORGE_SOAK") != "" {
			writers, rounds, readers = 32, 1000, 30
		}
		servers := []*api{newStreams(t, url), newStreams(t, url), newStreams(t, url)}
		start, err := servers[0].changesLog().End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cursor := servers[0].Must(`{ changeCursor }`, nil).Text("changeCursor")
		var writing, reading sync.WaitGroup
		for i := range writers {
			writing.Go(func() { write(t, servers[i%3], rand.New(rand.NewPCG(1, uint64(i))), rounds) })
		}
		heard := make([][]string, readers)
		for i := range readers {
			reading.Go(func() { heard[i] = follow(t, servers, rand.New(rand.NewPCG(2, uint64(i))), cursor) })
		}
		writing.Wait()
		servers[0].Must(`mutation { createHero(input: {name: "last"}) { hero { id } } }`, nil)
		reading.Wait()
		servers[0].tick()
		list, _, err := servers[0].changesLog().Read(t.Context(), start, 1_000_000, "hero")
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, c := range list {
			id := ids.ID{Prefix: "hero", UUID: uuid.MustParse(c.Key)}
			want = append(want, fmt.Sprint(c.Op, " ", id))
		}
		if len(want) < writers*rounds/2 {
			t.Fatalf("only %d changes were logged", len(want))
		}
		for i, got := range heard {
			if !slices.Equal(got, want) {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Errorf("subscriber %d was told of %d changes, and %d were logged; the first that differs is number %d", i, len(got), len(want), at)
			}
		}
	})
}

// write creates, changes and deletes heroes.
func write(t *testing.T, a *api, r *rand.Rand, rounds int) {
	var mine []string
	for range rounds {
		switch n := r.IntN(10); {
		case n < 4 || len(mine) == 0:
			mine = append(mine, a.Must(`mutation { createHero(input: {name: "x"}) { hero { id } } }`, nil).Text("createHero.hero.id"))
		case n < 7:
			a.Must(`mutation($h: ID!, $n: String!) { updateHero(id: $h, input: {name: $n}) { hero { id } } }`, vars{"h": mine[r.IntN(len(mine))], "n": fmt.Sprint(r.IntN(1000))})
		case n < 9:
			// The second fails, so that the first is rolled back.
			a.Do(`mutation($h: ID!) { a: updateHero(id: $h, input: {name: "never"}) { hero { id } } b: updateHero(id: "hero_00000000000000000000000000", input: {name: "y"}) { hero { id } } }`, vars{"h": mine[0]})
		default:
			i := r.IntN(len(mine))
			a.Must(`mutation($h: ID!) { deleteHero(id: $h) { deletedId } }`, vars{"h": mine[i]})
			mine = slices.Delete(mine, i, i+1)
		}
	}
}

// follow collects the changes of heroes up to the creation of the one called last.
func follow(t *testing.T, servers []*api, r *rand.Rand, cursor string) (heard []string) {
	for {
		ctx, cancel := context.WithCancel(t.Context())
		s := servers[r.IntN(3)].subscribeWith(ctx, viewer.System, heroChanges, nil, cursor)
		for range 1 + r.IntN(4) {
			got, err := s.next()
			if err != nil || !got.OK() {
				t.Errorf("got %s, %v", got.Body, err)
				cancel()
				return heard
			}
			for j := range got.Len("heroChanges.changes") {
				at := fmt.Sprintf("heroChanges.changes.%d.", j)
				heard = append(heard, fmt.Sprint(opOf[got.Text(at+"kind")], " ", got.Text(at+"id")))
				if got.Text(at+"hero.name") == "last" {
					cancel()
					s.op.Close()
					return heard
				}
			}
			cursor = s.cursor
		}
		cancel()
		s.op.Close()
	}
}

var opOf = map[string]changes.Op{"CREATED": changes.Created, "UPDATED": changes.Updated, "REMOVED": changes.Removed, "MANY": changes.Many}
