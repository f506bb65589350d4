package doctor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/urfave/cli/v3"

	"forge/graph"
	"forge/internal/database"
	"forge/internal/migrator"
	"forge/internal/pgtemp"
	"forge/internal/schema"
	"forge/internal/settings"
	"forge/internal/shared"
	"forge/migrate"
	"forge/test/dbtest"
)

// newDoctor returns a doctor for settings such as "POOL_SIZE=3".
func newDoctor(t *testing.T, environ ...string) *Doctor {
	t.Helper()
	var d *Doctor
	cmd := &cli.Command{Flags: settings.Flags(), Writer: io.Discard, ErrWriter: io.Discard,
		Action: func(_ context.Context, cmd *cli.Command) error {
			s, err := settings.Load(cmd, environ)
			d = New(graph.Application("", ""), s, 1)
			return err
		}}
	if err := cmd.Run(t.Context(), []string{"forge"}); err != nil {
		t.Fatal(err)
	}
	return d
}

func mustOpen(t *testing.T, address string) *database.DB {
	t.Helper()
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *database.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// mustFind checks that a report has a finding of a check and a state with all words in its message
// or its advice.
func mustFind(t *testing.T, report Report, check string, state State, words ...string) {
	t.Helper()
	if !slices.ContainsFunc(report, func(f Finding) bool {
		return f.Check == check && f.State == state &&
			!slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(f.Message+" "+f.Advice, w) })
	}) {
		t.Errorf("no %s of %s with %q:\n%s", state, check, words, inWords(t, report))
	}
}

