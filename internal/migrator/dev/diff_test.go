package dev_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	atlasschema "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"

	"forge/ent"
	entmigrate "forge/ent/migrate"
	_ "forge/ent/runtime" // the policies, which say what columns the log looks at
	"forge/internal/application"
	"forge/internal/entity"
	"forge/internal/migrator"
	"forge/internal/migrator/dev"
	"forge/internal/schema"
	"forge/internal/schema/entschema"
	"forge/migrate"
	"forge/test/dbtest"
)

var dirs = map[string]string{dialect.Postgres: "postgres", dialect.SQLite: "sqlite"}

// ourFiles is the directory of the application's migrations.
const ourFiles = "../../../migrate"

// mustCopyFiles copies the application's migrations to a directory of the test's.
func mustCopyFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, migrate.Files); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustReadAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	content := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		content[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// tables is a copy of ent's tables that a test may change.
type tables []*schema.Table

func mustCopyTables(t *testing.T) tables {
	t.Helper()
	return entschema.Copy(entmigrate.Tables)
}

func (ts tables) table(t *testing.T, name string) *schema.Table {
	t.Helper()
	i := slices.IndexFunc(ts, func(t *schema.Table) bool { return t.Name == name })
	if i < 0 {
		t.Fatalf("ent has no table %s", name)
	}
	return ts[i]
}

// wanted returns the schema with the tables. If they are ours, it has the objects of those of our
// entities whose columns they have.
func (ts tables) wanted() dev.Schema {
	var entities []*entity.Entity
	if slices.ContainsFunc(ts, func(t *schema.Table) bool { return t.Name == "users" }) {
		entities = slices.DeleteFunc(slices.Clone(ent.Entities), ts.lack)
	}
	if entities == nil {
		return dev.Schema{Tables: ts}
	}
	return dev.Schema{Tables: ts, Objects: application.AllObjects(entities)}
}

// lack reports whether the tables lack what an entity is searched by.
func (ts tables) lack(e *entity.Entity) bool {
	at := slices.IndexFunc(ts, func(t *schema.Table) bool { return t.Name == e.Table })
	return at < 0 || slices.ContainsFunc(e.Search, func(name string) bool { return !ts[at].HasColumn(e.Field(name).Column) })
}

func mustDiff(t *testing.T, dir, name, devURL string, want tables) []string {
	t.Helper()
	planned, err := dev.Diff(t.Context(), dir, name, devURL, want.wanted(), dev.Answers{})
	if err != nil {
		t.Fatal(err)
	}
	return planned.Paths
}

// The files in the repository must give the schema that ent wants. If this fails, run `go run .
// migrate diff NAME` and review the files.
func TestFilesMatchTheEntSchema(t *testing.T) {
	t.Parallel()
	dir := mustCopyFiles(t)
	before := mustReadAll(t, dir)
	planned, err := dev.Diff(t.Context(), dir, "changes", "", tables(entmigrate.Tables).wanted(), dev.Answers{}) // and a temporary server will do
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range planned.Paths {
		text, _ := os.ReadFile(path)
		t.Errorf("a change has no migration yet:\n%s", text)
	}
	if len(planned.Paths) == 0 && !maps.Equal(mustReadAll(t, dir), before) {
		t.Error("Diff wrote, and said that it did not")
	}
}

func TestFilesAreWhole(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, d := range dirs {
		dir, err := sqltool.NewGooseDir(filepath.Join(ourFiles, d))
		if err != nil {
			t.Fatal(err)
		}
		if err := atlas.Validate(dir); err != nil {
			t.Errorf("%s: %v", d, err)
		}
		if names[d], err = fs.Glob(os.DirFS(filepath.Join(ourFiles, d)), "*.sql"); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(names["postgres"], names["sqlite"]) || len(names["sqlite"]) == 0 {
		t.Errorf("the two databases have not the same versions: %v", names)
	}
}

func TestDiffWritesBothDialects(t *testing.T) {
	t.Parallel()
	dir, devURL := mustCopyFiles(t), dbtest.EmptyPostgres(t)
	before := mustReadAll(t, dir)

	want := mustCopyTables(t)
	heroes := want.table(t, "heroes")
	motto := &schema.Column{Name: "motto", Type: field.TypeString, Size: 100, Nullable: true}
	heroes.Columns = append(heroes.Columns, motto)
	heroes.Indexes = append(heroes.Indexes, &schema.Index{Name: "hero_motto", Columns: []*schema.Column{motto},
		Annotation: &entsql.IndexAnnotation{Desc: true, Where: "motto IS NOT NULL"}})
	heroes.Annotation.Checks = maps.Clone(heroes.Annotation.Checks)
	heroes.Annotation.Checks["heroes_motto_length"] = "length(motto) BETWEEN 1 AND 100"
	products := want.table(t, "products")
	products.Annotation.Checks = maps.Clone(products.Annotation.Checks)
	products.Annotation.Checks["products_price_in_range"] = "price_cents <= 1000000000"
	id := &schema.Column{Name: "id", Type: field.TypeInt}
	of := &schema.Column{Name: "product_id", Type: field.TypeUUID, SchemaType: map[string]string{dialect.SQLite: "blob"}}
	want = append(want, &schema.Table{
		Name: "reviews", Columns: []*schema.Column{id, of}, PrimaryKey: []*schema.Column{id},
		ForeignKeys: []*schema.ForeignKey{{Symbol: "reviews_products", Columns: []*schema.Column{of},
			RefTable: products, RefColumns: products.PrimaryKey, OnDelete: schema.Cascade}},
	})

	written := mustDiff(t, dir, "add_reviews", devURL, want)
	version := regexp.MustCompile(`^(\d{14})_add_reviews\.sql$`)
	var got, versions []string
	for _, path := range written {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		if parts := version.FindStringSubmatch(filepath.Base(rel)); parts != nil {
			versions = append(versions, parts[1])
			rel = filepath.Join(filepath.Dir(rel), "VERSION_add_reviews.sql")
		}
		got = append(got, rel)
	}
	slices.Sort(got)
	if names := []string{"postgres/VERSION_add_reviews.sql", "postgres/atlas.sum", "sqlite/VERSION_add_reviews.sql", "sqlite/atlas.sum"}; !slices.Equal(got, names) {
		t.Fatalf("Diff wrote %v, want %v", got, names)
	}
	if versions[0] != versions[1] {
		t.Errorf("the files have the versions %v, want one", versions)
	}
	for path, text := range before {
		if filepath.Base(path) != "atlas.sum" && mustReadAll(t, dir)[path] != text {
			t.Errorf("Diff changed %s", path)
		}
	}
	for part, times := range map[string]int{
		`"motto" character varying NULL COLLATE "C"`: 1, // orders as SQLite does
		"length(motto) BETWEEN 1 AND 100":            1, // as it was written, not as PostgreSQL tells it
		"-- +goose Up":                               1,
		"-- +goose Down":                             1,
	} {
		files, _ := filepath.Glob(filepath.Join(dir, "postgres", "*_add_reviews.sql"))
		if text := mustReadAll(t, dir)[files[0]]; strings.Count(text, part) != times {
			t.Errorf("want %q %d times in\n%s", part, times, text)
		}
	}
	if again := mustDiff(t, dir, "again", devURL, want); len(again) > 0 {
		t.Errorf("the files do not give what was planned: a second Diff wrote %v", again)
	}

	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		files := os.DirFS(filepath.Join(dir, dirs[db.Dialect]))
		product, hero := make([]byte, 16), make([]byte, 16)
		hero[15] = 1
		db.MustExec(t, db.sql(`INSERT INTO products (id, created_at, updated_at, sku, name, price_cents)
			VALUES (?, '2026-01-01', '2026-01-01', 'A-1', 'Anvil', 100)`), db.uuid(product))
		db.MustExec(t, db.sql(`INSERT INTO heroes (id, created_at, updated_at, name)
			VALUES (?, '2026-01-01', '2026-01-01', 'Wile')`), db.uuid(hero))
		rows := func() int {
			return db.Count(t, "SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM heroes)")
		}
		mustUp(t, db, files)
		if rows() != 2 {
			t.Error("Up lost rows")
		}
		db.MustExec(t, "UPDATE heroes SET motto = 'Have a brain'")
		db.MustExec(t, db.sql("INSERT INTO reviews (id, product_id) VALUES (1, ?)"), db.uuid(product))
		if _, err := db.Exec("UPDATE products SET price_cents = 1000000001"); err == nil {
			t.Error("the new check lets through what it forbids")
		}
		if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		if rows() != 2 {
			t.Error("Down lost rows that it could keep")
		}
		db.MustExec(t, "UPDATE products SET price_cents = 1000000001")
		if slices.Contains(db.Tables(t), "reviews") {
			t.Error("Down left the new table")
		}
	})
}

