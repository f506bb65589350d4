package program

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/process"
)

func TestMigrateCommands(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		database := "DATABASE_URL=" + address
		steps := []struct {
			words []string
			code  int
			has   string
		}{
			{[]string{"seed", "--migrate=off"}, 1, "lacks"},
			{[]string{"migrate", "status"}, 0, "pending"},
			{[]string{"migrate", "up", "--to", "20261123032934_init.sql"}, 0, "20261123042701_idempotency_keys "},
			{[]string{"migrate", "up"}, 0, "applied"},
			{[]string{"migrate", "up", "--to=20261123032934"}, 0, "applied"},
			{[]string{"migrate", "status", "--json"}, 0, `"state": "ok"`},
			{[]string{"seed", "--scale", "1"}, 0, ""},
			{[]string{"seed", "--scale", "1"}, 1, "not empty"},
			{[]string{"migrate", "down", "1000"}, 1, "table users (20 rows)"},
			{[]string{"migrate", "status"}, 0, "drift: none"},
			{[]string{"migrate", "down", "1000", "--yes"}, 0, "pending"},
			{[]string{"seed", "--migrate", "--scale=2"}, 0, ""},
			{[]string{"migrate", "down", "--database-url", address}, 0, "pending"},
			{[]string{"migrate", "sql"}, 0, "CREATE TABLE"},
			{[]string{"migrate", "sql", "--down"}, 0, "DROP TABLE"},
			{[]string{"migrate", "sql", "--from=20261123032934_init"}, 0, "-- 20261123042701_idempotency_keys"},
		}
		for _, step := range steps {
			code, stdout, stderr := do(t, append([]string{database}, step.words...)...)
			if code != step.code || !strings.Contains(stdout+stderr, step.has) || code != 0 && !isOneLine(stderr) {
				t.Errorf("%v: status %d, stdout %q, stderr %q, want %d and %q", step.words, code, stdout, stderr, step.code, step.has)
			}
		}
	})
}

// TestLookingMakesNoFile runs commands that only read, or have nothing to undo, on a missing file.
func TestLookingMakesNoFile(t *testing.T) {
	t.Parallel()
	address := dbtest.EmptySQLite(t)
	path := strings.TrimPrefix(address, "sqlite:")
	for _, words := range [][]string{
		{"migrate", "status"}, {"migrate", "status", "--json"}, {"migrate", "down"}, {"migrate", "down", "--yes"}, {"db", "activity"},
		{"DATABASE_URL=" + address + "?mode=rw", "migrate", "up"}, {"DATABASE_URL=" + address + "?mode=rw", "serve", "--addr=127.0.0.1:0"},
		{"DATABASE_URL=" + address + "?mode=rw", "migrate", "status"},
	} {
		code, stdout, stderr := do(t, append([]string{"DATABASE_URL=" + address}, words...)...)
		if code != 1 || stdout != "" || !isOneLine(stderr) || !strings.Contains(stderr, "there is no database at "+path) ||
			!strings.Contains(stderr, "`migrate up` makes it") || strings.Contains(stderr, "try again") {
			t.Errorf("%v: status %d, stdout %q, stderr %q", words, code, stdout, stderr)
		}
		if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) > 0 {
			t.Errorf("%v left %v, %v", words, files, err)
		}
	}
}

// TestLookingChangesNoFile asks for the status of a file that Forge has never opened.
func TestLookingChangesNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := do(t, "DATABASE_URL=sqlite:"+path, "migrate", "status")
	if code != 0 || !strings.Contains(stdout, "_init  ") || !strings.Contains(stdout, "pending") {
		t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("it left %v, %v", files, err)
	}
	if text, err := os.ReadFile(path); err != nil || len(text) > 0 {
		t.Errorf("the file has %d bytes, %v", len(text), err)
	}
}

// TestMigrateWaitsLong migrates a file that another process locks for longer than the 5 seconds
// that SQLite waits.
func TestMigrateWaitsLong(t *testing.T) {
	t.Parallel()
	address := dbtest.EmptySQLite(t)
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	unlocked := time.AfterFunc(7*time.Second, func() { _, _ = conn.ExecContext(context.Background(), "ROLLBACK") })
	code, _, stderr := do(t, "DATABASE_URL="+address, "migrate", "up")
	if code != 0 || !strings.Contains(stderr, "applied migration") || unlocked.Stop() {
		t.Errorf("status %d, stderr %q; want it to wait, and then to migrate", code, stderr)
	}
}

