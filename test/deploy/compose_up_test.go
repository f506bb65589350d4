package deploy

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq"

	"forge/internal/pgtemp"
	"forge/test/gqltest"
)

// host stands for Docker on this machine. The names that containers have for each other lead to the
// processes that the test has started.
type host struct {
	t        *testing.T
	file     *composeFile
	image    *builtImage
	postgres *url.URL // of the server's database
	port     string   // the port that is used instead of 8080
	up       map[string]*exec.Cmd
	log      strings.Builder // what the services print; it is read when they have ended
}

// start starts a service. It first starts the services that it depends on, and waits until they are
// in the state that the service asks for.
func (h *host) start(name string) {
	h.t.Helper()
	if h.up[name] != nil {
		return
	}
	s := h.file.Services[name]
	for other, wants := range s.DependsOn {
		h.start(other)
		switch wants.Condition {
		case "service_healthy":
			h.mustBecomeHealthy(other)
		case "service_completed_successfully":
			if err := h.up[other].Wait(); err != nil {
				h.t.Fatalf("%s: %v: %s", other, err, h.log.String())
			}
		default:
			h.t.Fatalf("%s depends on %s: %q", name, other, wants.Condition)
		}
	}
	if s.Build == nil {
		h.startPostgres(name, s)
		return
	}
	cmd := h.command(s, append(h.image.final.exec("ENTRYPOINT"), s.Command...))
	cmd.Stdout, cmd.Stderr = &h.log, &h.log
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = cmd.Process.Kill() }) // the service has ended if all went well
	h.up[name] = cmd
}

