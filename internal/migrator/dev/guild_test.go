package dev_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	atlasschema "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"

	"forge/internal/migrator/dev"
	"forge/internal/schema"
	"forge/test/dbtest"
)

// A guild is a small schema with everything that makes a change hard: tables that refer to each
// other and to themselves, checks, and partial indexes.
type guild struct{ teams, heroes, logs *schema.Table }

func newGuild() *guild {
	id := func() *schema.Column { return &schema.Column{Name: "id", Type: field.TypeInt64, Increment: false} }
	text := func(name string, null bool) *schema.Column {
		return &schema.Column{Name: name, Type: field.TypeString, Size: 100, Nullable: null}
	}
	teams := &schema.Table{Name: "teams", Columns: []*schema.Column{id(), text("name", false)},
		Annotation: &entsql.Annotation{Checks: map[string]string{"teams_name_length": "length(name) BETWEEN 1 AND 100"}}}
	heroes := &schema.Table{Name: "heroes",
		Columns: []*schema.Column{
			id(), text("name", false), text("nickname", true), {Name: "age", Type: field.TypeInt32, Nullable: true},
			{Name: "state", Type: field.TypeString, Default: "IDLE"}, {Name: "power", Type: field.TypeString, Nullable: true},
			{Name: "team_id", Type: field.TypeInt64, Nullable: true}, {Name: "leader_id", Type: field.TypeInt64, Nullable: true},
			text("motto", false), {Name: "wins", Type: field.TypeInt32},
		},
		Annotation: &entsql.Annotation{Checks: map[string]string{
			"heroes_nickname_length": "length(nickname) BETWEEN 1 AND 100",
			"heroes_state_known":     "state IN ('IDLE', 'BUSY')",
		}}}
	logs := &schema.Table{Name: "logs", Columns: []*schema.Column{id(), {Name: "hero_id", Type: field.TypeInt64}}}
	for _, t := range []*schema.Table{teams, heroes, logs} {
		t.PrimaryKey = t.Columns[:1]
	}
	g := &guild{teams, heroes, logs}
	g.refer(heroes, "team_id", teams, "heroes_teams_heroes", schema.SetNull)
	g.refer(heroes, "leader_id", heroes, "heroes_heroes_followers", schema.SetNull)
	g.refer(logs, "hero_id", heroes, "logs_heroes_logs", schema.Cascade)
	g.index(heroes, "hero_nickname", true, "nickname IS NOT NULL", "nickname")
	g.index(heroes, "hero_team_id_id", false, "", "team_id", "id")
	g.index(logs, "log_hero_id", false, "", "hero_id")
	return g
}

func (g *guild) tables() tables { return tables{g.teams, g.heroes, g.logs} }

func (g *guild) refer(from *schema.Table, name string, to *schema.Table, symbol string, action schema.ReferenceOption) {
	from.ForeignKeys = append(from.ForeignKeys, &schema.ForeignKey{Symbol: symbol, Columns: []*schema.Column{column(from, name)},
		RefTable: to, RefColumns: to.PrimaryKey, OnDelete: action})
}

func (g *guild) index(t *schema.Table, name string, unique bool, where string, columns ...string) {
	i := &schema.Index{Name: name, Unique: unique}
	for _, c := range columns {
		i.Columns = append(i.Columns, column(t, c))
	}
	if where != "" {
		i.Annotation = &entsql.IndexAnnotation{Where: where}
	}
	t.Indexes = append(t.Indexes, i)
}

func column(t *schema.Table, name string) *schema.Column {
	i := slices.IndexFunc(t.Columns, func(c *schema.Column) bool { return c.Name == name })
	return t.Columns[i]
}

func (g *guild) hero(name string) *schema.Column { return column(g.heroes, name) }

func (g *guild) check(name, condition string) { g.heroes.Annotation.Checks[name] = condition }

func (g *guild) drop(t *schema.Table, name string) {
	t.Columns = slices.DeleteFunc(t.Columns, func(c *schema.Column) bool { return c.Name == name })
}

// guildRows inserts rows before a change.
var guildRows = []string{
	"INSERT INTO teams (id, name) VALUES (1, 'Dawn'), (2, 'Dusk')",
	`INSERT INTO heroes (id, name, nickname, age, state, power, team_id, leader_id, motto, wins) VALUES
		(1, 'Ivory', 'Iv', 40, 'IDLE', '7', 1, NULL, 'On', 3), (2, 'Condor', NULL, NULL, 'BUSY', '12', 1, 1, 'Off', 0), (3, 'Lynx', NULL, 2, 'IDLE', NULL, NULL, 1, 'Up', 9)`,
	"INSERT INTO logs (id, hero_id) VALUES (1, 1), (2, 1), (3, 3)",
}

func mustMakeDirs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range dirs {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustPlan writes one version that makes the guild and another one for the change.
func mustPlan(t *testing.T, change func(*guild), answers dev.Answers) (dir string, planned dev.Planned) {
	t.Helper()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	mustDiff(t, dir, "init", devURL, newGuild().tables())
	after := newGuild()
	change(after)
	planned, err := dev.Diff(t.Context(), dir, "change", devURL, after.tables().wanted(), answers)
	if err != nil {
		t.Fatal(err)
	}
	if len(planned.Paths) == 0 {
		t.Fatal("Diff finds no change")
	}
	if again := mustDiff(t, dir, "again", devURL, after.tables()); len(again) > 0 {
		text, _ := os.ReadFile(again[0])
		t.Errorf("the files do not give what was planned: a second Diff wrote\n%s", text)
	}
	return dir, planned
}

// files returns the first n versions for the database's dialect.
func (db database) files(t *testing.T, dir string, n int) fs.FS {
	t.Helper()
	path := filepath.Join(dir, dirs[db.Dialect])
	names, err := fs.Glob(os.DirFS(path), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range names[:n] {
		text, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	return files
}

// values returns the only column that a query selects, as one text.
func (db database) values(t *testing.T, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var v any
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		all = append(all, fmt.Sprint(v))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// changes lists how the schema differs from before, including the conditions of checks.
func (db database) changes(t *testing.T, before *atlasschema.Schema) []atlasschema.Change {
	t.Helper()
	changes, err := db.atlas(t).SchemaDiff(before, db.schema(t), atlasschema.DiffNormalized())
	if err != nil {
		t.Fatal(err)
	}
	return changes
}