// sql replaces ? by PostgreSQL's placeholder, if the database is one.
func (db database) sql(query string) string {
	if db.Dialect == dialect.Postgres {
		return strings.Replace(query, "?", "$1", 1)
	}
	return query
}

func (db database) uuid(id []byte) any {
	if db.Dialect == dialect.Postgres {
		return strings.Repeat("0", 30) + map[byte]string{0: "00", 1: "01"}[id[15]]
	}
	return id
}

// A join table gets an index for the edge back. Its primary key serves the edge from its first
// column.
func TestDiffIndexesJoinTables(t *testing.T) {
	t.Parallel()
	dir, devURL := mustCopyFiles(t), dbtest.EmptyPostgres(t)
	want := mustCopyTables(t)
	heroes, teams := want.table(t, "heroes"), want.table(t, "teams")
	hero := &schema.Column{Name: "hero_id", Type: field.TypeUUID, SchemaType: map[string]string{dialect.SQLite: "blob"}}
	team := &schema.Column{Name: "team_id", Type: field.TypeUUID, SchemaType: map[string]string{dialect.SQLite: "blob"}}
	want = append(want, &schema.Table{Name: "hero_fans", Columns: []*schema.Column{hero, team}, PrimaryKey: []*schema.Column{hero, team},
		ForeignKeys: []*schema.ForeignKey{
			{Symbol: "hero_fans_hero_id", Columns: []*schema.Column{hero}, RefTable: heroes, RefColumns: heroes.PrimaryKey, OnDelete: schema.Cascade},
			{Symbol: "hero_fans_team_id", Columns: []*schema.Column{team}, RefTable: teams, RefColumns: teams.PrimaryKey, OnDelete: schema.Cascade},
		}})
	found := 0
	for _, path := range mustDiff(t, dir, "add_fans", devURL, want) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`CREATE INDEX ["` + "`" + `]?hero_fans_team_id["` + "`" + `]? ON ["` + "`" + `]?hero_fans["` + "`" + `]? \(["` + "`" + `]?team_id["` + "`" + `]?, ["` + "`" + `]?hero_id`).Match(text) {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d files create the index, want one for each database", found)
	}
	if written := mustDiff(t, dir, "nothing", devURL, want); len(written) != 0 {
		t.Errorf("another diff writes %q", written)
	}
}

