package api_test

import (
	"database/sql"
	"fmt"
	"testing"

	"forge/test/dbtest"
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
