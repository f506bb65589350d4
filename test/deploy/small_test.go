package deploy

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// small is what deploy/small/install has installed below a folder.
type small struct {
	*testing.T
	root, state string
	env         []string
}

func installSmall(t *testing.T) *small {
	t.Helper()
	s := &small{T: t, root: t.TempDir(), state: t.TempDir()}
	install := func() []byte {
		cmd := exec.Command("small/install", mustBuild(t).program)
		cmd.Env = append(os.Environ(), "DESTDIR="+s.root)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install: %v\n%s", err, out)
		}
		text, err := os.ReadFile(filepath.Join(s.root, "etc/forge/forge.env"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	text := install()
	if again := install(); !bytes.Equal(text, again) {
		t.Error("an upgrade changes the settings, and with them the secret")
	}
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			line = strings.ReplaceAll(strings.TrimSpace(line), "/var/lib/forge", s.state)
			s.env = append(s.env, strings.Replace(line, ":8080", ":0", 1))
		}
	}
	return s
}

// path returns the path of an installed file.
func (s *small) path(name string) string { return filepath.Join(s.root, name) }

// command returns the command of a unit's ExecStart, as systemd would run it.
func (s *small) command(name string, manager ...string) *exec.Cmd {
	line := readUnit(s.T, s.path("etc/systemd/system/"+name)).one(s.T, "ExecStart")
	line = strings.NewReplacer("%%", "%", "$$", "$", "/usr/local/bin/forge", s.path("usr/local/bin/forge")).Replace(line)
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Dir, cmd.Env = s.state, append(append([]string{"PATH=" + os.Getenv("PATH")}, s.env...), manager...)
	return cmd
}

// start starts the server. It returns its address, and a function that ends it.
func (s *small) start() (url string, stop func()) {
	s.Helper()
	socket := filepath.Join(s.TempDir(), "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		s.Fatal(err)
	}
	defer told.Close()
	cmd := s.command("forge.service", "NOTIFY_SOCKET="+socket)
	var out bytes.Buffer
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = cmd.Process.Wait()
		if s.Failed() {
			s.Log(&out)
		}
	})
	mustTell(s.T, told, "READY=1")
	for lines := bufio.NewScanner(stdout); url == "" && lines.Scan(); {
		url = regexp.MustCompile(`http://[0-9.:]+/graphql`).FindString(lines.Text())
	}
	return url, func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			s.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			s.Errorf("it ended with %v: %s", err, &out)
		}
	}
}

// post sends a document, and reports whether the answer has data and no errors.
func (s *small) post(url, document string) bool {
	s.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(`{"query": "`+strings.ReplaceAll(document, `"`, `\"`)+`"}`))
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		s.Fatal(err)
	}
	return !strings.Contains(body.String(), `"errors"`)
}

// TestSmall installs Forge, makes copies while it serves, and goes back to one of them.
func TestSmall(t *testing.T) {
	s := installSmall(t)
	url, stop := s.start()
	signUp := func(name string) bool {
		return s.post(url, `mutation { signUp(input: {username: "`+name+`", password: "5ecret-and-long"}) { expiresAt } }`)
	}
	signIn := func(name string) bool {
		return s.post(url, `mutation { signIn(input: {login: "`+name+`", password: "5ecret-and-long"}) { expiresAt } }`)
	}
	if !signUp("before") {
		t.Fatal("nobody can sign up")
	}
	for i := range 9 { // more than are kept
		old := filepath.Join(s.state, "backups", "forge-2000010"+string(rune('1'+i))+"-000000.db")
		if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(old, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := s.command("forge-backup.service").CombinedOutput(); err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	copies, err := filepath.Glob(filepath.Join(s.state, "backups", "*.db"))
	if err != nil || len(copies) != 7 {
		t.Fatalf("there are %d copies, want 7: %v", len(copies), err)
	}
	if !signUp("after") || !signIn("after") {
		t.Fatal("nobody can sign up after a backup")
	}

	// forge-restore ends and starts the service by this systemctl.
	bin, calls := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte("#!/bin/sh\necho \"$@\" >> "+calls+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	stop()
	restore := exec.Command(s.path("usr/local/sbin/forge-restore"), copies[len(copies)-1])
	restore.Env = []string{"FORGE_STATE=" + s.state, "PATH=" + bin + ":" + os.Getenv("PATH")}
	if out, err := restore.CombinedOutput(); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	if text, err := os.ReadFile(calls); err != nil || string(text) != "stop forge\nstart forge\n" {
		t.Errorf("systemctl was called as %q: %v", text, err)
	}
	url, stop = s.start()
	if !signIn("before") || signIn("after") {
		t.Error("after the restore, the users are not those of the copy")
	}
	stop()
}

// TestSmallSecret looks at the settings while they are written: nobody else may open them then, and
// keep them open.
func TestSmallSecret(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	modes := filepath.Join(bin, "modes")
	script := "#!/bin/sh\nstat -c '%a %n' \"$2\" >> " + modes + "\nexec /bin/chmod \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "chmod"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("small/install", "/bin/true")
	cmd.Env = []string{"DESTDIR=" + root, "PATH=" + bin + ":" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	text, err := os.ReadFile(modes)
	if want := "600 " + filepath.Join(root, "etc/forge/forge.env.new\n"); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s%v; want %s", text, err, want)
	}
}

// TestSmallUnits has systemd-analyze check the units, and the settings be for nobody else.
func TestSmallUnits(t *testing.T) {
	s := installSmall(t)
	if info, err := os.Stat(s.path("etc/forge/forge.env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the settings have the mode %v: %v", info.Mode(), err)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not there")
	}
	var paths []string
	for _, name := range []string{"forge.service", "forge-backup.service", "forge-backup.timer"} {
		path := s.path("etc/systemd/system/" + name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte("/usr/local/bin/forge"), []byte(s.path("usr/local/bin/forge"))), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	if out, err := exec.Command(analyze, append([]string{"verify"}, paths...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	for _, path := range paths[:2] {
		if out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "--threshold=20", path).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze security: %v: %s", err, regexp.MustCompile(`Overall exposure level.*`).Find(out))
		}
	}
}