// TestMigrateByManyProcesses starts ten processes at once. Each version is applied once, and no
// process fails.
func TestMigrateByManyProcesses(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		var logs process.Output
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				out, err := forgeCommand(t, os.Environ(), "DATABASE_URL="+address, "migrate", "up").CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, out)
				}
				_, _ = logs.Write(out)
			})
		}
		all.Wait()
		files, err := os.ReadDir(root + "migrate/postgres")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			applied := regexp.MustCompile(`msg="applied migration" file=` + regexp.QuoteMeta(f.Name()))
			if n := len(applied.FindAllString(logs.String(), -1)); strings.HasSuffix(f.Name(), ".sql") && n != 1 {
				t.Errorf("%s was applied %d times", f.Name(), n)
			}
		}
		var status struct{ State string }
		code, stdout, stderr := do(t, "DATABASE_URL="+address, "migrate", "status", "--json")
		if err := json.Unmarshal([]byte(stdout), &status); err != nil || code != 0 || status.State != "ok" {
			t.Errorf("status: %d %v\n%s%s", code, err, stdout, stderr)
		}
	})
}

// TestOlderDatabase starts a server before the last migration is applied, as a deployment may. It
// becomes ready without another start.
func TestOlderDatabase(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		database := "DATABASE_URL=" + address
		if code, _, stderr := do(t, database, "migrate", "up", "--to", "20261123032934"); code != 0 {
			t.Fatal(stderr)
		}
		s := start(t, database, "MIGRATE=off")
		var body struct{ Status, Reason string }
		got := s.ready()
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil || got.Status != 503 || body.Status != "unavailable" ||
			!strings.Contains(body.Reason, "lacks 20261123042701_idempotency_keys") {
			t.Errorf("/readyz: %s", got)
		}
		if code, _, stderr := do(t, database, "migrate", "up"); code != 0 {
			t.Fatal(stderr)
		}
		if got := s.ready(); got.Status != 200 {
			t.Errorf("/readyz after the migration: %s", got)
		}
		if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"totalCount":0`) {
			t.Errorf("a query after the migration: %s", body)
		}
	})
}

// TestDriftIsNotReady changes the schema under a running server. Everybody may read that it was
// changed, but only the log has the details.
func TestDriftIsNotReady(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		s := start(t, "DATABASE_URL="+address, "DEMO=off")
		if got := s.ready(); got.Status != 200 {
			t.Fatalf("/readyz: %s", got)
		}
		mustExec(t, address, "DROP INDEX hero_age_id")
		const drifted = `{"status":"unavailable","reason":"the schema was changed by hand; the log says what"}` + "\n"
		if got := s.unready(t); got.Status != 503 || got.Body != drifted {
			t.Errorf("/readyz: %s", got)
		}
		if !regexp.MustCompile(`not ready.*missing.*hero_age_id`).MatchString(s.log.String()) {
			t.Errorf("the log does not say what is missing:\n%s", s.log.String())
		}
		if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"totalCount":0`) {
			t.Errorf("a query meanwhile: %s", body)
		}
		for _, words := range [][]string{{"migrate", "up"}, {"migrate", "down", "--yes"}, {"ADDR=127.0.0.1:0", "MIGRATE=off", "serve"}} {
			code, _, stderr := do(t, append([]string{"DATABASE_URL=" + address}, words...)...)
			if code != 1 || !isOneLine(stderr) || !strings.Contains(stderr, "hero_age_id") {
				t.Errorf("%v: %d %s", words, code, stderr)
			}
		}
		if code, stdout, _ := do(t, "DATABASE_URL="+address, "migrate", "status"); code != 0 || !regexp.MustCompile(`(?m)^drift: missing: .*hero_age_id`).MatchString(stdout) {
			t.Errorf("status: %d\n%s", code, stdout)
		}
		// SQLite keeps the words as they are in the file.
		again := "CREATE INDEX `hero_age_id` ON `heroes` (`age`, `id`)"
		if strings.HasPrefix(address, "postgres") {
			again = strings.ReplaceAll(again, "`", "")
		}
		mustExec(t, address, again)
		if got := s.ready(); got.Status != 200 {
			t.Errorf("/readyz once the index is back: %s", got)
		}
	})
}

