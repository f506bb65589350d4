package api_test

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/changes"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// stormVariable is the environment variable that says how many changes a storm has.
const stormVariable = "FORGE_STORM"

// storm is how many changes are made, by how many writers, and who follows them.
type storm struct {
	changes, writers, readers int

	servers []*api
	made    atomic.Int64 // changes that were acknowledged
}

func newStorm(t *testing.T, url string) *storm {
	s := &storm{changes: 500, writers: 4, readers: 6}
	if os.Getenv("FORGE_SOAK") != "" {
		s.changes, s.writers, s.readers = 100_000, 32, 30
	}
	if text := os.Getenv(stormVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s: %v", stormVariable, err)
		}
		s.changes = n
	}
	for range 3 {
		s.servers = append(s.servers, newStreams(t, url))
	}
	return s
}

// TestSubscriptionStorm has writers change rows on three servers, one by one and many at once, some
// in transactions that are rolled back. Subscribers leave after a few answers, and come back with
// their cursors to another server. Each of them is told of every change, once, in the order of the
// log. FORGE_STORM says how many changes are made.
func TestSubscriptionStorm(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		s, begun := newStorm(t, url), time.Now()
		first := s.servers[0]
		start, err := first.changesLog().End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cursor := first.Must(`{ changeCursor }`, nil).Text("changeCursor")
		var writing, reading sync.WaitGroup
		for i := range s.writers {
			writing.Go(func() { s.write(s.servers[i%3], rand.New(rand.NewPCG(1, uint64(i)))) })
		}
		heard := make([][]uint64, s.readers)
		for i := range heard {
			reading.Go(func() { heard[i] = s.follow(t, rand.New(rand.NewPCG(2, uint64(i))), cursor) })
		}
		writing.Wait()
		wrote := time.Since(begun)
		first.Must(`mutation { createHero(input: {name: "last"}) { hero { id } } }`, nil)
		reading.Wait()
		t.Logf("%d changes in %v, told to %d subscribers after %v", s.made.Load(), wrote, s.readers, time.Since(begun))
		first.tick()
		want := logged(t, first.changesLog(), start)
		if len(want) < s.changes {
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

var markSeed = maphash.MakeSeed()

// mark returns a number for a change, which no other is likely to have.
func mark(op changes.Op, id string) uint64 { return maphash.String(markSeed, fmt.Sprint(op, " ", id)) }

// logged returns the marks of the changes of heroes in a log.
func logged(t *testing.T, log *changes.Log, at changes.Position) (all []uint64) {
	for {
		list, next, err := log.Read(t.Context(), at, 10_000, "hero")
		if err != nil {
			t.Fatal(err)
		}
		if next == at {
			return all
		}
		for _, c := range list {
			all = append(all, mark(c.Op, ids.ID{Prefix: "hero", UUID: uuid.MustParse(c.Key)}.String()))
		}
		at = next
	}
}

// write creates, changes and deletes heroes.
func (s *storm) write(a *api, r *rand.Rand) {
	var mine []string
	for int(s.made.Load()) < s.changes {
		made := 1
		switch n := r.IntN(10); {
		case n < 3 || len(mine) == 0:
			mine = append(mine, a.Must(`mutation { createHero(input: {name: "x"}) { hero { id } } }`, nil).Text("createHero.hero.id"))
		case n < 5:
			a.Must(`mutation($h: ID!, $n: String!) { updateHero(id: $h, input: {name: $n}) { hero { id } } }`, vars{"h": mine[r.IntN(len(mine))], "n": fmt.Sprint(r.IntN(1000))})
		case n < 7:
			made = min(len(mine), 100)
			a.Must(`mutation($h: [ID!]!, $n: Int!) { updateHeroes(where: {idIn: $h}, input: {age: $n}) { affected } }`, vars{"h": mine[:made], "n": r.IntN(1_000_000_000)})
		case n < 9:
			// The second fails, so that the first is rolled back.
			made = 0
			a.Do(`mutation($h: ID!) { a: updateHero(id: $h, input: {name: "never"}) { hero { id } } b: updateHero(id: "hero_00000000000000000000000000", input: {name: "y"}) { hero { id } } }`, vars{"h": mine[0]})
		default:
			i := r.IntN(len(mine))
			a.Must(`mutation($h: ID!) { deleteHero(id: $h) { deletedId } }`, vars{"h": mine[i]})
			mine = slices.Delete(mine, i, i+1)
		}
		s.made.Add(int64(made))
	}
}

// follow collects the marks of the changes of heroes up to the creation of the one called last.
func (s *storm) follow(t *testing.T, r *rand.Rand, cursor string) (heard []uint64) {
	for {
		ctx, cancel := context.WithCancel(t.Context())
		one := s.servers[r.IntN(3)].subscribeWith(ctx, viewer.System, heroChanges, nil, cursor)
		for range 1 + r.IntN(4) {
			got, err := one.next()
			if err != nil || !got.OK() {
				t.Errorf("got %s, %v", got.Body, err)
				cancel()
				return heard
			}
			for j := range got.Len("heroChanges.changes") {
				at := fmt.Sprintf("heroChanges.changes.%d.", j)
				heard = append(heard, mark(opOf[got.Text(at+"kind")], got.Text(at+"id")))
				if got.Text(at+"hero.name") == "last" {
					cancel()
					one.op.Close()
					return heard
				}
			}
			cursor = one.cursor
		}
		cancel()
		one.op.Close()
	}
}

var opOf = map[string]changes.Op{"CREATED": changes.Created, "UPDATED": changes.Updated, "REMOVED": changes.Removed, "MANY": changes.Many}