// startPostgres does what the image of PostgreSQL does with a new volume: it creates a database,
// and runs the mounted scripts.
func (h *host) startPostgres(name string, s *composeService) {
	h.t.Helper()
	cluster, err := pgtemp.Start(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = cluster.Stop() })
	address, err := url.Parse(cluster.URL("postgres"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.postgres = address
	h.mustExec(cluster.URL("postgres"), "CREATE DATABASE "+s.Environment["POSTGRES_DB"])
	h.up[name] = &exec.Cmd{}
	for _, volume := range s.Volumes {
		source, target, _ := strings.Cut(volume, ":")
		if !strings.HasPrefix(target, "/docker-entrypoint-initdb.d") {
			continue
		}
		scripts, err := filepath.Glob(filepath.Join("..", source, "*.sh"))
		if err != nil || len(scripts) == 0 {
			h.t.Fatalf("%s has no scripts (%v)", source, err)
		}
		for _, script := range scripts {
			cmd := h.command(s, []string{"./" + filepath.Base(script)})
			cmd.Dir = filepath.Dir(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				h.t.Fatalf("%s: %v: %s", script, err, out)
			}
		}
	}
}

// command returns the command that a container would run. Its environment is that of the container,
// with only PATH and the address of PostgreSQL from this machine.
func (h *host) command(s *composeService, words []string) *exec.Cmd {
	words = append([]string{}, words...)
	if words[0] == "/forge" {
		words[0] = h.image.program
	}
	if h.postgres != nil {
		for i := range words { // the server has no other address here than a socket
			words[i] = strings.Replace(words[i], "--host=127.0.0.1", "--host="+h.postgres.Query().Get("host"), 1)
		}
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = "/" // as in an image that has nothing else
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if h.postgres != nil {
		cmd.Env = append(cmd.Env, "PGHOST="+h.postgres.Query().Get("host"), "PGPORT="+h.postgres.Query().Get("port"))
	}
	variables := map[string]string{}
	if s.Build != nil {
		variables = h.image.final.env()
	}
	for name, value := range s.Environment {
		variables[name] = value
	}
	for name, value := range variables {
		cmd.Env = append(cmd.Env, name+"="+h.local(name, value))
	}
	return cmd
}

// local returns a variable's value with the addresses of this machine.
func (h *host) local(name, value string) string {
	switch name {
	case "ADDR":
		return strings.Replace(value, ":8080", ":"+h.port, 1)
	case "DATABASE_URL":
		u, err := url.Parse(value)
		if err != nil || u.Host != "postgres:5432" || h.file.Services["postgres"] == nil {
			h.t.Fatalf("DATABASE_URL=%s leads to no service", value)
		}
		query := u.Query()
		for _, part := range []string{"host", "port"} {
			query.Set(part, h.postgres.Query().Get(part))
		}
		u.Host, u.RawQuery = "", query.Encode()
		return u.String()
	}
	return value
}

// mustBecomeHealthy runs the health check of a service until it succeeds. The check is the one in
// the compose file, or the one of the image if the compose file has none.
func (h *host) mustBecomeHealthy(name string) {
	h.t.Helper()
	s := h.file.Services[name]
	words := append([]string{"CMD"}, h.image.final.exec("HEALTHCHECK")...)
	if s.Healthcheck.Test != nil {
		words = s.Healthcheck.Test
	}
	if words[0] != "CMD" {
		h.t.Fatalf("%s: the health check %q needs a shell", name, words)
	}
	gqltest.Eventually(h.t, name+" is healthy", func() error {
		out, err := h.command(s, words[1:]).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

func (h *host) mustExec(address, statement string) {
	h.t.Helper()
	if err := execute(address, statement); err != nil {
		h.t.Fatalf("%s: %v", statement, err)
	}
}

func execute(address, statement string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

func newHost(t *testing.T, env map[string]string) *host {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &host{t: t, file: mustReadCompose(t, env), image: mustBuild(t), up: map[string]*exec.Cmd{},
		port: fmt.Sprint(l.Addr().(*net.TCPAddr).Port)}
}

// TestComposeUp starts the services of compose.yaml in their order, uses them, and stops them.
func TestComposeUp(t *testing.T) {
	env := environment(t, "compose.env", false, "s3cret")
	h := newHost(t, env)
	h.start("forge")
	h.mustBecomeHealthy("forge")
	got := gqltest.New(t, "http://127.0.0.1:"+h.port).
		Do(`mutation { signUp(input: {username: "the-first", password: "a long password"}) { accessToken user { username } } }`, nil)
	if got.Text("signUp.user.username") != "the-first" {
		t.Errorf("the server answers %s", got)
	}
	// The server's role may read and write rows, and may not change tables.
	address := h.local("DATABASE_URL", h.file.Services["forge"].Environment["DATABASE_URL"])
	if err := execute(address, "ALTER TABLE teams ADD COLUMN motto text"); err == nil || !strings.Contains(err.Error(), "must be owner") {
		t.Errorf("the server's role changes a table: %v", err)
	}
	if err := execute(address, "CREATE TABLE mine (x int)"); err == nil {
		t.Error("the server's role makes a table")
	}
	h.mustStop("forge")
}

func (h *host) mustStop(name string) {
	h.t.Helper()
	signal := map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM}[h.image.final.all("STOPSIGNAL")[0]]
	grace, err := time.ParseDuration(h.file.Services[name].StopGracePeriod)
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := h.up[name]
	if err := cmd.Process.Signal(signal); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // Docker does this then
	if err := cmd.Wait(); err != nil {
		h.t.Errorf("%s ended with %v: %s", name, err, h.log.String())
	}
}

// TestComposeRefuses starts the server with a secret that is too short, and without authentication
// where others can reach it.
func TestComposeRefuses(t *testing.T) {
	for said, want := range map[string]string{"AUTH_SECRET=short": `AUTH_SECRET="…" is not allowed`, "AUTH=off": `ADDR="0.0.0.0:`} {
		env := environment(t, "compose.env", false, "s3cret")
		name, value, _ := strings.Cut(said, "=")
		env[name] = value
		h := newHost(t, env)
		h.start("forge")
		if err := h.up["forge"].Wait(); h.up["forge"].ProcessState.ExitCode() != 2 || !strings.Contains(h.log.String(), want) {
			t.Errorf("after %q it ends with %v: %s, want %s", said, err, h.log.String(), want)
		}
	}
}
