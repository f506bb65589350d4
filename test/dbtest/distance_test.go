package dbtest

import (
	"regexp"
	"testing"
	"time"
)

// TestAway reaches a database at a distance, and looks at the addresses of several hosts.
func TestAway(t *testing.T) {
	near := Postgres(t)
	if got := Away(t, near); got != near {
		t.Errorf("without FORGE_RTT the address is %s, want %s", got, near)
	}
	const rtt = 40 * time.Millisecond
	t.Setenv("FORGE_RTT", rtt.String())
	db, _ := mustOpen(t, Away(t, near))
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := db.Exec("SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < rtt {
		t.Errorf("a statement took %s, want %s at least", took, rtt)
	}
	if got := Away(t, "sqlite:forge.db"); got != "sqlite:forge.db" {
		t.Errorf("the address of SQLite is %s", got)
	}
	hosts := regexp.MustCompile(`^postgres://u@127\.0\.0\.1:\d{4,5},127\.0\.0\.1:\d{4,5}/db\?sslmode=disable$`)
	if got := Away(t, "postgres://u@127.0.0.1:1,127.0.0.1:2/db?sslmode=disable"); !hosts.MatchString(got) {
		t.Errorf("the address of two hosts is %s", got)
	}
}
