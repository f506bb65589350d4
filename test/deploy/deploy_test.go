// Package deploy tests the folder deploy, Dockerfile and compose.yaml. It reads the files and runs
// the commands that they name, without Docker and without systemd.
package deploy

import (
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

var buildDir string

// TestMain runs the tests in the folder deploy, whose files name each other relative to it.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		err := os.Chdir("../../deploy")
		if err != nil {
			panic(err)
		}
		if buildDir, err = os.MkdirTemp("", "forge-deploy-"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(buildDir)
		return m.Run()
	}())
}

// image carries out the Dockerfile, once for all tests. It builds the program with the Dockerfile's
// command from the files that .dockerignore does not exclude.
var image = sync.OnceValues(func() (*builtImage, error) {
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		return nil, err
	}
	stages := parseDockerfile(string(text))
	b := &builtImage{build: stages[0], final: stages[len(stages)-1], program: filepath.Join(buildDir, "forge")}
	context := filepath.Join(buildDir, "context")
	if err := copyContext("..", context); err != nil {
		return nil, err
	}
	var command string
	for _, run := range b.build.all("RUN") {
		if strings.Contains(run, "go build") {
			command = mount.ReplaceAllString(run, "")
		}
	}
	b.command = command
	cmd := exec.Command("sh", "-eu", "-c", strings.Replace(command, "-o /out/forge", "-o "+b.program, 1))
	cmd.Dir = context
	cmd.Env = append(os.Environ(), "VERSION=v1.2.3", "TARGETOS=linux", "TARGETARCH=")
	for name, value := range b.build.env() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	b.output, err = cmd.CombinedOutput()
	return b, err
})

type builtImage struct {
	build, final stage
	program      string // the path of the program
	command      string // the command that built the program
	output       []byte
}

var mount = regexp.MustCompile(`--mount=\S+\s+`)

func mustBuild(t *testing.T) *builtImage {
	t.Helper()
	b, err := image()
	if err != nil {
		if b != nil {
			t.Logf("%s\n%s", b.command, b.output)
		}
		t.Fatal(err)
	}
	return b
}

// copyContext copies the files that a build may see: all that .dockerignore does not name.
func copyContext(from, to string) error {
	text, err := os.ReadFile(filepath.Join(from, ".dockerignore"))
	if err != nil {
		return err
	}
	var patterns []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			patterns = append(patterns, line)
		}
	}
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		ignored := slices.ContainsFunc(patterns, func(p string) bool { return matches(p, filepath.ToSlash(rel)) })
		switch target := filepath.Join(to, rel); {
		case ignored && entry.IsDir():
			return filepath.SkipDir
		case ignored:
			return nil
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case !entry.Type().IsRegular():
			return nil
		default:
			return copyFile(name, target)
		}
	})
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// matches reports whether a pattern of .dockerignore names a file. A pattern begins at the root of
// the context. A pattern that begins with **/ applies in all folders.
func matches(pattern, name string) bool {
	if anywhere, ok := strings.CutPrefix(pattern, "**/"); ok {
		pattern, name = anywhere, path.Base(name)
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// TestDockerfile builds the program of the image, and checks it and the settings of the image.
func TestDockerfile(t *testing.T) {
	b := mustBuild(t)
	file, err := elf.Open(b.program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program needs a dynamic linker, and there is none in an empty image")
		}
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) != 0 {
		t.Errorf("the program needs %v (%v), want nothing", libraries, err)
	}
	version, err := exec.Command(b.program, "--version").Output()
	if err != nil || string(version) != "forge version v1.2.3\n" {
		t.Errorf("--version prints %q (%v), want the VERSION of the build", version, err)
	}
	pinned := regexp.MustCompile(`[a-z]+:[0-9]+\.[0-9]+\.[0-9]+-\w+@sha256:[0-9a-f]{64}`)
	if !pinned.MatchString(b.build.from) || b.final.from != "scratch" {
		t.Errorf("the bases are %q and %q, want one pinned by version and digest, and scratch", b.build.from, b.final.from)
	}
	goMod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if needs := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(goMod)); !strings.Contains(b.build.from, "golang:"+needs[1]+".") {
		t.Errorf("go.mod needs Go %s, and the base is %s", needs[1], b.build.from)
	}
	if copied := b.final.all("COPY"); !slices.Contains(copied, "--from=build /out/forge /forge") {
		t.Errorf("the image has %q, and nothing is at /forge", copied)
	}
	if user := b.final.all("USER"); len(user) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user[0]) {
		t.Errorf("USER is %q, want a number that is not root's", user)
	}
	if port := b.final.all("EXPOSE"); len(port) != 1 || !strings.HasSuffix(b.final.env()["ADDR"], ":"+port[0]) {
		t.Errorf("EXPOSE is %q, and ADDR %q", port, b.final.env()["ADDR"])
	}
	if got := b.final.exec("ENTRYPOINT"); !slices.Equal(got, []string{"/forge"}) {
		t.Errorf("ENTRYPOINT is %q", got)
	}
}

// TestSecretsStayOut checks that the files that operators create beside the sources do not get into
// the image or into the repository.
func TestSecretsStayOut(t *testing.T) {
	mustBuild(t)
	dir := t.TempDir()
	for _, name := range []string{".env", "forge.db", "forge.db-wal", "server.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFile("../.dockerignore", filepath.Join(dir, ".dockerignore")); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if err := copyContext(dir, to); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "server.go" && name != ".dockerignore" {
			t.Errorf("a build sees %s", name)
		}
	}
	ignored, err := os.ReadFile("../.gitignore")
	if err != nil || !slices.Contains(strings.Split(string(ignored), "\n"), "/.env") {
		t.Errorf("git does not ignore .env (%v)", err)
	}
}
