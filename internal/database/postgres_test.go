package database

import "testing"

func TestPgBouncerInTheAddress(t *testing.T) {
	for query, want := range map[string]bool{"": false, "?pgbouncer=": false, "?pgbouncer=on": true} {
		db, err := Open("postgres://db/forge"+query, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if db.Options.PgBouncer != want {
			t.Errorf("%q: %t, want %t", query, db.Options.PgBouncer, want)
		}
		db.Close()
	}
	if db, err := Open("postgres://db/forge?pgbouncer=perhaps", Options{}); err == nil {
		t.Error("pgbouncer=perhaps was not refused")
		db.Close()
	}
}