// An index over trigrams serves texts that are looked for in texts. PostgreSQL gets it with its
// extension, and SQLite gets none.
func TestDiffOfTrigrams(t *testing.T) {
	t.Parallel()
	dir, devURL := mustCopyFiles(t), dbtest.EmptyPostgres(t)
	db := mustOpen(t, devURL)
	db.MustExec(t, "CREATE EXTENSION pg_trgm SCHEMA pg_catalog")
	want := mustCopyTables(t)
	teams := want.table(t, "teams")
	annotation := &entsql.IndexAnnotation{Types: map[string]string{dialect.Postgres: "GIN"}, OpClass: "gin_trgm_ops"}
	teams.Indexes = append(slices.Clone(teams.Indexes), &schema.Index{Name: "team_name_trigrams", Columns: []*schema.Column{column(teams, "name")}, Annotation: annotation})
	for _, path := range mustDiff(t, dir, "add_trigrams", devURL, want) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		postgres := strings.Contains(path, "postgres") && strings.HasSuffix(path, ".sql")
		for _, statement := range []string{"CREATE EXTENSION IF NOT EXISTS pg_trgm;", `CREATE INDEX "team_name_trigrams" ON "teams" USING gin ("name" gin_trgm_ops);`} {
			if strings.Contains(string(text), statement) != postgres {
				t.Errorf("%s has the statement %s: %t, want %t\n%s", path, statement, !postgres, postgres, text)
			}
		}
	}
	if written := mustDiff(t, dir, "nothing", devURL, want); len(written) != 0 {
		t.Errorf("another diff writes %q", written)
	}
	url := dbtest.EmptyPostgres(t)
	mustUp(t, mustOpen(t, url), os.DirFS(filepath.Join(dir, "postgres")))
	db = mustOpen(t, url)
	db.SetMaxOpenConns(1)
	for _, s := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan", "PREPARE find AS SELECT id FROM teams WHERE name LIKE $1"} {
		db.MustExec(t, s)
	}
	var plan string
	if err := db.QueryRow("EXPLAIN (FORMAT JSON) EXECUTE find('%x%')").Scan(&plan); err != nil || !strings.Contains(plan, "team_name_trigrams") {
		t.Errorf("%v: no index in the plan of LIKE\n%s", err, plan)
	}
}

