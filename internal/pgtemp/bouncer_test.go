//go:build unix

package pgtemp

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestBouncer(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	b, err := StartBouncer(t.Context(), c.URL("postgres"))
	if errors.Is(err, ErrNoBouncer) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSuffix(b.URL("postgres"), "&pgbouncer=on") // which is for Forge to know
	db := mustOpen(t, address)
	var name string
	if err := db.QueryRow("SELECT current_database()").Scan(&name); err != nil || name != "postgres" {
		t.Errorf("through PgBouncer: %q, %v", name, err)
	}
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		t.Errorf("its directory is still there: %v", err)
	}
	if err := db.Ping(); err == nil {
		t.Error("it still answers after Stop")
	}
}

func TestBouncerSettings(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://ada:it's@db:6000/forge":               "* = host=db port=6000 user=ada password='it''s'",
		"postgres://ada@/forge?host=%2Frun%2Fpg&port=123": "* = host=/run/pg port=123 user=ada",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := bouncerSettings(u, "127.0.0.1:1"); !strings.Contains(got, want+"\n") {
			t.Errorf("%s\nwant the line %q", got, want)
		}
	}
}