func inWords(t *testing.T, report Report) string {
	t.Helper()
	var out strings.Builder
	if err := report.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReportAdvisesOnce(t *testing.T) {
	t.Parallel()
	text := inWords(t, Report{fail("contract", "one", "Read."), fail("contract", "two", "Read."), fail("contract", "three", "Write."), fail("pool", "four", "Write.")})
	if strings.Count(text, "Read.") != 1 || strings.Index(text, "Read.") < strings.Index(text, "two") || strings.Count(text, "Write.") != 2 {
		t.Errorf("an advice for several findings comes once, after them, and not:\n%s", text)
	}
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		report := newDoctor(t, "DATABASE_URL="+address).Examine(t.Context())
		if state := report.State(); state == Fail {
			t.Errorf("%s:\n%s", state, inWords(t, report))
		}
		mustFind(t, report, "settings", OK, "development", "127.0.0.1:8080")
		mustFind(t, report, "database", OK, "answers")
		mustFind(t, report, "schema", OK, "migrations left it")
		mustFind(t, report, "clock", OK)
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	const memory = "DATABASE_URL=sqlite::memory:"
	everyone := []string{"ADDR=0.0.0.0:80", "AUTH=off", "AUTH_OFF_ANYWHERE=yes-everyone-is-administrator"}
	for _, tt := range []struct {
		environ []string
		state   State
		words   []string
	}{
		{[]string{memory}, Warn, []string{"in memory"}},
		{[]string{memory, "FORGE_ENV=production"}, Fail, []string{"AUTH", "does not start"}},
		{[]string{memory, "ADDR=0.0.0.0:80"}, Fail, []string{"ADDR", "0.0.0.0:80"}},
		{append(everyone, memory), Warn, []string{"0.0.0.0:80", "AUTH_OFF_ANYWHERE", "proxy"}},
		{[]string{memory, "FORGE_ENV=production", "AUTH=off", "PLAYGROUND=on"}, Warn, []string{"playground", "PLAYGROUND"}},
		{[]string{"FORGE_ENV=production", "AUTH=off", "DEMO=on", "DATABASE_URL=postgres://127.0.0.1:1/x"}, Warn, []string{"demo data"}},
		{[]string{"FORGE_ENV=production", "AUTH=off", "DEMO=on", "DATABASE_URL=sqlite:there-is-none.db"}, Warn, []string{"demo data"}},
		{[]string{"DATABASE_URL=postgres://u:s3cret@db.invalid/x?sslmode=disable"}, Warn, []string{"db.invalid", "without encryption", "verify-full"}},
	} {
		report := Report(newDoctor(t, tt.environ...).settings(t.Context(), nil))
		mustFind(t, report, "settings", tt.state, tt.words...)
		if report.count(OK) > 0 {
			t.Errorf("%v: settings are well, and are not: %s", tt.environ, inWords(t, report))
		}
		if strings.Contains(inWords(t, report), "s3cret") {
			t.Errorf("%v: the report has a password", tt.environ)
		}
	}
}

// TestManifest has manifests that fit the schema, that do not, and that are not there.
func TestManifest(t *testing.T) {
	t.Parallel()
	for content, words := range map[string][]string{
		`{"a": "{ viewer { id } }"}`:             nil,
		`{"a": "{ viewer { hashedPassword } }"}`: {`entry "a"`, "hashedPassword", "does not start"},
		"":                                       {"no such file"},
	} {
		path := filepath.Join(t.TempDir(), "manifest.json")
		if content != "" {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		report := Report(newDoctor(t, "DATABASE_URL=sqlite:x.db", "TRUSTED_DOCUMENTS="+path).settings(t.Context(), nil))
		if words == nil {
			if state := report.State(); state != OK {
				t.Errorf("%s: %s", state, inWords(t, report))
			}
			continue
		}
		mustFind(t, report, "settings", Fail, append(words, "TRUSTED_DOCUMENTS", path)...)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	report := newDoctor(t, "DATABASE_URL=sqlite:"+filepath.Join(dir, "none", "x.db")).Examine(t.Context())
	mustFind(t, report, "file", Fail, "not a folder")
	mustFind(t, report, "database", Skipped)
	report = newDoctor(t, "DATABASE_URL=sqlite:"+filepath.Join(dir, "x.db")).Examine(t.Context())
	mustFind(t, report, "file", Fail, "does not exist", "migrate up")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the doctor left %v (%v)", entries, err)
	}
	full := newDoctor(t, "DATABASE_URL="+dbtest.SQLite(t))
	full.minFree = 1 << 62
	mustFind(t, full.Examine(t.Context()), "file", Fail, "free", "disk")
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	mustFind(t, newDoctor(t, "DATABASE_URL=sqlite:"+garbage).Examine(t.Context()), "database", Fail, "not a database")
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() // it takes connections, as the kernel does, and nobody answers
	address := dbtest.Postgres(t)
	for _, tt := range []struct {
		address string
		words   []string
	}{
		{"postgres://127.0.0.1:1/x", []string{"refused", "pg_isready"}},
		{"postgres://" + silent.Addr().String() + "/x?sslmode=disable", []string{"no connection", "timeout"}},
		{change(t, address, func(u *url.URL) { u.Path = "/nothing_here" }), []string{"does not exist", "CREATE DATABASE"}},
		{change(t, address, func(u *url.URL) { u.User = url.User("nobody_here") }), []string{"nobody_here", "role and password"}},
	} {
		d := newDoctor(t, "DATABASE_URL="+tt.address)
		d.timeout = 2 * time.Second
		report := d.Examine(t.Context())
		mustFind(t, report, "database", Fail, tt.words...)
		mustFind(t, report, "schema", Skipped)
	}
}

func change(t *testing.T, address string, how func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	how(u)
	return u.String()
}

func TestSchema(t *testing.T) {
	t.Parallel()
	for _, address := range []string{dbtest.EmptyPostgres(t), emptyFile(t)} {
		report := newDoctor(t, "DATABASE_URL="+address).Examine(t.Context())
		mustFind(t, report, "schema", Fail, "it lacks 20261123032934_init", "migrate up")
	}
	dbtest.Each(t, func(t *testing.T, address string) {
		mustExec(t, mustOpen(t, address), "ALTER TABLE heroes ADD COLUMN motto text")
		mustFind(t, newDoctor(t, "DATABASE_URL="+address).Examine(t.Context()), "schema", Fail, "motto", "by hand")
	})
}

// TestUnmigrated examines a database before somebody has planned the migration for new tables.
func TestUnmigrated(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		d := newDoctor(t, "DATABASE_URL="+address)
		d.app.Tables = append(slices.Clone(d.app.Tables), &schema.Table{Name: "guilds"})
		mustFind(t, d.Examine(t.Context()), "schema", Fail, "table guilds", "migrate diff")
	})
}

func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