// The down section restores the schema, also where SQLite has to copy a table.
func TestDiffDownRestoresTheSchema(t *testing.T) {
	t.Parallel()
	dir, devURL := mustCopyFiles(t), dbtest.EmptyPostgres(t)
	want := mustCopyTables(t)
	teams := want.table(t, "teams")
	teams.Columns = slices.DeleteFunc(teams.Columns, func(c *schema.Column) bool { return c.Name == "headquarters" })
	teams.Annotation.Checks = maps.Clone(teams.Annotation.Checks)
	delete(teams.Annotation.Checks, "teams_headquarters_length")
	teams.Annotation.Checks["teams_name_length"] = "length(name) BETWEEN 1 AND 200"
	heroes := want.table(t, "heroes")
	heroes.Indexes = heroes.Indexes[1:]
	want = slices.DeleteFunc(want, func(t *schema.Table) bool { return t.Name == "inventories" })
	mustDiff(t, dir, "shrink", devURL, want)

	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		files := os.DirFS(filepath.Join(dir, dirs[db.Dialect]))
		before := db.schema(t)
		mustUp(t, db, files)
		if !db.differs(t, before) {
			t.Fatal("Up changed nothing")
		}
		if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		if db.differs(t, before) {
			t.Error("after Up and Down the schema is another than it was")
		}
	})
}

