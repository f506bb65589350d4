// Package servers tests what several servers of one database do together, behind HAProxy with the
// configuration of deploy/haproxy.
package servers

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

// cluster is three servers of one database, and a balancer in front of them.
type cluster struct {
	t        *testing.T
	database string
	settings []string
	addrs    []string // of the servers that the balancer knows
	servers  []*process.Server
	front    string // http://127.0.0.1:PORT of the balancer
	balanced *gqltest.Client
}

// settings are those of each server.
var settings = []string{
	"AUTH=on", "AUTH_SECRET=a secret of more than 32 bytes, for tests", "DEMO=off", "LOG_LEVEL=info", "SHUTDOWN_DELAY=1s",
	"TRUSTED_PROXIES=127.0.0.1/32", "APQ_SHARED=on", "PASSWORD_MEMORY=7168", "PASSWORD_TIME=1", "POOL_SIZE=4", "FORGE_ENV=production",
}

// start starts three servers behind a balancer that has room for six.
func start(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, database: dbtest.Postgres(t), settings: settings, addrs: freeAddrs(t, 7)}
	for i := range 3 {
		c.servers = append(c.servers, c.serve(process.Build(t), i))
	}
	front := c.addrs[6]
	c.addrs = c.addrs[:6]
	balance(t, front, c.addrs)
	c.front = "http://" + front
	c.balanced = gqltest.New(t, c.front)
	gqltest.Eventually(t, "the balancer has all three servers", func() error {
		if got := c.balanced.Send(t.Context(), "{ __typename }", nil); !got.OK() {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
	return c
}

// serve starts a server on one of the addresses of the balancer.
func (c *cluster) serve(program string, addr int) *process.Server {
	return process.Start(c.t, c.command(program, "ADDR="+c.addrs[addr]))
}

func (c *cluster) command(program string, settings ...string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Dir = c.t.TempDir()
	cmd.Env = append(append([]string{"DATABASE_URL=" + c.database, "TMPDIR=" + os.TempDir()}, c.settings...), settings...)
	return cmd
}

// at returns a client of one server, past the balancer.
func (c *cluster) at(server int) *gqltest.Client {
	return gqltest.New(c.t, c.servers[server].URL)
}

// user signs somebody up, and gives them a role.
func (c *cluster) user(name, role string) (token string) {
	c.t.Helper()
	c.balanced.Must(`mutation($i: SignUpInput!) { signUp(input: $i) { accessToken } }`, gqltest.Vars{"i": gqltest.Vars{"username": name, "password": password}})
	if role != "" {
		cmd := c.command(process.Build(c.t))
		cmd.Args = append(cmd.Args, "user", "role", "--username", name, "--role", role)
		process.Run(c.t, cmd)
	}
	return c.signIn(c.balanced, name, password).Text("m.accessToken")
}

const password = "correct horse battery"

func (c *cluster) signIn(at *gqltest.Client, name, password string) gqltest.Answer {
	return at.Do(`mutation($i: SignInInput!) { m: signIn(input: $i) { accessToken } }`, gqltest.Vars{"i": gqltest.Vars{"login": name, "password": password}})
}

// freeAddrs returns addresses on which nobody listens.
func freeAddrs(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

var serverLines = regexp.MustCompile(`(?m)^  server .*\n`)

// balance starts HAProxy with the configuration of deploy/haproxy, but for addresses and the pause
// between probes. If it is not installed, the test is skipped, and fails in CI.
func balance(t *testing.T, front string, addrs []string) {
	t.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/haproxy")
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("this test needs HAProxy: %v", err)
	}
	config, err := os.ReadFile("../../deploy/haproxy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	text := serverLines.ReplaceAllString(string(config), "")
	for i, addr := range addrs {
		text += fmt.Sprintf("  server s%d %s\n", i, addr)
	}
	text = strings.NewReplacer("bind :8080", "bind "+front, "inter 500ms", "inter 100ms", "maxconn 20000", "maxconn 500").Replace(text)
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-db", "-f", path)
	cmd.Stderr, cmd.SysProcAttr = t.Output(), process.KilledWithParent()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

// TestServers has three servers act as one. Its parts share the servers, in this order.
func TestServers(t *testing.T) {
	c := start(t)
	admin := c.user("root", "ADMIN")
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"SignInTries", c.signInTries},
		{"Revocations", c.revocations},
		{"Cursors", func(t *testing.T) { c.cursors(t, admin) }},
		{"PersistedDocuments", c.persistedDocuments},
		{"IdempotencyKeys", func(t *testing.T) { c.idempotencyKeys(t, admin) }},
		{"Subscriptions", func(t *testing.T) { c.subscriptions(t, admin) }},
		{"RollingDeploy", func(t *testing.T) { c.rollingDeploy(t, admin) }},
		{"BreakingMigration", c.breakingMigration},
		{"AllAway", c.allAway},
	} {
		t.Run(part.name, part.run)
	}
}

// provider is an OpenID Connect provider without keys.
func provider(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	t.Cleanup(s.Close)
	return s.URL
}
