package program

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"forge/graph"
	"forge/internal/application"
	"forge/internal/cli"
	"forge/internal/settings"
	"forge/internal/usage"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// app is the application of the program. In a process that a test starts in another directory, it
// has no SDL.
var app = newApp()

func newApp() application.Application {
	sdl, _ := os.ReadFile(root + "schema.graphqls")
	return graph.Application(string(sdl), "0.0.0-test")
}

// root leads to the root of the repository.
const root = "../../"

// asProgram is the variable that makes the test binary run as forge, for tests that need a process.
const asProgram = "RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main(app))
	}
	os.Exit(m.Run())
}

// do runs forge until it ends. The words are environment variables first, and then the command
// line.
func do(t *testing.T, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	environ, args := split(words)
	var out, errs process.Output
	code = cli.Run(t.Context(), app, args, environ, &out, &errs)
	return code, out.String(), errs.String()
}

func split(words []string) (environ, args []string) {
	i := slices.IndexFunc(words, func(word string) bool { return !regexp.MustCompile(`^[A-Z_]+=`).MatchString(word) })
	if i < 0 {
		i = len(words)
	}
	return words[:i], append([]string{"forge"}, words[i:]...)
}

// server is a running forge.
type server struct {
	*gqltest.Client
	url    string
	stdout string // up to the line with the API's address
	log    *process.Output
	end    func() int // ends the server and returns its exit status
}

// start runs forge on a free port until the test or end ends it.
func start(t *testing.T, words ...string) *server {
	t.Helper()
	s := &server{log: new(process.Output)}
	environ, args := split(append([]string{"ADDR=127.0.0.1:0"}, words...))
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- cli.Run(ctx, app, args, environ, writer, s.log)
		writer.Close()
	}()
	s.end = sync.OnceValue(func() int {
		cancel()
		return <-exit
	})
	t.Cleanup(func() { s.end() })
	if !s.listen(reader) {
		t.Fatalf("forge ended with status %d: %s", s.end(), s.log)
	}
	s.Client = gqltest.New(t, s.url)
	return s
}

// listen reads the output of forge up to the address that it listens on.
func (s *server) listen(stdout io.Reader) bool {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		s.stdout += lines.Text() + "\n"
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "API" {
			s.url = strings.TrimSuffix(fields[1], "/graphql")
		}
		if lines.Text() == "Ctrl+C ends it." {
			go io.Copy(io.Discard, stdout)
			return true
		}
	}
	return false
}

// ready probes the server once the last result has expired.
func (s *server) ready() gqltest.Answer {
	time.Sleep(1100 * time.Millisecond)
	return s.Get("/readyz")
}

// unready returns the answer of /readyz once it is not 200. A server notices within 10 seconds that
// somebody has changed the schema by hand.
func (s *server) unready(t *testing.T) (got gqltest.Answer) {
	t.Helper()
	gqltest.Eventually(t, "/readyz is not 200", func() error {
		if got = s.Get("/readyz"); got.Status == 200 {
			return errors.New("it is 200")
		}
		return nil
	})
	return got
}

const countUsers = `{ users(first: 0) { totalCount } }`

// emptyDatabases runs a test on an empty database of each kind.
func emptyDatabases(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, dbtest.EmptySQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, dbtest.EmptyPostgres(t))
	})
}

