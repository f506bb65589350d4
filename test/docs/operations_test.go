package docs

import (
	"bytes"
	"context"
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

	"forge/internal/pgtemp"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestOperations brings a server in production into each situation of operations.md, runs the
// commands of the page, and compares their output with the page, except for numbers. With
// UPDATE_PAGES=1 it writes the output into the page.
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

// commandsOf returns the commands of a block. A command begins with a $, and goes on in the next
// line if a line ends in a backslash or within quotes.
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

// numberless returns a text without the parts that are different each time. The widths of columns
// depend on these parts, so they are left out too.
func numberless(text string) string {
	text = moment.ReplaceAllString(text, "N")
	for range 3 { // 1m0.5s
		text = number.ReplaceAllString(id.ReplaceAllString(text, `"requestId":"…"`), "N")
	}
	return blank.ReplaceAllString(strings.ReplaceAll(text, "NN", "N"), " ")
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
	err := os.Symlink(process.Build(t), filepath.Join(p.dir, "forge"))
	if err != nil {
		t.Fatal(err)
	}
	if p.cluster, err = pgtemp.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cluster.Stop() })
	p.way = newWay(t, p.cluster.URL("postgres"))
	p.mustExec("postgres", "ALTER SYSTEM SET synchronous_commit = on", "ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
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

// makeDatabase runs the commands of the page for a new database. Only the passwords differ.
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
	p.waitForStatus(http.StatusOK)
}

// waitForStatus waits until /readyz has a status. A server uses the result of a check for a second.
func (p *plant) waitForStatus(want int) {
	p.t.Helper()
	gqltest.Eventually(p.t, "/readyz", func() error {
		response, err := http.Get("http://" + p.addr + "/readyz")
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != want {
			return fmt.Errorf("it has status %d, want %d", response.StatusCode, want)
		}
		return nil
	})
}

// run returns the output of a command, with the addresses that the page has. A command that fails
// says so in its output.
func (p *plant) run(command string) string {
	cmd := exec.CommandContext(p.t.Context(), "sh", "-c", strings.ReplaceAll(command, "127.0.0.1:8080", p.addr))
	cmd.Dir, cmd.Env = p.dir, p.env
	out, _ := cmd.CombinedOutput()
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	text := strings.NewReplacer(p.addr, "127.0.0.1:8080", "127.0.0.1:"+p.way.port(), "127.0.0.1:5432").Replace(string(out))
	lines := strings.SplitAfter(text, "\n")
	for i := range lines { // psql pads its columns
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
	p.waitForStatus(http.StatusServiceUnavailable)
	return func() {}
}

func (p *plant) drift() func() {
	p.mustExec("forge", "ALTER TABLE heroes ADD COLUMN motto text")
	p.waitForStatus(http.StatusServiceUnavailable)
	return func() {}
}

func (p *plant) sqlite() func() {
	p.mustRun("DATABASE_URL=sqlite:forge.db forge migrate up")
	return func() {}
}

func (p *plant) down() func() {
	if err := p.cluster.Halt(); err != nil {
		p.t.Fatal(err)
	}
	p.way.close()
	p.waitForStatus(http.StatusServiceUnavailable) // an answer is used for a second
	return func() {
		p.way.open()
		if err := p.cluster.Resume(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// locked locks a table in a transaction that stays open. More requests then wait for the lock than
// there are connections.
func (p *plant) locked() func() {
	db := must(sql.Open("postgres", p.url("forge_owner", "forge")+"&application_name=psql"))
	tx := must(db.Begin())
	must(tx.Exec("LOCK TABLE heroes"))
	api := gqltest.New(p.t, "http://"+p.addr)
	var requests sync.WaitGroup
	for range 6 {
		requests.Go(func() {
			// Whether the request is answered depends on the commands of the page.
			_ = api.Send(context.Background(), "query Heroes { heroes(first: 3) { nodes { name } } }", nil)
		})
	}
	admin := must(sql.Open("postgres", p.url("postgres", "forge")))
	gqltest.Eventually(p.t, "requests wait for the lock", func() error {
		var n int
		err := admin.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'forge' AND wait_event_type = 'Lock'").Scan(&n)
		log := must(os.ReadFile(filepath.Join(p.dir, "forge.log")))
		if err == nil && (n != 4 || !bytes.Contains(log, []byte("connection for long"))) {
			err = fmt.Errorf("%d of 4 sessions wait, and the log is %s", n, log)
		}
		return err
	})
	return func() {
		_ = tx.Rollback() // the commands of the page may have done this already
		requests.Wait()
		db.Close()
		admin.Close()
	}
}

// A way forwards a TCP address to a server's socket while it is open.
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