func TestClock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		d := newDoctor(t, "DATABASE_URL="+address)
		d.now = func() time.Time { return time.Unix(1000, 0) }
		mustFind(t, d.Examine(t.Context()), "clock", Fail, "1970-01-01", "NTP")
	})
	address := dbtest.Postgres(t)
	for _, apart := range []time.Duration{time.Hour, -time.Hour} {
		d := newDoctor(t, "DATABASE_URL="+address)
		d.now = func() time.Time { return time.Now().Add(apart) }
		mustFind(t, d.Examine(t.Context()), "clock", Warn, "apart", "NTP")
	}
}

// TestNothingIsWritten examines databases and compares them with what they were.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	path := strings.TrimPrefix(dbtest.SQLite(t), "sqlite:")
	backup := filepath.Join(t.TempDir(), "backup.db")
	mustExec(t, mustOpen(t, "sqlite:"+path), "VACUUM INTO '"+backup+"'")
	for _, file := range []string{path, backup, strings.TrimPrefix(emptyFile(t), "sqlite:")} {
		db := mustOpen(t, "sqlite:"+file)
		db.Close()
		before := contents(t, filepath.Dir(file))
		if state := newDoctor(t, "DATABASE_URL=sqlite:"+file).Examine(t.Context()); state.unreachable() {
			t.Errorf("%s:\n%s", file, inWords(t, state))
		}
		if after := contents(t, filepath.Dir(file)); !slices.Equal(before, after) {
			t.Errorf("%s: the folder has changed", file)
		}
	}

	if testing.Short() {
		t.Skip("-short: no PostgreSQL")
	}
	cluster, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	db := mustOpen(t, cluster.URL("postgres"))
	mustExec(t, db, "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
	if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	// Whatever writes takes a number.
	next := func() (n string) {
		if err := db.QueryRow("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := next()
	newDoctor(t, "DATABASE_URL="+cluster.URL("postgres")).Examine(t.Context())
	if after := next(); after != before {
		t.Errorf("the next transaction that writes is number %s, and was number %s", after, before)
	}
}

func contents(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry.Name()+" "+string(text))
	}
	return all
}

// TestServersShare checks what is said of the key of cursors, and of the tables that servers share.
func TestServersShare(t *testing.T) {
	t.Parallel()
	provider := []string{"AUTH=on", "AUTH_ISSUER=i", "AUTH_AUDIENCE=a", "AUTH_JWKS_URL=http://127.0.0.1:1/keys"}
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		look := func(environ ...string) Report {
			return Report(newDoctor(t, append(environ, "DATABASE_URL="+address)...).servers(t.Context(), db))
		}
		mustFind(t, look("AUTH=on", "AUTH_SECRET=s3cret-s3cret-s3cret-s3cret-s3cret"), "servers", OK, "made of a setting")
		mustFind(t, look(provider...), "servers", OK, "the first server that starts stores one")
		if _, err := shared.Key(t.Context(), db, shared.Cursors, nil); err != nil {
			t.Fatal(err)
		}
		mustFind(t, look(provider...), "servers", OK, "the database keeps the key of cursors")
		if db.Dialect == dialect.Postgres {
			mustFind(t, look("AUTH=off"), "servers", OK, "together")
		}
		for _, o := range shared.Objects(db.Dialect) {
			if _, err := db.ExecContext(t.Context(), "DROP TABLE "+o.Name); err != nil {
				t.Fatal(err)
			}
		}
		mustFind(t, look(provider...), "servers", Warn, "CURSOR_SECRET")
		if db.Dialect == dialect.Postgres {
			mustFind(t, look("AUTH=off"), "servers", Warn, "for itself")
		}
	})
}

// TestMail greets a mail server that is there, and one that is not.
func TestMail(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "220 localhost\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			fmt.Fprint(conn, "250 localhost\r\n")
		}
	}()
	url := "MAIL_URL=smtp://ada:s3cret@" + l.Addr().String()
	mustFind(t, newDoctor(t, "MAIL_URL=smtp://"+l.Addr().String()).mail(t.Context(), nil), "mail", OK, "reached")
	l.Close()
	report := Report(newDoctor(t, url).mail(t.Context(), nil))
	mustFind(t, report, "mail", Fail, "cannot be used", "MAIL_URL")
	if strings.Contains(inWords(t, report), "s3cret") {
		t.Error("the report has the password")
	}
	if found := newDoctor(t).mail(t.Context(), nil); found != nil {
		t.Errorf("without mails: %v", found)
	}
}
