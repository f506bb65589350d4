// Package adopt tests the command adopt with databases that are unlike each other, and unlike the
// demo's.
package adopt

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"forge/internal/adopt"
	"forge/internal/migrator"
	"forge/test/dbtest"
)

// module is the module path of the tree that the tests are in, as a copy has its own.
var module = strings.TrimSuffix(reflect.TypeFor[adopt.Plan]().PkgPath(), "/internal/adopt")

// databases are the files with the SQL of the databases, without .sql.
var databases = []string{"music.sqlite", "music.postgres", "films.postgres", "shop.postgres"}

// mustCreate returns the address of a new database that a file of SQL has filled.
func mustCreate(t testing.TB, name string) (address string) {
	t.Helper()
	driver, source := "postgres", ""
	if strings.HasSuffix(name, "sqlite") {
		path := filepath.Join(t.TempDir(), "old.db")
		driver, source, address = "sqlite", "file:"+path, "sqlite:"+path
	} else {
		address = dbtest.EmptyPostgres(t)
		source = address
	}
	text, err := os.ReadFile(name + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(string(text)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return address
}

// taken are the names of a source tree with accounts.
var taken = adopt.Names{Types: []string{"User", "Session", "IdempotencyKey", "Webhook"}, Prefixes: []string{"user", "session", "key", "webhook"}}

func mustPlan(t testing.TB, o adopt.Options) *adopt.Plan {
	t.Helper()
	d, err := adopt.Inspect(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return adopt.Make(d, taken)
}

// TestEntities compares what is written for each database with what was read and found right.
// UPDATE_GOLDEN=1 writes it anew.
func TestEntities(t *testing.T) {
	t.Parallel()
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlan(t, adopt.Options{Address: mustCreate(t, name)})
			files, err := p.Files(module, "rule.Admins")
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			for _, n := range p.Notes {
				fmt.Fprintf(&b, "left out: %t: %s: %s\n", n.Left, n.Subject, n.Text)
			}
			for _, file := range slices.Sorted(maps.Keys(files)) {
				fmt.Fprintf(&b, "\n== %s\n%s", file, files[file])
			}
			mustBeGolden(t, filepath.Join("testdata", name+".golden"), b.Bytes())
		})
	}
}

func mustBeGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is written now:\n%s", path, got)
	}
}

// TestPage finds the Go code of docs/adopt.md among what is written for the music store, and the
// kinds of readers and the limit that it names.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/adopt.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/music.postgres.golden")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		for line := range strings.Lines(code) {
			if !bytes.Contains(golden, []byte(line)) {
				t.Errorf("the page has the line %q, which is not written", line)
			}
		}
	}
	words := []string{"`--schema ", "`--unindexed`", "`--dev-url`", fmt.Sprintf("at most %d tables", adopt.MaxTables), migrator.BaselineMark}
	for reader := range adopt.Readers {
		words = append(words, reader)
	}
	for _, word := range words {
		if !strings.Contains(string(page), word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	if len(blocks) != 2 {
		t.Errorf("the page has %d pieces of Go", len(blocks))
	}
}
