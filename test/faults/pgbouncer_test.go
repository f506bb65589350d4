package faults

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestPgBouncer runs Forge through a real PgBouncer in transaction mode. Each transaction may get
// another server connection, and there are fewer server connections than Forge has connections.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	// The setting tells Forge about PgBouncer. The address does not.
	through := strings.TrimSuffix(dbtest.PgBouncer(t, address), "&pgbouncer=on")
	f := start(t, through, "PGBOUNCER=on", "POOL_SIZE=16")
	s := f.opened(10, 40)

	team := f.Must(makeTeam, vars{"name": "A"}).Text("createTeam.team.id")
	if got := f.Send(background, makeTeam, vars{"name": "A"}); got.Code() != "CONFLICT" {
		t.Errorf("%s\nwant CONFLICT", got)
	}
	got := f.Must(`mutation($team: ID!) { createHeroes(onError: SKIP, input: [{name: "Bolt", teamId: $team, age: 3}, {name: " "}, {name: "Nova"}]) { heroes { name } errors { index } } }`, vars{"team": team})
	if got.Text("createHeroes.heroes.1.name") != "Nova" || got.Number("createHeroes.errors.0.index") != 1 {
		t.Errorf("createHeroes: %s", got)
	}
	f.Must(`mutation($id: ID!) { updateTeam(id: $id, input: {headquarters: "Rooftop"}, expectedVersion: 1) { team { version } } }`, vars{"id": team})
	if got := f.Send(background, `mutation($id: ID!) { updateTeam(id: $id, input: {name: "B"}, expectedVersion: 1) { team { version } } }`, vars{"id": team}); got.Code() != "CONFLICT" {
		t.Errorf("%s\nwant CONFLICT", got)
	}
	f.Must(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } restoreUser(id: $id) { user { id } } }`, vars{"id": s.user})
	got = f.Must(`{ heroes(where: {hasTeamWith: [{nameHasPrefix: "A"}]}, orderBy: [{field: AGE}]) { totalCount nodes { team { heroes(first: 2) { nodes { name } } } } } }`, nil)
	if got.Text("heroes.nodes.0.team.heroes.nodes.0.name") != "Bolt" {
		t.Errorf("a nested read: %s", got)
	}

	// There are more concurrent orders than PgBouncer has connections, and more than the stock
	// suffices for.
	acknowledged := new(placed)
	var refused atomic.Int64
	stop := keep(2, func(context.Context, int) {
		got := f.Must(`{ products { nodes { stock } } orders { nodes { items { quantity product { stock } } } } }`, nil)
		for i := range s.products {
			if got.Number(fmt.Sprintf("products.nodes.%d.stock", i)) < 0 {
				t.Errorf("stock below 0: %s", got)
			}
		}
	})
	atOnce(32, 200, func(int) {
		switch got := f.order(background, s); got.Code() {
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

	// The same request with the same key is sent several times at once.
	replies := make([]gqltest.Answer, 8)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() { replies[i] = underKey(f.Client, "k").Send(background, makeTeam, vars{"name": "K"}) })
	}
	wg.Wait()
	for _, r := range replies {
		if !r.OK() || r.Body != replies[0].Body {
			t.Errorf("different answers:\n%s\n%s", r, replies[0])
		}
	}
	f.idle()
	f.Stop()
}
