package database

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://db:5432/forge":                                    "postgres://db:5432/forge",
		"postgres://ada:s@h1:5432,h2:5433/forge?sslmode=disable":      "postgres://ada:s@/forge?host=h1%2Ch2&port=5432%2C5433&sslmode=disable",
		"postgres://h1,h2:5433/forge":                                 "postgres:///forge?host=h1%2Ch2&port=5432%2C5433",
		"postgres://[::1]:5432,[fe80::2]/forge":                       "postgres:///forge?host=%3A%3A1%2Cfe80%3A%3A2&port=5432%2C5432",
		"postgres://%2Frun%2Fpg:5432,h2/forge":                        "postgres:///forge?host=%2Frun%2Fpg%2Ch2&port=5432%2C5432",
		"postgres://a@h1,h2?dbname=forge":                             "postgres://a@?dbname=forge&host=h1%2Ch2&port=5432%2C5432",
		"postgres://ada:a,b@h1:1/forge":                               "postgres://ada:a,b@h1:1/forge",
		"postgres://ada@h1:1/at%40all":                                "postgres://ada@h1:1/at%40all",
		"postgres://ada:p%40ss,word@h1:1,h2:2/forge?pgbouncer=on#top": "postgres://ada:p%40ss,word@/forge?host=h1%2Ch2&pgbouncer=on&port=1%2C2#top",
	} {
		u, err := ParseAddress(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := u.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", address, got, want)
		}
		db, err := Open(address, Options{})
		if err != nil {
			t.Errorf("Open(%q): %v", address, err)
			continue
		}
		db.Close()
	}
}

func TestSeveralHostsRefused(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://ada:5ecret@h1:5432,/forge":                               "comma without a host",
		"postgres://ada:5ecret@,h2:5432/forge":                               "comma without a host",
		"postgres://ada:5ecret@h1:70000,h2/forge":                            "port of host h1",
		"postgres://ada:5ecret@h1:x,h2/forge":                                "port of host h1",
		"postgres://ada:5ecret@h1:0,h2/forge":                                "port of host h1",
		"postgres://ada:5ecret@h1:1,h1:1/forge":                              "names host h1:1 twice",
		"postgres://ada:5ecret@h1,h2/forge?host=h3":                          "names hosts twice",
		"postgres://ada:5ecret@h1,h2/forge?target_session_attrs=any":         "is read-write or primary",
		"postgres://ada:5ecret@h1,h2/forge?target_session_attrs=standby":     "is read-write or primary",
		"postgres://ada:5ecret@/forge?host=h1,h2,h3&port=1,2":                "3 hosts and 2 ports",
		"postgres://ada:5ecret@/forge?host=h1,&port=1,2":                     "comma without a host",
		"postgres://ada:5ecret@h1,h2/forge?hostaddr=10.0.0.1,10.0.0.2":       "hostaddr",
		"postgres://ada:5ec%ret@h1,h2/forge":                                 "percent-encoded",
		"postgres://ada:5ecret@h1,h2/forge?target_session_attrs=read-write5": "is read-write or primary",
		"postgres://ada:5ecret@h1/forge,postgres://ada:5ecret@h2/forge":      "another one in it",
		"postgres://ada:5ecret@h1,h2/forge,postgres://ada:5ecret@h3/forge":   "another one in it",
		"postgres://ada:5432/5ecret@h1/forge":                                "has an @ after its hosts",
		"postgres://ada:5432?5ecret@h1/forge":                                "has an @ after its hosts",
		"postgres://ada:5432#5ecret@h1,h2/forge":                             "has an @ after its hosts",
	} {
		db, err := Open(address, Options{})
		if err == nil {
			db.Close()
			t.Errorf("Open(%q) did not fail", address)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "5ecret") {
			t.Errorf("Open(%q): %v, want %q", address, err, want)
		}
	}
}

func TestHostsOfAnAddress(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://ada:5ecret@h1:5432,h2:5433/forge?sslmode=disable": "postgres://ada:xxxxx@h1:5432,h2:5433/forge?sslmode=disable",
		"postgres://h1,h2/forge?password=5ecret":                      "postgres://h1,h2/forge?password=xxxxx",
		"postgres://h1,h2/forge?user=ada@x&PASSWORD=5ecret":           "postgres://h1,h2/forge?PASSWORD=xxxxx&user=ada%40x",
		"postgres://ada:5e/cret@h1,h2/forge":                          "postgres://…",
		"postgres://ada:54/5ecret@h1,h2/forge":                        "postgres://…",
		"postgres://ada:5ecret@h1/a,postgres://ada:5ecret@h2/a":       "postgres://…",
	} {
		if got := Redact(address); got != want {
			t.Errorf("Redact(%q) = %q, want %q", address, got, want)
		}
	}
}
