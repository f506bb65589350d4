package database

import "testing"

func TestRedact(t *testing.T) {
	tests := []struct{ address, want string }{
		{"sqlite:forge.db", "sqlite:forge.db"},
		{"sqlite::memory:", "sqlite::memory:"},
		{"postgres://ada:secret@db:5432/forge", "postgres://ada:xxxxx@db:5432/forge"},
		{"postgres://ada:secret@/forge?host=/run/postgresql", "postgres://ada:xxxxx@/forge?host=/run/postgresql"},
		{"postgres://db/forge?user=ada&password=secret", "postgres://db/forge?password=xxxxx&user=ada"},
		{"postgres://db/forge?sslinline=true&sslkey=secret", "postgres://db/forge?sslinline=true&sslkey=xxxxx"},
		{"postgres://db", "postgres://db"},
		{"postgre://db", "postgre://db"},
		{"host=db password=secret", "…"},
		{"postgres://ada:sec%ret@db/forge", "postgres://…"},
	}
	for _, tt := range tests {
		if got := Redact(tt.address); got != tt.want {
			t.Errorf("Redact(%q) = %q, want %q", tt.address, got, tt.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, address := range []string{"", "forge.db", "mysql://a/b", "sqlite:", "sqlite:x?cache=shared", "sqlite:x?mode=rwc", "sqlite:.", "postgres://%", "host=x"} {
		if db, err := Open(address, Options{}); err == nil {
			t.Errorf("Open(%q) did not fail", address)
			db.Close()
		}
	}
}
