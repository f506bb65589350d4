package adopt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/internal/adopt"
	"forge/internal/entity"
	"forge/internal/migrator/catalog"
	"forge/internal/usage"
)

// TestRefusedDatabases has addresses and names that nothing can be made of.
func TestRefusedDatabases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, statements string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(statements); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path
	}
	var many strings.Builder
	for i := range adopt.MaxTables + 1 {
		fmt.Fprintf(&many, "CREATE TABLE t%d (id integer PRIMARY KEY);", i)
	}
	music, large := mustCreate(t, "music.sqlite"), file("many.db", many.String())
	if err := os.WriteFile(filepath.Join(dir, "text.db"), []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		options adopt.Options
		want    string
	}{
		{"no address", adopt.Options{Address: "mysql://db"}, "allowed: postgres://"},
		{"no file", adopt.Options{Address: "sqlite:" + filepath.Join(dir, "none.db")}, "there is no such file"},
		{"a folder", adopt.Options{Address: "sqlite:" + dir}, "it is no file"},
		{"a text", adopt.Options{Address: "sqlite:" + filepath.Join(dir, "text.db")}, "cannot read"},
		{"no server", adopt.Options{Address: "postgres://u:geheim@127.0.0.1:1/db"}, "cannot read"},
		{"no tables", adopt.Options{Address: file("empty.db", "CREATE VIEW v AS SELECT 1")}, "has no tables"},
		{"another table", adopt.Options{Address: music, Tables: []string{"Album", "Abum"}}, "has no table Abum"},
		{"many tables", adopt.Options{Address: large}, "has 301 tables; at most 300"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := adopt.Inspect(context.Background(), tt.options)
			if _, ok := errors.AsType[*usage.Error](err); !ok || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("got %v, want a mistake that says %q", err, tt.want)
			}
		})
	}
	if d, err := adopt.Inspect(context.Background(), adopt.Options{Address: large, Tables: []string{"t7"}}); err != nil || len(d.Tables) != 1 {
		t.Errorf("one of many tables: %v, %v", d, err)
	}
}

// TestRefusedTrees has source trees that take no database. Nothing in them changes.
func TestRefusedTrees(t *testing.T) {
	address := mustCreate(t, "music.sqlite")
	const file = "package schema\n\nimport \"entgo.io/ent\"\n\ntype Track struct{ ent.Schema }\n"
	for _, tt := range []struct {
		name, baseline string
		options        adopt.Options
		entities       []*entity.Entity
		sdl, want      string
	}{
		{"an entity of the same name", "", adopt.Options{}, []*entity.Entity{{Name: "Track", Table: "tracks"}}, "", "entities of the same names: Track"},
		{"a table of the same name", "", adopt.Options{}, []*entity.Entity{{Name: "Song", Table: "track"}}, "", "entities of the same names: Song"},
		{"adopted before", "-- forge:baseline\n", adopt.Options{}, nil, "", "adopted already"},
		{"readers", "", adopt.Options{Readers: "friends"}, nil, "", "allowed: administrators, signed-in, everyone"},
		{"a schema that is none", "", adopt.Options{}, nil, "type {", "schema.graphqls cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			mustWrite(t, "ent/schema/track.go", file)
			mustWrite(t, "migrate/postgres/20260101000000_init.sql", tt.baseline+"-- +goose Up\n")
			tt.options.Address = address
			tree := adopt.Tree{Module: "forge", SDL: tt.sdl, Entities: tt.entities, Generate: func(context.Context, []string) error { return errors.New("generated") }}
			err := adopt.Run(t.Context(), tt.options, tree, io.Discard)
			if _, ok := errors.AsType[*usage.Error](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a mistake that says %q", err, tt.want)
			}
			if found, err := filepath.Glob("*/*/*"); err != nil || len(found) != 2 {
				t.Errorf("the tree has %v, %v", found, err)
			}
		})
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNothingChanges compares the schema and the rows of databases before and after.
func TestNothingChanges(t *testing.T) {
	t.Parallel()
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := mustCreate(t, name)
			before := mustDump(t, address)
			mustPlan(t, adopt.Options{Address: address})
			if after := mustDump(t, address); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// mustDump returns the file of SQLite with what is beside it, or the schemas and the rows of
// PostgreSQL.
func mustDump(t *testing.T, address string) string {
	t.Helper()
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		text, err := os.ReadFile(path)
		beside, err2 := filepath.Glob(path + "*")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return strings.Join(beside, " ") + string(text)
	}
	db, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lines, err := catalog.DescribeAll(t.Context(), db, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	const rows = `SELECT table_schema || '.' || table_name || ': ' || query_to_xml(format('SELECT * FROM %I.%I t ORDER BY t::text', table_schema, table_name), true, false, '')::text
FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`
	found, err := db.Query(rows)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var line string
		if err := found.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
