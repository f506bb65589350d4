package dev_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"entgo.io/ent/dialect"

	"forge/internal/application"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/migrator"
	"forge/internal/migrator/dev"
	"forge/test/dbtest"
)

// searchable returns the schema of a guild in which columns of heroes are searched, and their
// changes logged.
func searchable(g *guild, columns ...string) dev.Schema {
	hero := &entity.Entity{Name: "Hero", Prefix: "hero", Table: "heroes", Search: columns, Logged: true, Keys: ids.Number,
		Fields: []entity.Field{{Name: "id", Column: "id", Refers: "Hero"}}, Visible: map[string]entity.Visibility{"wins": entity.ToAll}}
	for _, c := range append(columns, "wins") {
		hero.Fields = append(hero.Fields, entity.Field{Name: c, Column: c})
	}
	return dev.Schema{Tables: g.tables(), Objects: application.Objects([]*entity.Entity{hero})}
}

// TestObjectsBesideTables plans an index of words and a log of changes, through changes of what is
// searched, and through changes of the table on which SQLite has triggers. Verify runs each version
// up, down and up again. A row that was there from the start, and one that was changed since, must
// be found after each, and each change must be logged.
func TestObjectsBesideTables(t *testing.T) {
	t.Parallel()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	plain, renamed := newGuild(), newGuild()
	wider := newGuild()
	wider.heroes.Annotation.Checks["heroes_state_known"] = "state IN ('IDLE', 'BUSY', 'AWAY')"
	renamed.heroes.Annotation.Checks["heroes_state_known"] = "state IN ('IDLE', 'BUSY', 'AWAY')"
	column(renamed.heroes, "motto").Name = "slogan"
	steps := []struct {
		name    string
		want    dev.Schema
		answers dev.Answers
		finds   string // a word of the row that is searched from then on; "" if none is
	}{
		{"init", dev.Schema{Tables: plain.tables()}, dev.Answers{}, ""},
		{"search_mottos", searchable(plain, "motto"), dev.Answers{}, "onwards"},
		{"search_names", searchable(plain, "name", "motto"), dev.Answers{}, "sam"},
		{"widen_state", searchable(wider, "name", "motto"), dev.Answers{}, "sam"},
		{"rename_motto", searchable(renamed, "name", "slogan"), dev.Answers{Renames: []string{"heroes.motto:slogan"}}, "onwards"},
		{"no_search", dev.Schema{Tables: renamed.tables()}, dev.Answers{}, ""},
	}
	for _, step := range steps {
		planned, err := dev.Diff(t.Context(), dir, step.name, devURL, step.want, step.answers)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if len(planned.Paths) == 0 {
			t.Fatalf("%s: there is nothing to do", step.name)
		}
		if again, err := dev.Diff(t.Context(), dir, "again", devURL, step.want, dev.Answers{}); err != nil || again.Paths != nil {
			t.Fatalf("after %s: %v, %v", step.name, again.Paths, err)
		}
		for _, f := range planned.Hints {
			if f.Rule == "drop-table" || f.Rule == "delete-rows" || f.Rule == "update-all-rows" {
				t.Errorf("%s: %s", step.name, f)
			}
		}
	}
	verdicts, err := dev.Verify(t.Context(), dir, devURL, steps[len(steps)-1].want)
	if err != nil {
		t.Fatal(err)
	}
	wantNone(t, verdicts)
	if verdicts, err = dev.Verify(t.Context(), dir, devURL, steps[3].want); err != nil || !strings.Contains(fmt.Sprint(verdicts), "-- the parts forge_search_heroes_") {
		t.Errorf("an index of words that is missing: %v, %v", verdicts, err)
	}

	eachEmpty(t, func(t *testing.T, db database) {
		log := slog.New(slog.DiscardHandler)
		for i := range steps {
			src := db.source(t, dir, i+1)
			if err := src.Up(t.Context(), db.DB, log); err != nil {
				t.Fatal(err)
			}
			switch i {
			case 0:
				db.values(t, "INSERT INTO heroes (id, name, motto, wins) VALUES (1, 'Sam', 'Onwards', 0) RETURNING id")
			default:
				db.values(t, "UPDATE heroes SET wins = wins + 1, name = name RETURNING id")
			}
			if got, want := db.logged(t), fmt.Sprintf("%d 1 hero 2", i); steps[i].finds != "" && got != want {
				t.Errorf("after %s, %q is logged, want %q", steps[i].name, got, want)
			}
			if got := db.searches(t, steps[i].finds); steps[i].finds != "" && got != "1" {
				t.Errorf("after %s, %q finds %q", steps[i].name, steps[i].finds, got)
			}
			if err := src.Check(t.Context(), db.DB); err != nil {
				t.Errorf("after %s: %v", steps[i].name, err)
			}
			if i == 2 {
				db.values(t, map[string]string{dialect.SQLite: "DROP TRIGGER " + db.part(t, "_update"), dialect.Postgres: "DROP INDEX " + db.part(t, "")}[db.Dialect])
				if err := src.Check(t.Context(), db.DB); err == nil || !strings.Contains(err.Error(), "forge_search_heroes") {
					t.Errorf("without a part of the index, the check says %v", err)
				}
				if err := src.Down(t.Context(), db.DB, 1, false, migrator.LockTimeout, log); err == nil {
					t.Error("a schema that was changed by hand is taken down")
				}
				restore(t, db, dir, steps[i].name)
			}
		}
		src := db.source(t, dir, len(steps))
		if err := src.Down(t.Context(), db.DB, len(steps)-2, false, migrator.LockTimeout, log); err != nil {
			t.Fatalf("no data is lost with an index of words: %v", err)
		}
		if got := db.searches(t, "onwards"); got != "1" {
			t.Errorf("after all is undone but the first index, a search finds %q", got)
		}
	})
}

