package program

import (
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestProductionIsEmpty starts servers on empty SQLite files. In production, nothing may be stored
// in them unless settings ask for it.
func TestProductionIsEmpty(t *testing.T) {
	t.Parallel()
	const users = `{"data":{"users":{"totalCount":`
	for _, tt := range []struct {
		settings []string
		has      string
	}{
		{[]string{"FORGE_ENV=production"}, users + "0"},
		{[]string{"FORGE_ENV=production", "--demo"}, users + "100"},
		{nil, users + "100"},
	} {
		s := start(t, append([]string{"AUTH=off", "DATABASE_URL=" + dbtest.EmptySQLite(t)}, tt.settings...)...)
		if body := s.Do(countUsers, nil).Body; !strings.HasPrefix(body, tt.has) {
			t.Errorf("%v: %s, want %s", tt.settings, body, tt.has)
		}
		if s.end() != 0 {
			t.Error(s.log.String())
		}
	}
}

// TestSQLiteIsMoved moves the file of a running server away and back, while requests come in. No
// request may be answered without the file, and none may create another file. The server must
// recover by itself.
func TestSQLiteIsMoved(t *testing.T) {
	t.Parallel()
	address := dbtest.SQLite(t)
	path, _, _ := database.SQLiteFile(address)
	s := start(t, "DATABASE_URL="+address, "DEMO=off")
	create := func(name string) gqltest.Answer {
		t.Helper()
		return s.Do(`mutation { createTeam(input: {name: "`+name+`"}) { team { id } } }`, nil)
	}
	if got := create("before"); got.Status != 200 || !got.OK() {
		t.Fatal(got)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // the server does not look at the file again at once
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			if got := create("meanwhile"); got.Status != 503 || got.Code() != "UNAVAILABLE" || !strings.Contains(got.Body, "was moved") || strings.Contains(got.Body, path) {
				t.Errorf("a mutation: %s", got)
			}
		})
	}
	clients.Wait()
	if got := s.ready(); got.Status != 503 || !strings.Contains(got.Body, "was moved") || strings.Contains(got.Body, path) {
		t.Errorf("/readyz: %s", got)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}
	if log := s.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, path) {
		t.Errorf("the log does not say what to do:\n%s", log)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if got := s.ready(); got.Status != 200 {
		t.Errorf("/readyz once it is back: %s", got)
	}
	if got := create("after"); got.Status != 200 || !got.OK() {
		t.Errorf("a mutation once it is back: %s", got)
	}
	if body := s.Get("/graphql?query=" + url.QueryEscape("{ teams { nodes { name } } }")).Body; !strings.Contains(body, `[{"name":"before"},{"name":"after"}]`) {
		t.Errorf("teams: %s", body)
	}
}

// TestAgeOfRevocations checks the metric of how old the server's list of revoked tokens is.
func TestAgeOfRevocations(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.SQLite(t), "DEMO=off")
	page := s.Get("/metrics").Body
	_, rest, _ := strings.Cut(page, "\nforge_revocations_age_seconds ")
	if age, err := time.ParseDuration(strings.SplitN(rest, "\n", 2)[0] + "s"); err != nil || age < 0 || age > time.Minute {
		t.Errorf("%v (%v)", age, err)
	}
}