// TestDefaults starts forge as a newcomer does: in an empty directory, with no setting but the
// port.
func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, first := range []bool{true, false} {
		s := start(t)
		if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"totalCount":100`) {
			t.Errorf("%s, want the 100 users of the demo data", body)
		}
		for _, want := range []string{"sqlite:forge.db", s.url + "/graphql\n", s.url + "/\n"} {
			if !strings.Contains(s.stdout, want) {
				t.Errorf("it does not say %q:\n%s", want, s.stdout)
			}
		}
		if strings.Contains(s.stdout, "demo data") != first {
			t.Errorf("filled on the first start, and only then:\n%s", s.stdout)
		}
		if code := s.end(); code != 0 {
			t.Errorf("exit status %d: %s", code, s.log.String())
		}
	}
	if _, err := os.Stat("forge.db"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("forge.db-wal"); err == nil {
		t.Error("there is still a forge.db-wal: a copy of forge.db alone would lack what it holds")
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		s := start(t, "DATABASE_URL="+address, "serve", "--migrate", "--demo")
		get := "/graphql?query=" + url.QueryEscape(countUsers)
		tests := []struct {
			path string
			want int
			has  []string
		}{
			{"/", 200, []string{"<!doctype html>"}},
			{get, 200, []string{`"totalCount":100`, `"statements":1`}},
			{"/healthz", 200, []string{"ok\n"}},
			{"/readyz", 200, []string{`{"status":"ok"}`}},
			{"/nothing", 404, nil},
			{"/metrics", 200, []string{
				"\nforge_http_requests_total{code=\"200\",route=\"/graphql\"} 1\n",
				"\nforge_http_request_duration_seconds_count{code=\"200\",route=\"/graphql\"} 1\n",
				"\ngo_sql_max_open_connections{db_name=\"forge\"} 16\n",
				"\ngo_goroutines ",
			}},
		}
		for _, tt := range tests {
			got := s.Get(tt.path)
			if got.Status != tt.want {
				t.Errorf("%s: status %d, want %d", tt.path, got.Status, tt.want)
			}
			for _, part := range tt.has {
				if !strings.Contains(got.Body, part) {
					t.Errorf("%s: without %q:\n%s", tt.path, part, got)
				}
			}
		}
		got := s.Do("#"+strings.Repeat("x", 1<<20), nil)
		if got.Status != http.StatusRequestEntityTooLarge || strings.Contains(got.Body, "xxx") {
			t.Errorf("a body of more than 1 MiB: %s", got)
		}
		if code := s.end(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		if log := s.log.String(); !strings.Contains(log, "path=/graphql status=200") || strings.Contains(log, "totalCount") {
			t.Errorf("a line for each request, and nothing of what it asked for:\n%s", log)
		}
	})
}

func TestProduction(t *testing.T) {
	t.Parallel()
	const introspection = `{ __schema { queryType { name } } }`
	s := start(t, "FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+dbtest.EmptySQLite(t))
	if got := s.Get("/"); got.Status != 404 || strings.Contains(got.Body, "html") {
		t.Errorf("the playground: %s", got)
	}
	if got := s.Get("/docs/"); got.Status != 404 {
		t.Errorf("the pages: %s", got)
	}
	if strings.Contains(s.stdout, "Playground") || strings.Contains(s.stdout, "/docs/") {
		t.Errorf("it names a playground:\n%s", s.stdout)
	}
	if body := s.Do(introspection, nil).Body; strings.Contains(body, `"Query"`) || !strings.Contains(body, `"errors"`) {
		t.Errorf("introspection: %s", body)
	}
	if body := s.Do(countUsers, nil).Body; strings.Contains(body, "extensions") || !strings.Contains(body, `"totalCount":0`) {
		t.Errorf("costs are for development: %s", body)
	}
	if body := s.Do(`{ usres { totalCount } }`, nil).Body; strings.Contains(body, "users") {
		t.Errorf("a hint at the schema: %s", body)
	}
	s.end()
	for line := range strings.Lines(s.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line that is not JSON: %s", line)
		}
	}

	asked := start(t, "FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+dbtest.SQLite(t), "--playground")
	if got := asked.Get("/"); got.Status != 200 {
		t.Errorf("the playground, asked for: %d", got.Status)
	}
}

// TestRefused starts forge with mistakes. One line names each mistake, and forge does nothing.
func TestRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	tests := []struct {
		words []string
		has   []string
	}{
		{[]string{"FORGE_ENV=prod"}, []string{"FORGE_ENV", "prod", "development or production"}},
		{[]string{"DATABASE_URL=mysql://u:s3cret@h/x"}, []string{"DATABASE_URL", "mysql://u:xxxxx@h/x", "postgres://", "sqlite:PATH"}},
		{[]string{"DATABASE_URL=sqlite:."}, []string{"DATABASE_URL", "sqlite:.", "directory"}},
		{[]string{"ADDR=here"}, []string{"ADDR", "here", "HOST:PORT"}},
		{[]string{"ADDR=0.0.0.0:0"}, []string{"ADDR", "0.0.0.0:0", "AUTH", "127.0.0.1:8080"}},
		{[]string{"--addr", "0.0.0.0:0"}, []string{"--addr", "0.0.0.0:0"}},
		{[]string{"AUTH=no one"}, []string{"AUTH", "no one", "on, or off"}},
		{[]string{"AUTH=on", "DATABASE_URL=postgres://127.0.0.1:1/d"}, []string{"AUTH", "on", "AUTH_SECRET", "openssl rand -base64 32", "AUTH_KEYS_FILE", "AUTH_JWKS_URL"}},
		{[]string{"FORGE_ENV=production"}, []string{"AUTH", "on", "AUTH_SECRET"}},
		{[]string{"AUTH=on", "AUTH_SECRET=s3cret"}, []string{"AUTH_SECRET", "32 bytes", "openssl rand"}},
		{[]string{"AUTH=on", "AUTH_KEYS_FILE=keys.json"}, []string{"AUTH_KEYS_FILE", "keys.json", "no such file", "; allowed: the path of a JSON Web Key Set, or none"}},
		{[]string{"TRUSTED_DOCUMENTS=documents.json"}, []string{"TRUSTED_DOCUMENTS", "documents.json", "no such file", "; allowed: the path of a manifest"}},
		{[]string{"AUTH=on", "AUTH_JWKS_URL=https://id.example/keys", "AUTH_ISSUER=x"}, []string{"AUTH_AUDIENCE", "AUTH_JWKS_URL", "AUTH_ISSUER"}},
		{[]string{"MIGRATE=2"}, []string{"MIGRATE", "2", "on or off"}},
		{[]string{"DEMO=much"}, []string{"DEMO", "much", "on or off"}},
		{[]string{"--demo=much"}, []string{"--demo", "much", "on or off"}},
		{[]string{"--demo", "off"}, []string{"off", "--demo=off"}},
		{[]string{"PLAYGROUND=much"}, []string{"PLAYGROUND", "much", "on or off"}},
		{[]string{"POOL_SIZE=-1"}, []string{"POOL_SIZE", "-1", "1 to 1000"}},
		{[]string{"POOL_TIMEOUT=soon"}, []string{"POOL_TIMEOUT", "soon", "1ms to 5m"}},
		{[]string{"LOG_LEVEL=loud"}, []string{"LOG_LEVEL", "loud", "debug, info, warn or error"}},
		{[]string{"OTEL_EXPORTER_OTLP_TIMEOUT=abc"}, []string{"OTEL_EXPORTER_OTLP_TIMEOUT", "abc", "milliseconds from 1"}},
		{[]string{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=10s"}, []string{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s", "milliseconds from 1"}},
		{[]string{"OTEL_EXPORTER_OTLP_COMPRESSION=zip"}, []string{"OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "gzip or none"}},
		{[]string{"OTEL_EXPORTER_OTLP_INSECURE=on"}, []string{"OTEL_EXPORTER_OTLP_INSECURE", "on", "true or false"}},
		{[]string{"OTEL_SPAN_LINK_COUNT_LIMIT=-2"}, []string{"OTEL_SPAN_LINK_COUNT_LIMIT", "-2", "-1 for no limit"}},
		{[]string{"FORGE_ADR=x"}, []string{"FORGE_ADR", "ADDR", "forge settings"}},
		{[]string{"--prot", "x"}, []string{"--prot", "nearest is --port", "--help"}},
		{[]string{"--xyzzy"}, []string{"no flag --xyzzy; --help"}},
		{[]string{"PORT=http"}, []string{"PORT", "http", "from 0", "to 65535"}},
		{[]string{"FORGE_ENV=production", "AUTH=off", "PORT=3000"}, []string{"ADDR", ":3000", "AUTH", "loopback"}},
		{[]string{"--adr", "x"}, []string{"--adr", "--addr", "--help"}},
		{[]string{"serve", "--databaseurl=x"}, []string{"--databaseurl", "--database-url", "--help"}},
		{[]string{"--addr"}, []string{"--addr", "needs an argument"}},
		{[]string{"sreve"}, []string{"sreve", "serve", "--help"}},
		{[]string{"serve", "now"}, []string{"serve", "now"}},
		{[]string{"migrate"}, []string{"migrate", "up, down, status, sql"}},
		{[]string{"migrate", "upp"}, []string{"upp", "up", "--help"}},
		{[]string{"migrate", "down", "0"}, []string{"N", "0", "from 1"}},
		{[]string{"migrate", "down", "all"}, []string{"N", "all", "from 1"}},
		{[]string{"migrate", "down", "1", "2"}, []string{"down", "2"}},
		{[]string{"migrate", "up", "--to", "init"}, []string{"--to", "init", "20261123032934_init", "allowed"}},
		{[]string{"migrate", "up", "--lock-timeout=soon"}, []string{"--lock-timeout", "soon"}},
		{[]string{"migrate", "sql", "--from=1"}, []string{"--from", "1", "20261123032934_init", "allowed"}},
		{[]string{"migrate", "sql", "--from=20261123042701", "--to=20261123032934"}, []string{"--from", "--to", "--down"}},
		{[]string{"migrate", "sql", "--down", "--to=20261123042701", "--from=20261123032934"}, []string{"--from", "--to", "--down"}},
		{[]string{"migrate", "up", "--yes"}, []string{"--yes"}},
		{[]string{"migrate", "diff"}, []string{"migrate diff"}},
		{[]string{"seed", "--scale=0"}, []string{"--scale", "0", "1 to 50000"}},
		{[]string{"seed", "--scale", "big"}, []string{"--scale", "big", "1 to 50000"}},
		{[]string{"FORGE_ENV=production", "seed", "--passwords"}, []string{"--passwords", "FORGE_ENV", "production"}},
		{[]string{"schema", "--jsn"}, []string{"--jsn", "--help"}},
	}
	for _, tt := range tests {
		code, stdout, stderr := do(t, tt.words...)
		if code != 2 || stdout != "" || !isOneLine(stderr) {
			t.Errorf("%v: status %d, stdout %q, stderr %q, want 2 and one line", tt.words, code, stdout, stderr)
		}
		for _, part := range tt.has {
			if !strings.Contains(stderr, part) {
				t.Errorf("%v: %q does not say %q", tt.words, stderr, part)
			}
		}
		if strings.Contains(stderr, "s3cret") {
			t.Errorf("%v: a password is shown: %s", tt.words, stderr)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("something was done: %v, %v", left, err)
	}
}

func isOneLine(s string) bool {
	return strings.HasPrefix(s, "forge: ") && strings.Count(s, "\n") == 1 && strings.HasSuffix(s, "\n")
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	path := filepath.Join(t.TempDir(), "forge.db")
	code, stdout, stderr := do(t, "ADDR="+taken.Addr().String(), "DATABASE_URL=sqlite:"+path)
	if code != 1 || stdout != "" || !isOneLine(stderr) || !strings.Contains(stderr, "ADDR=\""+taken.Addr().String()) ||
		!strings.Contains(stderr, "another program listens") {
		t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the database was touched: %v", err)
	}
}

func TestSchemaCommand(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(root + "schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := do(t, "schema"); code != 0 || stdout != string(want) || stderr != "" {
		t.Errorf("status %d, %d bytes, stderr %q, want 0 and the %d bytes of the file", code, len(stdout), stderr, len(want))
	}
}

// TestHelp looks for every setting in the help of the command settings. That of another command has
// its own options, and says where the others are.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"settings", "serve", "migrate", "migrate up", "seed"} {
		code, stdout, stderr := do(t, append(strings.Fields(command), "--help")...)
		if code != 0 || stderr != "" {
			t.Errorf("%q: status %d, stderr %q", command, code, stderr)
		}
		lines, option := map[string]string{}, ""
		for line := range strings.Lines(stdout) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > usage.HelpWidth {
				t.Errorf("%q has a line of %d columns: %s", command, n, line)
			}
			fields := strings.Fields(line)
			if len(fields) > 0 && strings.HasPrefix(line, "   -") {
				option = fields[0]
			}
			lines[option] += " " + strings.Join(fields, " ")
		}
		if named := strings.Contains(stdout, "GLOBAL OPTIONS:\n   forge settings lists them.\n"); named != (command != "settings") {
			t.Errorf("the help of %q says where the settings are: %t", command, named)
		}
		for _, s := range settings.All {
			line, shown := lines["--"+s.Flag]
			if command != "settings" && shown {
				t.Errorf("the help of %q lists --%s", command, s.Flag)
			}
			for _, part := range []string{s.Meaning, s.Allowed, "(default: " + s.Default + ")", "[$" + s.Env + "]"} {
				if command == "settings" && !strings.Contains(line, part) {
					t.Errorf("the help says of --%s %q, want %q in it", s.Flag, line, part)
				}
			}
		}
		if len(settings.All) == 0 || command == "migrate up" && lines["--to"] == "" {
			t.Errorf("%q has %v", command, slices.Sorted(maps.Keys(lines)))
		}
	}
}

// TestHelpFitsAScreen has the help of the program, which names every command that is not hidden.
func TestHelpFitsAScreen(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := do(t, "--help")
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if code != 0 || stderr != "" || len(lines) > 24 {
		t.Errorf("status %d, stderr %q, %d lines, want 24 at most", code, stderr, len(lines))
	}
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	for _, name := range strings.Fields("serve dev migrate seed new db backup user webhook healthcheck check doctor schema adopt scaffold add settings completion") {
		if n := strings.Count(stdout, " "+name+" ") + strings.Count(stdout, " "+name+"\n"); n == 0 {
			t.Errorf("the help does not name %s:\n%s", name, stdout)
		}
	}
}

// inFlight is a forge in a process of its own, on PostgreSQL, with a request in flight.
type inFlight struct {
	*process.Server
	release  func()              // lets the database answer the request
	answered chan gqltest.Answer // the answer, or why there is none
}

func mustBeInFlight(t *testing.T) inFlight {
	t.Helper()
	address := dbtest.Postgres(t)
	s := process.Start(t, forgeCommand(t, os.Environ(), "ADDR=127.0.0.1:0", "DATABASE_URL="+address))
	db, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	p := inFlight{s, func() { _ = tx.Rollback() }, make(chan gqltest.Answer, 1)}
	go func() { p.answered <- gqltest.New(t, s.URL).Send(context.Background(), countUsers, nil) }()
	gqltest.Eventually(t, "the request waits for the lock", func() error {
		const query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
		var waiting int
		err := db.QueryRow(query).Scan(&waiting)
		if err == nil && waiting == 0 {
			err = errors.New("it does not")
		}
		return err
	})
	return p
}

// TestSIGTERM ends a process with a request in flight. The request is answered, and the exit status
// is 0.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	p := mustBeInFlight(t)
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.release()
	if got := <-p.answered; got.Number("users.totalCount") != 0 {
		t.Errorf("the request in flight: %s", got)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the process: %v", err)
	}
}

// TestSecondSIGTERM ends a process at once, whose request in flight is never answered.
func TestSecondSIGTERM(t *testing.T) {
	t.Parallel()
	p := mustBeInFlight(t)
	defer p.release()
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	for {
		// The process may take several signals before the one that ends it.
		if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			failed, ok := errors.AsType[*exec.ExitError](err)
			if !ok || !failed.Sys().(syscall.WaitStatus).Signaled() {
				t.Errorf("%v, want an end by the signal", err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}
