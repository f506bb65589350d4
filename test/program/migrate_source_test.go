//go:build source

package program

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	entmigrate "forge/ent/migrate"
	"forge/test/dbtest"
)

// mustEnterTree changes to a directory that has only the migrations of the source tree.
func mustEnterTree(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"postgres", "sqlite"} {
		if err := os.CopyFS(filepath.Join(dir, "migrate", d), os.DirFS(root+"migrate/"+d)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

func mustWriteStep(t *testing.T, text string) {
	t.Helper()
	for _, d := range []string{"postgres", "sqlite"} {
		if err := os.WriteFile(filepath.Join("migrate", d, "20990101000000_step.sql"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlanCommands(t *testing.T) {
	mustEnterTree(t)
	devURL := "--dev-url=" + dbtest.EmptyPostgres(t)
	steps := []struct {
		file  string // the files of the new version before the command
		words []string
		code  int
		want  []string // in the output
	}{
		{"", []string{"migrate", "diff", "more", devURL}, 0, []string{"has not changed: nothing to write"}},
		{"", []string{"migrate", "diff", "more", devURL, "--rename", "users.nickname:handle"}, 2, []string{"--rename users.nickname:handle", "nothing", "no table or column is gone"}},
		{"", []string{"migrate", "diff", "more", devURL, "--drop=teams"}, 2, []string{"--drop teams", "nothing"}},
		{"", []string{"migrate", "diff", "More"}, 2, []string{`"More"`, "small letters"}},
		{"", []string{"migrate", "hash"}, 0, []string{"nothing to write"}},
		{"", []string{"migrate", "lint", devURL}, 0, []string{"no findings in"}},
		{"", []string{"migrate", "verify", devURL}, 0, []string{"_init.sql: ok", "all files together give what ent/schema says"}},
		{"", []string{"migrate", "lint", devURL, "--since=1"}, 2, []string{`--since="1"`, "_init"}},
		{"-- +goose Up\nDROP TABLE idempotency_keys;\n", []string{"migrate", "lint", devURL}, 1,
			[]string{filepath.Join("migrate", "sqlite", "20990101000000_step.sql:2: drop-table idempotency_keys"), "why:", "safe:", "2 findings in", "lint:allow"}},
		{"", []string{"migrate", "lint", devURL, "--since=20990101000000"}, 0, []string{"no findings in 0 files"}},
		{"", []string{"migrate", "diff", "more", devURL}, 1, []string{"20990101000000_step.sql was added", "migrate hash"}},
		{"", []string{"migrate", "hash"}, 0, []string{filepath.Join("migrate", "postgres", "atlas.sum"), filepath.Join("migrate", "sqlite", "atlas.sum")}},
		{"", []string{"migrate", "diff", "more", devURL}, 0, []string{filepath.Join("migrate", "postgres"), "_more.sql"}},
		{"-- +goose Up\n-- lint:allow drop-table idempotency_keys it only holds answers\nDROP TABLE idempotency_keys;\n",
			[]string{"migrate", "lint", devURL}, 0, []string{"no findings in"}},
		{"", []string{"migrate", "verify", devURL}, 1, []string{filepath.Join("migrate", "sqlite", "20990101000000_step.sql: down does not restore the schema"),
			filepath.Join("migrate", "postgres", "20990101000000_step.sql: down does not restore the schema"), "missing: table idempotency_keys", "wrong with the migrations"}},
		{"-- +goose Up\nCREATE TABLE more (id integer);\n-- +goose Down\nDROP TABLE more;\n", []string{"migrate", "verify", devURL}, 1,
			[]string{filepath.Join("migrate", "sqlite", "20990101000000_step.sql: ok, up, down and up with"), "_more.sql: up fails", "already exists"}},
		{"", []string{"migrate", "begin", devURL}, 2, []string{"git does not have", "--yes"}},
		{"", []string{"migrate", "begin", devURL, "--yes"}, 0, []string{"removed " + filepath.Join("migrate", "sqlite", "20990101000000_step.sql"), "_init.sql", "INSERT INTO"}},
		{"", []string{"migrate", "diff", "more", devURL}, 0, []string{"has not changed: nothing to write"}},
		{"", []string{"migrate", "fold", "more", devURL}, 2, []string{"nothing to fold"}},
		{"", []string{"migrate", "fold"}, 2, []string{"needs a name"}},
		{"", []string{"new", "../shop", "--module=example.com/shop"}, 2, []string{"no go.mod here"}},
		{"", []string{"dev"}, 2, []string{"no go.mod here"}},
		{"", []string{"dev", "--env=production"}, 2, []string{"not allowed with --env=production"}},
	}
	for _, step := range steps {
		if step.file != "" {
			mustWriteStep(t, step.file)
		}
		code, stdout, stderr := do(t, step.words...)
		if code != step.code {
			t.Errorf("%v: exit status %d, want %d: %s", step.words, code, step.code, stderr)
		}
		for _, want := range step.want {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("%v: %q is missing from\n%s%s", step.words, want, stdout, stderr)
			}
		}
	}
}

// TestPlanWithoutPostgres runs diff without a PostgreSQL that starts. The command must say what to
// do, and write nothing.
func TestPlanWithoutPostgres(t *testing.T) {
	mustEnterTree(t)
	bin := t.TempDir()
	for _, name := range []string{"initdb", "postgres", "pg_ctl"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho broken >&2\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The account of the server must be able to enter it.
	for dir := bin; len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			break
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("DEV_DATABASE_URL", "")
	mustWriteStep(t, "-- +goose Up\nCREATE TABLE more (id integer);\n")
	if code, _, stderr := do(t, "migrate", "hash"); code != 0 {
		t.Fatal(stderr)
	}
	before, err := filepath.Glob("migrate/*/*")
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := do(t, "migrate", "diff", "less")
	if code != 1 || !strings.Contains(stderr, "set DEV_DATABASE_URL") || !strings.Contains(stderr, "install") {
		t.Errorf("exit status %d, want 1 and what to do: %s", code, stderr)
	}
	if code, _, stderr := do(t, "migrate", "verify"); code != 1 || !strings.Contains(stderr, "migrate verify needs a PostgreSQL") ||
		!strings.Contains(stderr, "set DEV_DATABASE_URL") || strings.Contains(stderr, "plan") {
		t.Errorf("verify: exit status %d, want 1 and what to do: %s", code, stderr)
	}
	if after, _ := filepath.Glob("migrate/*/*"); len(after) != len(before) {
		t.Errorf("diff wrote: %v, before %v", after, before)
	}
}

// TestMigrateExamples checks that what an example renames, drops or acknowledges is in a table, or
// added by its page. The help of the framework names no table.
func TestMigrateExamples(t *testing.T) {
	t.Parallel()
	columns := map[string]bool{}
	for _, table := range entmigrate.Tables {
		for _, c := range table.Columns {
			columns[table.Name+"."+c.Name] = true
		}
	}
	text, err := os.ReadFile(root + "docs/migrations.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?:--rename|--drop|:allow [a-z-]+) (\w+\.(\w+))`).FindAllSubmatch(text, -1)
	if len(examples) < 5 {
		t.Errorf("the page has %d examples, want more", len(examples))
	}
	for _, example := range examples {
		added := regexp.MustCompile(`ADD (COLUMN|CONSTRAINT) ` + string(example[2]) + `\b`)
		if !columns[string(example[1])] && !added.Match(text) {
			t.Errorf("%s: there is no %s", example[0], example[1])
		}
	}
	_, help, _ := do(t, "migrate", "diff", "--help")
	if named := regexp.MustCompile(`[a-z_]+\.[a-z_]+:[a-z_]+`).FindString(help); named != "" {
		t.Errorf("the help has an example of %s", named)
	}
}
