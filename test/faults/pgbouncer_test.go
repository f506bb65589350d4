package faults

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"forge/test/dbtest"
)

// TestPgBouncer runs Forge through a real PgBouncer in transaction mode, where each transaction may meet another server connection, and
// there are fewer of those than Forge has.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	// The setting says that PgBouncer is there, not the address.
	through := strings.TrimSuffix(dbtest.PgBouncer(t, address), "&pgbouncer=on")
	f := start(t, through, "PGBOUNCER=on", "POOL_SIZE=16")
	s := f.opened(10, 40)

	team := f.mustSend(makeTeam, vars{"name": "A"}).text("createTeam.team.id")
	if got := f.send(background, makeTeam, vars{"name": "A"}); got.code() != "CONFLICT" {
		t.Errorf("%s\nwant CONFLICT", got)
	}
	got := f.mustSend(`mutation($team: ID!) { createHeroes(onError: SKIP, input: [{name: "Bolt", teamId: $team, age: 3}, {name: " "}, {name: "Nova"}]) { heroes { name } errors { index } } }`, vars{"team": team})
	if got.text("createHeroes.heroes.1.name") != "Nova" || got.number("createHeroes.errors.0.index") != 1 {
		t.Errorf("createHeroes: %s", got)
	}
	f.mustSend(`mutation($id: ID!) { updateTeam(id: $id, input: {headquarters: "Rooftop"}, expectedVersion: 1) { team { version } } }`, vars{"id": team})
	if got := f.send(background, `mutation($id: ID!) { updateTeam(id: $id, input: {name: "B"}, expectedVersion: 1) { team { version } } }`, vars{"id": team}); got.code() != "CONFLICT" {
		t.Errorf("%s\nwant CONFLICT", got)
	}
	f.mustSend(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } restoreUser(id: $id) { user { id } } }`, vars{"id": s.user})
	got = f.mustSend(`{ heroes(where: {hasTeamWith: [{nameHasPrefix: "A"}]}, orderBy: [{field: AGE}]) { totalCount nodes { team { heroes(first: 2) { nodes { name } } } } } }`, nil)
	if got.text("heroes.nodes.0.team.heroes.nodes.0.name") != "Bolt" {
		t.Errorf("a nested read: %s", got)
	}

	// More orders at once than PgBouncer has connections, and more than can be served.
	acknowledged := new(placed)
	var refused atomic.Int64
	stop := keep(2, func(context.Context, int) {
		got := f.mustSend(`{ products { nodes { stock } } orders { nodes { items { quantity product { stock } } } } }`, nil)
		for i := range s.products {
			if got.number(fmt.Sprintf("products.nodes.%d.stock", i)) < 0 {
				t.Errorf("stock below 0: %s", got)
			}
		}
	})
	atOnce(32, 200, func(int) {
		switch got := f.order(background, s); got.code() {
		case "":
			acknowledged.add(got)
		case "INSUFFICIENT_STOCK":
			refused.Add(1)
		default:
			t.Error(got)
		}
	})
	stop()
	f.allStored(acknowledged)
	if b := s.audit(t, address); b.orders != len(acknowledged.ids) || refused.Load() == 0 {
		t.Errorf("%d orders are stored, %d were acknowledged, %d refused", b.orders, len(acknowledged.ids), refused.Load())
	}

	// One request under one key, several times at once.
	replies := make([]reply, 8)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() { replies[i] = f.send(background, makeTeam, vars{"name": "K"}, "Idempotency-Key", "k") })
	}
	wg.Wait()
	for _, r := range replies {
		if !r.ok() || r.body != replies[0].body {
			t.Errorf("different answers:\n%s\n%s", r, replies[0])
		}
	}
	f.idle()
	f.stop()
}