// source returns the first n versions.
func (db database) source(t *testing.T, dir string, n int) migrator.Source {
	t.Helper()
	files := fstest.MapFS{}
	for name, f := range db.files(t, dir, n).(fstest.MapFS) {
		files[dirs[db.Dialect]+"/"+name] = f
	}
	return migrator.New(files, db.Dialect)
}

// part returns the name of the part of an object whose name ends so.
func (db database) part(t *testing.T, end string) string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE name GLOB 'forge_search_heroes_????????????" + end + "'"
	if db.Dialect == dialect.Postgres {
		query = "SELECT relname FROM pg_class WHERE relname LIKE 'forge_search_heroes_%'"
	}
	return db.values(t, query)
}

// logged returns how many changes are in the log, and the last: the key, the type and the operation.
func (db database) logged(t *testing.T) string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE name GLOB 'forge_changes_????????????'"
	if db.Dialect == dialect.Postgres {
		query = "SELECT relname FROM pg_class WHERE relname ~ '^forge_changes_.{12}$'"
	}
	if name := db.values(t, query); name != "" {
		return db.values(t, "SELECT (SELECT count(*) FROM "+name+") || ' ' || key || ' ' || type || ' ' || op FROM "+name+" ORDER BY seq DESC LIMIT 1")
	}
	return ""
}

// searches returns the keys of the heroes that a search for a word finds.
func (db database) searches(t *testing.T, word string) string {
	t.Helper()
	if word == "" {
		return ""
	}
	if db.Dialect == dialect.SQLite {
		name := db.part(t, "")
		return db.values(t, fmt.Sprintf("SELECT key FROM %s JOIN %[1]s_keys ON number = %[1]s.rowid WHERE %[1]s MATCH '%s'", name, word))
	}
	definition := db.values(t, "SELECT substr(pg_get_expr(indexprs, indrelid), 1) FROM pg_index WHERE indexrelid = '"+db.part(t, "")+"'::regclass")
	return db.values(t, fmt.Sprintf("SELECT id FROM heroes WHERE %s @@ '%s'::tsquery", definition, word))
}

// restore creates again what the test has dropped.
func restore(t *testing.T, db database, dir, step string) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, dirs[db.Dialect], "*_"+step+".sql"))
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	script, err := migrator.ParseScript(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range script.Up {
		if strings.HasPrefix(s.Text, "CREATE INDEX") || strings.Contains(s.Text, "_update AFTER") {
			db.values(t, s.Text)
		}
	}
}
