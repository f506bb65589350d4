// Package schemas tests the framework with applications that are made at random: their entities,
// their schemas, their rows, and the operations that are sent to them.
package schemas_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// seedVariable is the environment variable with the seeds to try: one, or two with a dash between
// them, of which the second is the last to try.
const seedVariable = "FORGE_SCHEMA_SEED"

// TestRandomSchemas makes schemas, and has the code generators make a program of them: one program
// for several schemas, as building it takes longer than all else. The program fills databases of
// both kinds, and compares how random operations are answered; see differ.Main.
//
// With FORGE_SCHEMA_SEED=n it makes only the schema of that seed, and with n-m those from n to m.
func TestRandomSchemas(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the generators and the compiler take long")
	}
	// These five have every form of edge, owners, and rows in between that some do not see.
	from, to, together := uint64(36), uint64(41), uint64(5)
	if os.Getenv("FORGE_SOAK") != "" {
		from, to, together = 100, 300, 20
	}
	if text := os.Getenv(seedVariable); text != "" {
		first, last, _ := strings.Cut(text, "-")
		from, to = parsed(t, first), parsed(t, cmp.Or(last, first))+1
		together = to - from
	}
	for first := from; first < to; first += together {
		t.Run(fmt.Sprintf("%s=%d-%d", seedVariable, first, first+together-1), func(t *testing.T) { try(t, first, first+together) })
	}
}

func parsed(t *testing.T, seed string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", seedVariable, err)
	}
	return n
}

// try builds and runs the program of the schemas from one seed to another.
func try(t *testing.T, from, to uint64) {
	var all []*thing
	for seed := from; seed < to; seed++ {
		all = append(all, makeSchema(seed, letters(seed-from))...)
	}
	// The folder is below the module, so that the program may import what is internal. Nothing but
	// this test looks into a folder of the name testdata.
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("testdata", "run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Getenv("FORGE_KEEP") == "" {
			os.RemoveAll(dir)
			os.Remove("testdata") // which fails as long as another run has a folder there
		}
	})
	for path, text := range program(all, "forge/test/schemas/"+filepath.ToSlash(dir)) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "go", "tool", "ent", "generate", "./ent/schema", "--feature", "privacy", "--template", "../../../../ent/template", "--target", "ent")
	run(t, dir, "go", "tool", "gqlgen", "generate")
	run(t, dir, "go", "build", "-o", "program", ".")
	run(t, dir, "./program", strconv.FormatUint(from, 10), dbtest.EmptySQLite(t), dbtest.EmptyPostgres(t))
}

// letters returns a different suffix for each number.
func letters(n uint64) string { return string(rune('A' + n%26)) }

// run runs a program in a folder. It fails the test with all that the program says if it fails.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	t.Logf("%s\n%s", cmd, out)
}
