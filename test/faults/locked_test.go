package faults

import (
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestLockedSQLite has another process write to the file for a while: for so long, in full, that SQLite gives up waiting. The mutation is
// carried out all the same, and reads do not wait at all.
func TestLockedSQLite(t *testing.T) {
	t.Parallel()
	address := dbtest.SQLite(t)
	f := start(t, address)
	other := connect(t, address)
	conn, err := other.Conn(background)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(background, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	held := time.Duration(sized(500, 6500)) * time.Millisecond
	done := make(chan reply, 1)
	go func() { done <- f.send(background, makeTeam, vars{"name": "A"}) }()
	for end := time.Now().Add(held); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		f.mustSend(readTeams, nil)
	}
	if _, err := conn.ExecContext(background, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if !got.ok() || held > 5*time.Second && got.Extensions.Tx.Attempts < 2 {
		t.Errorf("locked for %s: %s\nwant the team, after more than one attempt if SQLite gave up", held, got)
	}
	t.Logf("locked for %s: attempt %d", held, got.Extensions.Tx.Attempts)
}