// TestReadyzForTheFiles changes the recorded versions under a running server, and back. The probe
// names each fault until it is undone.
func TestReadyzForTheFiles(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		s := start(t, "DATABASE_URL="+address, "DEMO=off")
		for _, tt := range []struct{ name, does, undoes, reason string }{
			{"changed", "UPDATE goose_db_version SET checksum = 'x' || checksum WHERE version_id = 20261123032934",
				"UPDATE goose_db_version SET checksum = substr(checksum, 2) WHERE version_id = 20261123032934", "20261123032934_init.sql changed after it was applied"},
			{"missing", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (20261123042700, true)",
				"DELETE FROM goose_db_version WHERE version_id = 20261123042700", "20261123042700, for which this build has no file"},
			{"newer", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)",
				"DELETE FROM goose_db_version WHERE version_id = 29990101000000", "newer than this build: it has 29990101000000"},
			{"out of order", "UPDATE goose_db_version SET version_id = -version_id WHERE version_id = 20261123032934",
				"UPDATE goose_db_version SET version_id = -version_id WHERE version_id = -20261123032934", "20261123032934_init cannot be applied: the database has the newer"},
		} {
			mustExec(t, address, tt.does)
			if got := s.ready(); got.Status != 503 || !strings.Contains(got.Body, tt.reason) {
				t.Errorf("%s: /readyz: %s, want 503 and %q", tt.name, got, tt.reason)
			}
			for _, words := range [][]string{{"migrate", "up"}, {"migrate", "down", "--yes"}} {
				if code, _, stderr := do(t, append([]string{"DATABASE_URL=" + address}, words...)...); code != 1 || !strings.Contains(stderr, tt.reason) {
					t.Errorf("%s: %v: %d %s, want %q", tt.name, words, code, stderr, tt.reason)
				}
			}
			mustExec(t, address, tt.undoes)
			if got := s.ready(); got.Status != 200 {
				t.Errorf("%s, undone: /readyz: %s", tt.name, got)
			}
		}
	})
}

// TestDriftWhileATableIsLocked takes a lock under which the schema cannot be compared. The last
// result holds until it can.
func TestDriftWhileATableIsLocked(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	s := start(t, "DATABASE_URL="+address, "DEMO=off")
	db, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	wants := func(what string, locked bool, want int) {
		t.Helper()
		if locked {
			holder, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Rollback()
			if _, err := holder.Exec("LOCK TABLE teams IN ACCESS EXCLUSIVE MODE"); err != nil {
				t.Fatal(err)
			}
		}
		got := s.ready()
		if want == 503 {
			got = s.unready(t)
		}
		if got.Status != want {
			t.Errorf("%s: /readyz: %s, want %d", what, got, want)
		}
	}
	wants("at first", false, 200)
	wants("locked", true, 200)
	mustExec(t, address, "DROP INDEX hero_age_id")
	wants("drifted", false, 503)
	wants("drifted and locked", true, 503)
	mustExec(t, address, "CREATE INDEX hero_age_id ON heroes (age, id)")
	wants("mended, and locked before anybody saw it", true, 503)
	wants("mended", false, 200)
	wants("mended and locked", true, 200)
}

// TestMigrateThroughPgBouncer migrates through PgBouncer. This must be refused, because the session
// may change from one transaction to the next.
func TestMigrateThroughPgBouncer(t *testing.T) {
	t.Parallel()
	address := dbtest.PgBouncer(t, dbtest.Postgres(t))
	for _, words := range [][]string{{"migrate", "up"}, {"migrate", "down"}, {"serve", "--addr=127.0.0.1:0", "--migrate"}} {
		code, _, stderr := do(t, append([]string{"DATABASE_URL=" + address}, words...)...)
		if code != 2 || !isOneLine(stderr) || !strings.Contains(stderr, "PgBouncer") || !strings.Contains(stderr, "directly") {
			t.Errorf("%v: %d %s", words, code, stderr)
		}
	}
	if code, stdout, stderr := do(t, "DATABASE_URL="+address, "migrate", "status"); code != 0 || !strings.Contains(stdout, "drift: none") {
		t.Errorf("status: %d %s%s", code, stdout, stderr)
	}
	s := start(t, "DATABASE_URL="+address)
	if got := s.ready(); got.Status != 200 {
		t.Errorf("/readyz: %s", got)
	}
}
