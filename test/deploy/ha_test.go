package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// haproxy returns the path of HAProxy. Without it, it skips the test, but fails it in CI.
func haproxy(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("this test needs HAProxy")
	}
	t.Skip("HAProxy is not installed")
	return ""
}

// TestHAProxyFile has HAProxy check its file.
func TestHAProxyFile(t *testing.T) {
	if out, err := exec.Command(haproxy(t), "-c", "-f", "ha/haproxy.cfg").CombinedOutput(); err != nil || strings.Contains(string(out), "WARNING") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPatroniFile reads the file as YAML, and has Patroni check it where it is installed.
func TestPatroniFile(t *testing.T) {
	text, err := os.ReadFile("ha/patroni.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Bootstrap struct {
			DCS struct {
				TTL        int
				LoopWait   int `yaml:"loop_wait"`
				Retry      int `yaml:"retry_timeout"`
				PostgreSQL struct{ Parameters map[string]any }
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	// Patroni changes times that do not fit this without a word.
	if dcs := file.Bootstrap.DCS; dcs.TTL < 20 || dcs.Retry < 3 || dcs.LoopWait+2*dcs.Retry > dcs.TTL {
		t.Errorf("ttl %d, loop_wait %d, retry_timeout %d", dcs.TTL, dcs.LoopWait, dcs.Retry)
	}
	for name, want := range map[string]any{"synchronous_commit": "on", "wal_log_hints": "on", "synchronous_standby_names": "ANY 1 (node1,node2,node3)"} {
		if got := file.Bootstrap.DCS.PostgreSQL.Parameters[name]; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	checkPatroni(t, string(text))
}

// checkPatroni runs Debian's patroni --validate-config with the addresses of loopback.
func checkPatroni(t *testing.T, text string) {
	out, err := exec.Command("patroni", "--version").Output()
	if err != nil || !strings.Contains(string(out), "3.0.2") {
		t.Logf("Patroni 3.0.2 is not installed (%v, %s): it does not check the file", err, out)
		return
	}
	path := filepath.Join(t.TempDir(), "patroni.yml")
	local := strings.NewReplacer("10.0.0.", "127.10.0.")
	if err := os.WriteFile(path, []byte(local.Replace(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("patroni", "--validate-config", path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range environment(t, "ha/patroni.env", false, "s3cret") {
		cmd.Env = append(cmd.Env, name+"="+strings.NewReplacer("THIS_NAME", "node1", "THIS_ADDRESS", "127.10.0.11").Replace(value))
	}
	out, _ = cmd.CombinedOutput() // the status is not 0: no etcd runs here
	for line := range strings.Lines(string(out)) {
		if strings.TrimSpace(line) != "" && !strings.Contains(line, "is not reachable") && !strings.Contains(line, "is already in use") {
			t.Errorf("patroni --validate-config: %s", line)
		}
	}
}

// TestHANames checks that the files mean the same three machines, and hold no secret.
func TestHANames(t *testing.T) {
	files, err := filepath.Glob("ha/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`10\.0\.0\.\d+(/24)?`).FindAllString(string(text), -1) {
			if !regexp.MustCompile(`^10\.0\.0\.(10|11|12|13|0/24)$`).MatchString(found) {
				t.Errorf("%s names %s", path, found)
			}
		}
		for _, line := range regexp.MustCompile(`(?m)^\w+(PASSWORD|SECRET)=.*`).FindAllString(string(text), -1) {
			if !strings.HasSuffix(line, "=") {
				t.Errorf("%s holds a secret: %s", path, line)
			}
		}
	}
}

// TestHACompose checks that each machine of the Compose file has what the files of a machine say.
func TestHACompose(t *testing.T) {
	file, err := readCompose("ha/compose.yaml", environment(t, "compose.env", false, "s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range file.Services {
		if len(s.SecurityOpt) != 1 || s.SecurityOpt[0] != "no-new-privileges:true" {
			t.Errorf("%s may gain privileges", name)
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			_, isVolume := file.Volumes[source]
			if _, err := os.Stat(filepath.Join("ha", source)); err != nil && !isVolume {
				t.Errorf("%s mounts %s: %v", name, source, err)
			}
		}
	}
	for _, n := range []string{"1", "2", "3"} {
		node, address := "node"+n, "10.0.0.1"+n
		if got := file.Services[node].Networks["cluster"].Address; got != address {
			t.Errorf("%s has the address %s", node, got)
		}
		if inside := file.Services["etcd"+n].NetworkMode + file.Services["forge"+n].NetworkMode; inside != "service:"+node+"service:"+node {
			t.Errorf("what belongs to %s is in %s", node, inside)
		}
		for service, path := range map[string]string{node: "patroni.env", "etcd" + n: "etcd.env", "forge" + n: "forge.env"} {
			for name, want := range environment(t, filepath.Join("ha", path), false, "s3cret") {
				want = strings.NewReplacer("THIS_NAME", node, "THIS_ADDRESS", address, "PASSWORD", "s3cret").Replace(want)
				if got := file.Services[service].Environment[name]; got != want && name != "FORGE_ENV" { // the image has it
					t.Errorf("%s has %s=%s, and %s says %s", service, name, got, path, want)
				}
			}
		}
	}
}

// TestHAPage runs the commands of docs/scale.md that fill in the files of a machine.
func TestHAPage(t *testing.T) {
	page, err := os.ReadFile("../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, pattern := range []string{`(?m)^NAME=node1 .*`, `(?m)^fill\(\) .*`, `(?m)^(?:install .* && )?fill (\w+\.env) > /etc/.*`, `(?m)^sed (-e .*) > /etc/systemd/.*`} {
		found := regexp.MustCompile(pattern).FindAllString(string(page), -1)
		if found == nil {
			t.Errorf("the page has no %s", pattern)
		}
		for _, command := range found {
			command, _, _ = strings.Cut(command, " > /etc/")
			commands = append(commands, regexp.MustCompile(`^install .* && `).ReplaceAllString(command, ""))
		}
	}
	cmd := exec.Command("sh", "-euc", strings.Join(commands, "\n"))
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, line := range []string{"ETCD_NAME=node1", "PATRONI_NAME=node1", "ADDR=10.0.0.11:8080", "ExecStart=/usr/local/bin/forge serve", "After=network-online.target"} {
		if !strings.Contains(string(out), "\n"+line+"\n") {
			t.Errorf("no line is %s", line)
		}
	}
	if left := regexp.MustCompile(`(?m)^[^#\n]*(THIS_|forge-migrate).*`).Find(out); left != nil {
		t.Errorf("a file still has %s", left)
	}
}
