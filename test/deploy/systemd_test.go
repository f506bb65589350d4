package deploy

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unit holds a unit file: the values of each name, in their order.
type unit map[string][]string

func readUnit(t *testing.T, path string) unit {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	u := unit{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && line[0] != '#' {
			u[name] = append(u[name], value)
		}
	}
	return u
}

func (u unit) one(t *testing.T, name string) string {
	t.Helper()
	if len(u[name]) != 1 {
		t.Fatalf("%s is there %d times", name, len(u[name]))
	}
	return u[name][0]
}

// command returns the command of ExecStart. Its environment comes from the EnvironmentFile in
// deploy/systemd and from the service manager. The program and the database are those of the test.
func (u unit) command(t *testing.T, database string, manager ...string) *exec.Cmd {
	t.Helper()
	words := strings.Fields(u.one(t, "ExecStart"))
	if words[0] != "/usr/local/bin/forge" {
		t.Fatalf("ExecStart runs %s", words[0])
	}
	cmd := exec.Command(mustBuild(t).program, words[1:]...)
	cmd.Dir = t.TempDir()
	for name, value := range environment(t, filepath.Join("systemd", filepath.Base(u.one(t, "EnvironmentFile"))), false, "") {
		switch name {
		case "DATABASE_URL":
			value = withPlace(t, value, database)
		case "AUTH_SECRET":
			if value != "" {
				t.Errorf("AUTH_SECRET=%s is a secret that everybody knows", value)
			}
			value = strings.Repeat("s3cret", 8)
		case "ADDR":
			value = strings.Replace(value, ":8080", ":0", 1)
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, manager...)
	return cmd
}

// withPlace returns an address with the role of one address, and the host and the database of
// another.
func withPlace(t *testing.T, address, place string) string {
	t.Helper()
	to, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	from, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	to.User = from.User
	return to.String()
}

// TestSystemd runs both units as systemd does: the migrations until they end, then the server until
// it reports that it is ready.
func TestSystemd(t *testing.T) {
	server, migrate := readUnit(t, "systemd/forge.service"), readUnit(t, "systemd/forge-migrate.service")
	if got := server.one(t, "Requires"); got != "forge-migrate.service" || !strings.Contains(server.one(t, "After"), got) {
		t.Errorf("the server requires %s and starts after %s", got, server.one(t, "After"))
	}
	h := newHost(t, environment(t, "compose.env", false, "PASSWORD"))
	h.start("postgres")
	place := *h.postgres
	place.Path = "/forge"
	if out, err := migrate.command(t, place.String()).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", migrate.one(t, "ExecStart"), err, out)
	}

	socket := filepath.Join(t.TempDir(), "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	cmd := server.command(t, place.String(), "NOTIFY_SOCKET="+socket)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	mustTell(t, told, "READY=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	mustTell(t, told, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, &log)
	}
}

func mustTell(t *testing.T, socket *net.UnixConn, want string) {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, err := socket.Read(buffer)
	if err != nil || string(buffer[:n]) != want {
		t.Fatalf("systemd is told %q (%v), want %s", buffer[:n], err, want)
	}
}

// TestSystemdAnalyze has systemd-analyze check the units.
func TestSystemdAnalyze(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not there")
	}
	dir, program := t.TempDir(), mustBuild(t).program
	var paths []string
	for _, name := range []string{"forge.service", "forge-migrate.service"} {
		text, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(dir, name))
		if err := os.WriteFile(paths[len(paths)-1], bytes.ReplaceAll(text, []byte("/usr/local/bin/forge"), []byte(program)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(analyze, append([]string{"verify"}, paths...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	for _, path := range paths {
		out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "--threshold=20", path).CombinedOutput()
		exposure := regexp.MustCompile(`Overall exposure level.*`).Find(out)
		if err != nil {
			t.Errorf("systemd-analyze security: %v: %s, want 2.0 at most", err, exposure)
		}
		t.Logf("%s", exposure)
	}
}