// schema returns the schema as Atlas reads it, without the table of versions, and without the
// tables of objects: Atlas takes SQLite's own indexes of these for changed ones. See
// TestObjectsBesideTables.
func (db database) schema(t *testing.T) *atlasschema.Schema {
	t.Helper()
	s, err := db.atlas(t).InspectSchema(t.Context(), "", &atlasschema.InspectOptions{Exclude: []string{"goose_db_version", "forge_*"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// differs reports whether the schema of the database has changed.
func (db database) differs(t *testing.T, before *atlasschema.Schema) bool {
	t.Helper()
	changes, err := db.atlas(t).SchemaDiff(before, db.schema(t))
	if err != nil {
		t.Fatal(err)
	}
	return len(changes) > 0
}

func (db database) atlas(t *testing.T) atlas.Driver {
	t.Helper()
	open := postgres.Open
	if db.Dialect == dialect.SQLite {
		open = sqlite.Open
	}
	driver, err := open(db)
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

// A change for one of the databases still gives both of them a version.
func TestDiffOfOneDialect(t *testing.T) {
	t.Parallel()
	dir, devURL := mustCopyFiles(t), dbtest.EmptyPostgres(t)
	want := mustCopyTables(t)
	for _, c := range want.table(t, "heroes").Columns {
		if c.Name == "age" {
			c.SchemaType = map[string]string{dialect.Postgres: "bigint"}
		}
	}
	written := mustDiff(t, dir, "widen_age", devURL, want)
	if len(written) != 4 {
		t.Fatalf("Diff wrote %v, want a file and a checksum for each database", written)
	}
	for _, path := range written {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(path) == ".sql" {
			alters := bytes.Contains(text, []byte("ALTER TABLE"))
			if want := strings.Contains(path, "postgres"); alters != want {
				t.Errorf("%s changes the table: %t, want %t:\n%s", path, alters, want, text)
			}
		}
	}
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		files := os.DirFS(filepath.Join(dir, dirs[db.Dialect]))
		mustUp(t, db, files)
		if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Error(err)
		}
	})
}

func TestDiffVersionsGrow(t *testing.T) {
	t.Parallel()
	dir, devURL := t.TempDir(), dbtest.EmptyPostgres(t)
	for _, d := range dirs {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	all := mustCopyTables(t)
	fewer := slices.DeleteFunc(slices.Clone(all), func(t *schema.Table) bool { return t.Name == "order_items" })
	var versions []string
	for _, want := range []tables{all, fewer} { // most likely within the same second
		versions = append(versions, filepath.Base(mustDiff(t, dir, "step", devURL, want)[0]))
	}
	if versions[0] >= versions[1] {
		t.Errorf("the versions are %v, want each above the one before", versions)
	}
}

func TestDiffRefuses(t *testing.T) {
	t.Parallel()
	changed := mustCopyTables(t)
	changed.table(t, "teams").Columns[1].Nullable = true
	broken := mustCopyTables(t)
	broken.table(t, "teams").Annotation.Checks = map[string]string{"nonsense": "no_such_column > 0"}
	good := dbtest.EmptyPostgres(t)

	tests := []struct {
		name   string
		step   string
		devURL string
		tables tables
		spoil  func(t *testing.T, dir string)
		want   []string
	}{
		{name: "a bad name", step: "../evil", devURL: good, tables: changed, want: []string{`"../evil"`, "small letters"}},
		{name: "no name", step: "", devURL: good, tables: changed, want: []string{`""`, "small letters"}},
		{name: "a URL of another kind", step: "ok", devURL: "mysql://localhost/x", tables: changed, want: []string{"DEV_DATABASE_URL", "postgres://"}},
		{name: "a server that is not there", step: "ok", devURL: "postgres://localhost:1/x?sslmode=disable", tables: changed, want: []string{"plan for postgres"}},
		{name: "a schema that does not work", step: "ok", devURL: good, tables: broken, want: []string{"no_such_column"}},
		{
			name: "a changed file", step: "ok", devURL: good, tables: changed,
			spoil: func(t *testing.T, dir string) {
				files, _ := filepath.Glob(filepath.Join(dir, "sqlite", "*_init.sql"))
				text, err := os.ReadFile(files[0])
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(files[0], append(text, "-- edited\n"...), 0o644); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"sqlite/20261123032934_init.sql was edited", "sqlite/atlas.sum", "`migrate hash`"},
		},
		{
			name: "a file of another form", step: "ok", devURL: good, tables: changed,
			spoil: func(t *testing.T, dir string) {
				path := filepath.Join(dir, "postgres")
				if err := os.WriteFile(filepath.Join(path, "1_Fix.sql"), []byte("-- +goose Up\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				files, err := sqltool.NewGooseDir(path)
				if err != nil {
					t.Fatal(err)
				}
				sum, err := files.Checksum()
				if err != nil {
					t.Fatal(err)
				}
				if err := atlas.WriteSumFile(files, sum); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"1_Fix.sql", "YYYYMMDDHHMMSS_name.sql"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := mustCopyFiles(t)
			if tt.spoil != nil {
				tt.spoil(t, dir)
			}
			before := mustReadAll(t, dir)
			_, err := dev.Diff(t.Context(), dir, tt.step, tt.devURL, tables(tt.tables).wanted(), dev.Answers{})
			if err == nil {
				t.Fatal("Diff succeeded")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not say %q", err, want)
				}
			}
			if !maps.Equal(mustReadAll(t, dir), before) {
				t.Error("Diff wrote something")
			}
		})
	}
}

// The database at DEV_DATABASE_URL may be in use, so Diff leaves everything there as it is.
func TestDiffLeavesTheDevDatabaseAlone(t *testing.T) {
	t.Parallel()
	devURL := dbtest.Postgres(t)
	db := mustOpen(t, devURL)
	before := db.schema(t)
	want := mustCopyTables(t)
	want.table(t, "teams").Columns[1].Nullable = true
	mustDiff(t, mustCopyFiles(t), "change", devURL, want)
	if db.differs(t, before) {
		t.Error("planning changed a table of the database")
	}
	if n := db.Count(t, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'forge_plan%'"); n != 0 {
		t.Errorf("planning left %d schemas", n)
	}
}
