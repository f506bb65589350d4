package docs

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
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
	"testing"
	"time"

	"forge/internal/pgtemp"
	"forge/internal/settings"
)

// TestOperations brings a server in production into each situation that operations.md has, runs the commands that stand there, and compares
// what they print with what the page shows, but for numbers. With UPDATE_PAGES=1 it writes into the page what they print.
func TestOperations(t *testing.T) {
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlant(t)
	situations := map[string]func() func(){
		"healthy": p.nothing, "pending": p.pending, "drift": p.drift, "pool": p.locked, "slow": p.locked, "stuck": p.locked,
		"down": p.down, "disk": p.nothing, "memory": p.nothing, "backup": p.nothing, "sqlite": p.sqlite, "settings": p.nothing,
	}
	text, seen := string(page), map[string]bool{}
	for _, b := range blocks(text) {
		bring := situations[b.label]
		if b.language != "console" || b.label == "" {
			continue
		}
		if bring == nil {
			t.Fatalf("operations.md has the situation %q, which no test brings about", b.label)
		}
		seen[b.label] = true
		undo := bring()
		var out strings.Builder
		for _, c := range commandsOf(b.text) {
			out.WriteString("$ " + c + "\n" + p.run(c))
		}
		undo()
		if os.Getenv("UPDATE_PAGES") != "" {
			text = strings.Replace(text, b.text, out.String(), 1)
		} else if got, want := numberless(out.String()), numberless(b.text); got != want {
			t.Errorf("%s: the page has\n%s\nand the commands print\n%s", b.label, b.text, out.String())
		}
	}
	for label := range situations {
		if !seen[label] {
			t.Errorf("operations.md has no block for %q", label)
		}
	}
	if text != string(page) {
		if err := os.WriteFile("operations.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// commandsOf returns the commands of a block: lines that begin with a $, and those below for as long as one ends in a backslash, or in quotes.
func commandsOf(block string) (commands []string) {
	more := false
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		switch command, is := strings.CutPrefix(line, "$ "); {
		case more:
			commands[len(commands)-1] += "\n" + line
		case is:
			commands = append(commands, command)
		default:
			continue
		}
		last := commands[len(commands)-1]
		more = strings.HasSuffix(line, `\`) || strings.Count(last, `"`)%2 == 1
	}
	return commands
}

var (
	id     = regexp.MustCompile(`"requestId":"[^"]*"`)
	moment = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z|[+-][0-9:]+)?`)
	number = regexp.MustCompile(`[0-9]+([.:,-][0-9]+)*(e\+?[0-9]+)?( ?(ns|µs|ms|s|bytes|kB|MB|KiB|MiB|GiB|[TZ]))?\b`)
	blank  = regexp.MustCompile(`[ \t]+|-{2,}`)
)

// numberless returns a text without what is another each time, and without the width of columns that follows from it.
func numberless(text string) string {
	text = moment.ReplaceAllString(text, "N")
	for range 3 { // 1m0.5s
		text = number.ReplaceAllString(id.ReplaceAllString(text, `"requestId":"…"`), "N")
	}
	return blank.ReplaceAllString(strings.ReplaceAll(text, "NN", "N"), " ")
}

// TestOperationsSettings compares the page's table with the settings. With UPDATE_PAGES=1 it writes the table.
func TestOperationsSettings(t *testing.T) {
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- settings -->\n", "<!-- end of settings -->\n"
	before, rest, ok := strings.Cut(string(page), begin)
	is, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("operations.md has no place for the settings")
	}
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	table := "| Variable | Default | Meaning and what is allowed |\n| --- | --- | --- |\n"
	for _, s := range settings.All {
		meaning := strings.ToUpper(s.Meaning[:1]) + s.Meaning[1:]
		table += fmt.Sprintf("| `%s` | %s | %s. Allowed: %s. |\n", s.Env, cell.Replace(s.Default), cell.Replace(meaning), cell.Replace(s.Allowed))
	}
	if is == table {
		return
	}
	if os.Getenv("UPDATE_PAGES") == "" {
		t.Errorf("the table of settings is not that of internal/settings: UPDATE_PAGES=1 go test ./docs -run TestOperationsSettings writes it")
		return
	}
	if err := os.WriteFile("operations.md", []byte(before+begin+table+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A plant is a server in production on a PostgreSQL of its own.
type plant struct {
	t       *testing.T
	dir     string
	cluster *pgtemp.Cluster
	way     *way // to PostgreSQL
	addr    string
	env     []string
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	for _, tool := range []string{"curl", "psql", "pg_dump", "pg_restore", "createdb"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("operators need %s, and so does this test", tool)
		}
	}
	p := &plant{t: t, dir: t.TempDir()}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(p.dir, "forge"), "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var err error
	if p.cluster, err = pgtemp.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cluster.Stop() })
	p.way = newWay(t, p.cluster.URL("postgres"))
	p.mustExec("postgres", "ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()")
	p.env = append(os.Environ(), "PATH="+p.dir+":"+os.Getenv("PATH"), "FORGE_ENV=production", "AUTH_SECRET=a secret of these pages, and of no server", "POOL_SIZE=4", "HELD_TOO_LONG=500ms", "LOCK_TIMEOUT=30s", "POOL_TIMEOUT=30s",
		"DATABASE_URL="+p.url("forge", "forge"), "OWNER_URL="+p.url("forge_owner", "forge"), "ADMIN_URL="+p.url("postgres", "forge"),
		"RESTORED_URL="+p.url("postgres", "forge_restored"),
		"PGSSLMODE=disable")
	p.makeDatabase()
	p.mustRun("DATABASE_URL=$OWNER_URL forge migrate up")
	p.mustRun("forge seed --scale 1")
	p.start()
	return p
}

// makeDatabase runs what the page has for that, word for word but for the passwords.
func (p *plant) makeDatabase() {
	p.t.Helper()
	page := string(must(os.ReadFile("operations.md")))
	_, rest, found := strings.Cut(page, "**A database.**")
	_, block, opened := strings.Cut(rest, "```console\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !opened || !closed {
		p.t.Fatal("operations.md does not say how to make a database")
	}
	for command := range strings.Lines(block) {
		command = strings.NewReplacer("$ ", "", "…", "s3cret", "deploy/", must(filepath.Abs("../deploy"))+"/").Replace(command)
		p.mustRun("export ADMIN_URL='" + p.url("postgres", "postgres") + "'; " + command)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (p *plant) url(role, database string) string {
	return "postgres://" + role + ":s3cret@127.0.0.1:" + p.way.port() + "/" + database + "?sslmode=disable"
}

// start runs the server until the test ends. Its log is forge.log.
func (p *plant) start() {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	p.addr = l.Addr().String()
	l.Close()
	p.env = append(p.env, "ADDR="+p.addr)
	log := must(os.Create(filepath.Join(p.dir, "forge.log")))
	cmd := exec.Command(filepath.Join(p.dir, "forge"))
	cmd.Dir, cmd.Env, cmd.Stderr = p.dir, p.env, log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
	})
	p.eventually("the server is ready", func() bool {
		response, err := http.Get("http://" + p.addr + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

func (p *plant) eventually(what string, ok func() bool) {
	p.t.Helper()
	for start := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			p.t.Fatalf("not within a minute: %s", what)
		}
	}
}

// run returns what a command prints, with the addresses that the page has. How it ends is part of what it prints.
func (p *plant) run(command string) string {
	cmd := exec.CommandContext(p.t.Context(), "sh", "-c", strings.ReplaceAll(command, "127.0.0.1:8080", p.addr))
	cmd.Dir, cmd.Env = p.dir, p.env
	out, _ := cmd.CombinedOutput()
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	text := strings.NewReplacer(p.addr, "127.0.0.1:8080", "127.0.0.1:"+p.way.port(), "127.0.0.1:5432").Replace(string(out))
	lines := strings.SplitAfter(text, "\n")
	for i := range lines { // psql fills up its columns
		lines[i] = strings.TrimRight(strings.TrimSuffix(lines[i], "\n"), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + strings.Repeat("\n", min(len(out), 1))
}

func (p *plant) mustRun(command string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Env = p.dir, p.env
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

func (p *plant) mustExec(database string, statements ...string) {
	p.t.Helper()
	db := must(sql.Open("postgres", p.url("postgres", database)))
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			p.t.Fatalf("%s: %v", s, err)
		}
	}
}

func (p *plant) nothing() func() { return func() {} }

func (p *plant) pending() func() {
	p.mustRun("DATABASE_URL=$OWNER_URL forge migrate down --yes")
	p.unready()
	return func() {}
}

// unready waits until the server has noticed that it is not ready: what it says is good for a second.
func (p *plant) unready() {
	p.eventually("the server is not ready", func() bool {
		response, err := http.Get("http://" + p.addr + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	})
}

func (p *plant) drift() func() {
	p.mustExec("forge", "ALTER TABLE heroes ADD COLUMN motto text")
	p.unready()
	return func() {}
}

func (p *plant) sqlite() func() {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		p.t.Fatal("operators need sqlite3, and so does this test")
	}
	p.mustRun("DATABASE_URL=sqlite:forge.db forge migrate up")
	return func() {}
}

func (p *plant) down() func() {
	if err := p.cluster.Halt(); err != nil {
		p.t.Fatal(err)
	}
	p.way.close()
	return func() {
		p.way.open()
		if err := p.cluster.Resume(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// locked has somebody lock a table in a transaction that stands still, and more requests wait for it than there are connections.
func (p *plant) locked() func() {
	db := must(sql.Open("postgres", p.url("forge_owner", "forge")+"&application_name=psql"))
	tx := must(db.Begin())
	must(tx.Exec("LOCK TABLE heroes"))
	var requests sync.WaitGroup
	for range 6 {
		requests.Go(func() {
			response, err := http.Post("http://"+p.addr+"/graphql", "application/json",
				strings.NewReader(`{"query": "query Heroes { heroes(first: 3) { nodes { name } } }"}`))
			if err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	admin := must(sql.Open("postgres", p.url("postgres", "forge")))
	p.eventually("requests wait for the lock", func() bool {
		var n int
		err := admin.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'forge' AND wait_event_type = 'Lock'").Scan(&n)
		log := must(os.ReadFile(filepath.Join(p.dir, "forge.log")))
		return err == nil && n == 4 && bytes.Contains(log, []byte("connection for long"))
	})
	return func() {
		_ = tx.Rollback() // which the page's commands may have done
		requests.Wait()
		db.Close()
		admin.Close()
	}
}

// A way is a TCP address that leads to a server's socket, for as long as it is open.
type way struct {
	t        *testing.T
	socket   string
	addr     string
	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newWay(t *testing.T, address string) *way {
	t.Helper()
	query := must(url.Parse(address)).Query()
	w := &way{t: t, socket: filepath.Join(query.Get("host"), ".s.PGSQL."+query.Get("port")), addr: "127.0.0.1:0"}
	w.open()
	w.addr = w.listener.Addr().String()
	t.Cleanup(w.close)
	return w
}

func (w *way) port() string { return w.addr[strings.LastIndex(w.addr, ":")+1:] }

func (w *way) open() {
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener = l
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", w.socket)
			if err != nil {
				client.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, client, server)
			w.mu.Unlock()
			go pipe(client, server)
			go pipe(server, client)
		}
	}()
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}

func (w *way) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener.Close()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = slices.Clip(w.conns[:0])
}

func TestNumberless(t *testing.T) {
	same := []string{
		"{\"time\":\"2026-11-25T13:42:28.366157691Z\",\"durationMs\":22.5,\"requestId\":\"a1\"}\n applied 2026-11-25 13:42:26 in 3s",
		"{\"time\":\"2027-01-08T08:05:08.1Z\",\"durationMs\":7,\"requestId\":\"9c\"}\n applied 2027-01-08 08:05:08 in 20ms",
	}
	if a, b := numberless(same[0]), numberless(same[1]); a != b {
		t.Errorf("the same at another time is another text:\n%s\n%s", a, b)
	}
	if a, b := numberless("3 applied"), numberless("3 pending"); a == b {
		t.Errorf("%q is the same as another text", a)
	}
}
