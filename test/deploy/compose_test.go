package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeFile holds those parts of compose.yaml that the tests use.
type composeFile struct {
	Name     string
	Services map[string]*composeService
	Volumes  map[string]any
	Networks map[string]any
}

type composeService struct {
	Image       string
	Build       any
	Command     []string
	Environment map[string]string
	Volumes     []string
	Ports       []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct {
		Test        []string
		Disable     bool
		Interval    string
		Timeout     string
		Retries     int
		StartPeriod string `yaml:"start_period"`
	}
	Restart         string
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	ShmSize         string   `yaml:"shm_size"`
	MemLimit        string   `yaml:"mem_limit"`
	PidsLimit       int      `yaml:"pids_limit"`
	User            string
	Profiles        []string
	NetworkMode     string `yaml:"network_mode"`
	Networks        map[string]struct {
		Address string `yaml:"ipv4_address"`
	}
}

// readCompose reads a Compose file, with the values of env for ${…}. A key that composeFile does
// not have is an error: the tests then know everything in the file.
func readCompose(path string, env map[string]string) (*composeFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var missing error
	filled := os.Expand(strings.ReplaceAll(string(text), "$$", "${:-$}"), func(expression string) string {
		name, otherwise, hasDefault := strings.Cut(expression, ":-")
		name, message, required := strings.Cut(name, ":?")
		switch value := env[name]; {
		case value != "":
			return value
		case hasDefault:
			return otherwise
		case required:
			missing = fmt.Errorf("%s is missing: %s", name, message)
		}
		return ""
	})
	if missing != nil {
		return nil, missing
	}
	decoder := yaml.NewDecoder(strings.NewReader(filled))
	decoder.KnownFields(true)
	var file composeFile
	return &file, decoder.Decode(&file)
}

// environment reads a file of variables as operators fill it in. Variables without a value get the
// value fill. If uncomment is true, variables in comments count as well.
func environment(t *testing.T, path string, uncomment bool, fill string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if uncomment && regexp.MustCompile(`^# [A-Z_]+=`).MatchString(line) {
			line = line[2:]
		}
		if name, value, ok := strings.Cut(line, "="); ok && line[0] != '#' {
			if value == "" {
				value = fill
			}
			if value == fill && name == "AUTH_SECRET" {
				value = strings.Repeat(fill, 8) // at least 32 bytes
			}
			env[name] = value
		}
	}
	return env
}

func mustReadCompose(t *testing.T, env map[string]string) *composeFile {
	t.Helper()
	file, err := readCompose("../compose.yaml", env)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestComposeHardening checks settings that have no effect on the other tests, which run without
// Docker.
func TestComposeHardening(t *testing.T) {
	file := mustReadCompose(t, environment(t, "compose.env", false, "s3cret"))
	for name, s := range file.Services {
		if len(s.SecurityOpt) != 1 || s.SecurityOpt[0] != "no-new-privileges:true" {
			t.Errorf("%s may gain privileges", name)
		}
		if s.Build == nil && !regexp.MustCompile(`:\d+\.\d+-\w+@sha256:[0-9a-f]{64}$`).MatchString(s.Image) {
			t.Errorf("%s has the image %s, want one pinned by version and digest", name, s.Image)
		}
		if s.Build != nil && (!s.ReadOnly || len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL") {
			t.Errorf("%s may write files, or has capabilities", name)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s can be reached from other machines: %s", name, port)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			_, isVolume := file.Volumes[source]
			if _, err := os.Stat(filepath.Join("..", source)); err != nil && !isVolume {
				t.Errorf("%s mounts %s: %v", name, source, err)
			}
		}
	}
}

// TestComposeSecrets checks that no password has a default, and that authentication is on by
// default.
func TestComposeSecrets(t *testing.T) {
	if _, err := readCompose("../compose.yaml", nil); err == nil || !strings.Contains(err.Error(), "deploy/compose.env") {
		t.Errorf("without passwords: %v", err)
	}
	env := environment(t, "compose.env", false, "s3cret")
	delete(env, "AUTH_SECRET")
	if _, err := readCompose("../compose.yaml", env); err == nil || !strings.Contains(err.Error(), "AUTH_SECRET") {
		t.Errorf("without a secret for tokens: %v", err)
	}
	file := mustReadCompose(t, environment(t, "compose.env", false, "s3cret"))
	if env := file.Services["forge"].Environment; env["AUTH"] != "on" || env["AUTH_OFF_ANYWHERE"] != "no" {
		t.Errorf("by default: AUTH=%s AUTH_OFF_ANYWHERE=%s", env["AUTH"], env["AUTH_OFF_ANYWHERE"])
	}
}

// TestComposeProvider uncomments the variables that name a provider: all of them reach the server.
func TestComposeProvider(t *testing.T) {
	env := environment(t, "compose.env", true, "s3cret")
	got := mustReadCompose(t, env).Services["forge"].Environment
	for _, name := range []string{"AUTH_SECRET", "AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE"} {
		if got[name] == "" || got[name] != env[name] {
			t.Errorf("%s is %q in the container, and %q outside", name, got[name], env[name])
		}
	}
}
