package faults

import (
	"testing"
	"time"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestLockedSQLite has another process hold the write lock of the file; in the long form, until
// SQLite gives up waiting. The mutation succeeds nevertheless, and reads do not wait at all.
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
	done := make(chan gqltest.Answer, 1)
	go func() { done <- f.Send(background, makeTeam, vars{"name": "A"}) }()
	for end := time.Now().Add(held); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		f.Must(readTeams, nil)
	}
	if _, err := conn.ExecContext(background, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if !got.OK() || held > 5*time.Second && got.Attempts() < 2 {
		t.Errorf("locked for %s: %s\nwant the team, after more than one attempt if SQLite gave up", held, got)
	}
	t.Logf("locked for %s: attempt %d", held, got.Attempts())
}
