//go:build unix

package devloop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"forge/internal/usage"
)

// program is an application that is small enough to be built in a moment. A comment "%s" stands for
// what the test changes.
const program = `package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const says = "%s"

func main() {
	switch os.Args[1] {
	case "check":
		if says == "unfit" {
			fmt.Println("it does not fit")
			os.Exit(1)
		}
	case "migrate":
		fmt.Println(os.Args[2:])
		if os.Args[2] == "diff" && says == "stuck" {
			_ = os.WriteFile("migrate/sqlite/2_dev.sql", nil, 0o644)
		}
		if os.Args[2] == "up" && says == "stuck" {
			fmt.Println("the rows do not allow it")
			os.Exit(1)
		}
	case "serve":
		fmt.Println("pid", os.Getpid(), "says", says)
		fmt.Println("Ctrl+C ends it.")
		if says == "crash" {
			os.Exit(3)
		}
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM)
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); end <- nil }()
		<-end
	}
}
`

// tree is a source tree that a test changes.
type tree struct {
	t   *testing.T
	dir string
	out *output
}

// output is what the loop prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func newTree(t *testing.T) *tree {
	tr := &tree{t, t.TempDir(), new(output)}
	for name, text := range map[string]string{
		"go.mod": "module example.com/a\n\ngo 1.26\n", "schema.graphqls": "", "gqlgen.yml": "", "ent/schema/a.go": "package schema\n",
		"ent/generate.go":         "package ent\n\n//go:generate touch generated\n",
		"internal/gqlgen/main.go": "package main\n\nfunc main() {}\n", "migrate/sqlite/1_init.sql": "", "migrate/sqlite/atlas.sum": "one",
	} {
		tr.save(name, text)
	}
	tr.says("one")
	return tr
}

// save replaces a file as editors do: by another one.
func (tr *tree) save(name, text string) {
	tr.t.Helper()
	path := filepath.Join(tr.dir, name)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path+"~", []byte(text), 0o644), os.Rename(path+"~", path))
	if err != nil {
		tr.t.Fatal(err)
	}
}

// says changes the program.
func (tr *tree) says(text string) { tr.save("main.go", fmt.Sprintf(program, text)) }

// await waits for a text that is printed after the ones that were awaited before.
func (tr *tree) await(seen *int, text string) string {
	tr.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		printed := tr.out.text()
		if i := strings.Index(printed[*seen:], text); i >= 0 {
			found := printed[*seen : *seen+i+len(text)]
			*seen += i + len(text)
			return found
		}
	}
	tr.t.Fatalf("%q was not printed, but\n%s", text, tr.out.text())
	return ""
}

// TestRun changes a program, breaks it in several ways, and mends it.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program several times")
	}
	t.Parallel()
	tr := newTree(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Root: tr.dir, Environ: os.Environ(), Out: tr.out, In: os.Stdin, DevURL: "postgres://127.0.0.1:1/none"})
	}()
	seen := 0
	tr.await(&seen, "says one")
	tr.await(&seen, "ready after")
	if _, err := os.Stat(filepath.Join(tr.dir, "ent/generated")); err != nil {
		t.Errorf("ent was not run: %v", err)
	}
	for _, step := range []struct{ says, want string }{
		{`"`, "the last good build goes on"},
		{"two", "says two"},
		{"unfit", "it does not fit"},
		{"three", "says three"},
	} {
		tr.says(step.says)
		tr.await(&seen, step.want)
	}
	tr.await(&seen, "ready after")
	// A migration that cannot be applied is taken back.
	tr.says("stuck")
	tr.save("ent/schema/a.go", "package schema\n\nconst a = 1\n")
	tr.await(&seen, "the rows do not allow it")
	tr.await(&seen, "goes on serving")
	if _, err := os.Stat(filepath.Join(tr.dir, "migrate/sqlite/2_dev.sql")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the migration that cannot be applied is there: %v", err)
	}
	tr.says("crash")
	tr.await(&seen, "the server has ended")
	tr.says("four")
	last := tr.await(&seen, "says four")
	tr.await(&seen, "ready after")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	var pid int
	if _, err := fmt.Sscanf(regexp.MustCompile(`pid \d+ says four`).FindString(last), "pid %d", &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the server has not ended with the loop: %v", err)
	}
}

// TestElsewhere asks for a loop outside of a source tree.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	err := Run(t.Context(), Options{Root: t.TempDir()})
	var mistake *usage.Error
	if !errors.As(err, &mistake) || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("Run: %v, want a mistake that says what is missing", err)
	}
}

// TestPrints checks which steps a changed file belongs to.
func TestPrints(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := &loop{Options: Options{Root: tr.dir}}
	for name, want := range map[string]string{
		"ent/schema/a.go": "entities program", "ent/a.go": "program", "schema.graphqls": "contract program", "gqlgen.yml": "contract",
		"migrate/sqlite/1_init.sql": "migration", "main_test.go": "", "README.md": "", "docs/a.go": "", "go.mod": "program", "seed/new/a.go": "program",
	} {
		before, err := l.prints()
		if err != nil {
			t.Fatal(err)
		}
		tr.save(name, "// another\n")
		after, err := l.prints()
		if err != nil {
			t.Fatal(err)
		}
		var changed []string
		for step, is := range map[string]bool{"entities": before.entities != after.entities, "contract": before.contract != after.contract,
			"migration": before.migration != after.migration} {
			if is {
				changed = append(changed, step)
			}
		}
		if before.program != after.program {
			changed = append(changed, "program")
		}
		if got := strings.Join(changed, " "); got != want {
			t.Errorf("%s: changed for %q, want %q", name, got, want)
		}
	}
}
