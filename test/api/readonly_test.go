package api_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"forge/internal/admission"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestReadOnlyServer has a pool whose connections can only read, like connections to a server that
// has stopped being the primary. A mutation gets one of them, and is run again on a new connection.
// The other old connections are not used again.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	if a.db.Options.PgBouncer {
		t.Skip("sessions are PgBouncer's")
	}
	var conns [4]*sql.Conn
	for i := range conns {
		var err error
		if conns[i], err = a.db.Conn(t.Context()); err == nil {
			_, err = conns[i].ExecContext(t.Context(), `SET default_transaction_read_only = on`)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range conns {
		conn.Close()
	}
	for i, payload := range []string{`id`, `heroes { totalCount }`, `id name`} {
		got := a.Must(`mutation($name: String!) { createTeam(input: {name: $name}) { team { `+payload+` } } }`, vars{"name": fmt.Sprint(i)})
		if want := map[bool]int{true: 2, false: 1}[i == 0]; got.Attempts() != want {
			t.Errorf("mutation %d took %d attempts, want %d", i, got.Attempts(), want)
		}
	}
	a.whole(3)
}

// TestReadsBesideWaitingMutations has a mutation wait for a server that can be written, where one
// operation may run at a time. Reads run meanwhile.
func TestReadsBesideWaitingMutations(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	a := newBareAPI(t, address+separator+"default_transaction_read_only=on")
	if a.db.Options.PgBouncer {
		t.Skip("PgBouncer refuses the parameter")
	}
	a.self = viewer.System
	cfg := usual()
	cfg.Admission = admission.New(1, 4, time.Second)
	a.configure(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.Send(ctx, `mutation { createTeam(input: {name: "A"}) { team { id } } }`, nil)
	}()
	gqltest.Eventually(t, "the mutation has begun", func() error {
		if running, waiting := cfg.Admission.Counts(); running+waiting == 0 {
			return fmt.Errorf("nothing runs")
		}
		return nil
	})
	for range 3 {
		a.Must(`{ teams { totalCount } }`, nil)
	}
	cancel()
	<-ended
}
