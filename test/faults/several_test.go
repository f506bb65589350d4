package faults

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestSeveralServers measures what a request costs in processor time: on one server, and on three
// that share the load. If each server has its own processors, and the database has enough of them,
// three servers answer three times as many requests, divided by the ratio of these costs. Requests
// at the same time share work in a server, so the costs to compare are those of servers that have
// as many clients each.
func TestSeveralServers(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("measures for a minute: FORGE_SOAK=1 runs it")
	}
	const clients, rounds, requests, least = 12, 3, 3000, 2.2
	address := dbtest.Postgres(t)
	seed(t, address)
	var servers []*forge
	for range 4 {
		servers = append(servers, start(t, address, "POOL_SIZE=8"))
	}
	host := postmaster(t, address)
	shop := servers[0].opened(300, 1<<20)
	heroes := servers[0].Must(`{ heroes(first: 100) { nodes { id } } }`, nil)
	users := servers[0].Must(`{ users(first: 100) { nodes { id } } }`, nil)
	var key atomic.Int64
	for _, w := range []struct {
		name string
		send func(f *forge, i int) gqltest.Answer
	}{
		{"a row", func(f *forge, i int) gqltest.Answer {
			return f.Send(background, `query row($id: ID!) { hero(id: $id) { name age team { name } } }`, vars{"id": heroes.Text(fmt.Sprintf("heroes.nodes.%d.id", i%100))})
		}},
		{"a nested page", func(f *forge, i int) gqltest.Answer {
			return f.Send(background, `query page($id: ID!) { user(id: $id) { orders(first: 10) { nodes { totalCents items { quantity product { name priceCents } } } } } }`,
				vars{"id": users.Text(fmt.Sprintf("users.nodes.%d.id", i%100))})
		}},
		{"an order with a key", func(f *forge, _ int) gqltest.Answer {
			return underKey(f.Client, fmt.Sprint("several ", key.Add(1))).Send(background, createOrder, shop.anyOrder())
		}},
	} {
		// cost returns the processor time of a request in microseconds: that of the servers, and
		// that of PostgreSQL.
		cost := func(servers []*forge, clients, requests int) (forge, database float64) {
			m := &meter{postmaster: host}
			taken := func() (forge, database float64) {
				for _, f := range servers {
					forge += cpu(fmt.Sprint(f.Pid()))
				}
				return forge, m.databaseCPU()
			}
			forgeBefore, databaseBefore := taken()
			atOnce(clients, requests, func(i int) {
				if got := w.send(servers[i%len(servers)], i); !got.OK() {
					t.Errorf("%s: %s", w.name, got)
				}
			})
			forge, database = taken()
			return (forge - forgeBefore) * 1e6 / float64(requests), (database - databaseBefore) * 1e6 / float64(requests)
		}
		loads := []struct {
			name            string
			servers         []*forge
			clients         int
			forge, database float64
		}{
			{"one server", servers[:1], clients, 0, 0},
			{"three servers with as many clients together", servers[1:], clients, 0, 0},
			{"three servers with as many clients each", servers[1:], 3 * clients, 0, 0},
		}
		for round := range 1 + rounds { // in turns, as others use the machine as well
			for i := range loads {
				l := &loads[i]
				forge, database := cost(l.servers, l.clients, requests)
				if round > 0 { // plans are made in the first one
					l.forge, l.database = l.forge+forge/rounds, l.database+database/rounds
				}
			}
		}
		for _, l := range loads {
			times := float64(len(l.servers)) * loads[0].forge / l.forge
			t.Logf("%s, %s: %.0f µs of Forge and %.0f µs of PostgreSQL, so they answer %.2f times as many", w.name, l.name, l.forge, l.database, times)
			if l.clients > clients && times < least { // servers with fewer clients have less to share
				t.Errorf("%s, %s: %.2f times as many requests as one answers, want %.1f", w.name, l.name, times, least)
			}
		}
	}
}
