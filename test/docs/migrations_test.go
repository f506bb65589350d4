package docs

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"forge/test/dbtest"
)

// TestMigrations follows migrations.md in a copy of the tree: first the steps for engineers, then
// those for operators while requests come in. No request may fail.
func TestMigrations(t *testing.T) {
	if testing.Short() {
		t.Skip("copies and builds the whole tree, four times")
	}
	page, err := os.ReadFile("migrations.md")
	if err != nil {
		t.Fatal(err)
	}
	tr, address := copyOfTree(t), dbtest.EmptyPostgres(t)
	tr.env = append(tr.env, "DEV_DATABASE_URL="+dbtest.EmptyPostgres(t), "DATABASE_URL="+address, "ADDR=127.0.0.1:0", "LOG_LEVEL=error")
	var operations []block
	for _, b := range blocks(string(page)) {
		switch {
		case b.label != "":
			operations = append(operations, b)
		case b.language == "console":
			tr.run(t, b)
		case b.language == "diff":
			b.file = tr.fileLike(t, b.file)
			tr.change(t, b)
		default:
			b.file = tr.fileLike(t, b.file)
			tr.replace(t, b)
		}
	}
	if labels := labelsOf(operations); !slices.Equal(labels, []string{"deploy", "deploy", "backfill", "deploy", "deploy"}) {
		t.Fatalf("operators do %q", labels)
	}
	db, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	f := &fleet{servers: tr.begin(t, operations[0], nil)}
	l := newLoad(t, f)
	mustFill(t, db)
	l.start()
	for _, b := range operations[1:] {
		if b.label == "deploy" {
			f.deploy(t, tr, b)
		} else if _, err := db.Exec(b.text); err != nil {
			t.Errorf("%s\n%v", b.text, err)
		}
	}
	l.stop()
	for _, s := range f.all() {
		s.end()
	}
	t.Logf("%d requests, %d of them failed", l.sent.Load(), l.failed.Load())
	var columns string
	var rows int64
	if err := db.QueryRow("SELECT string_agg(column_name, ' '), (SELECT count(title) FROM products) FROM information_schema.columns "+
		"WHERE table_name = 'products' AND column_name IN ('name', 'title')").Scan(&columns, &rows); err != nil {
		t.Fatal(err)
	}
	if want := filled + l.created.Load(); columns != "title" || rows != want {
		t.Errorf("products have the column %s with %d values, want title with %d", columns, rows, want)
	}
	tr.mustKeepNames(t, db)
}

// mustKeepNames migrates all the way down and up again, on PostgreSQL and on SQLite. No product may
// lose its name.
func (tr *tree) mustKeepNames(t *testing.T, postgres *sql.DB) {
	const back, forth = "$ ./forge-contract migrate down 7 --yes", "$ ./forge-contract migrate up"
	sqlite, err := sql.Open("sqlite", filepath.Join(tr.dir, "names.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer sqlite.Close()
	lite := &tree{tr.dir, append(slices.Clone(tr.env), "DATABASE_URL=sqlite:names.db")}
	lite.run(t, block{text: "$ ./forge-before migrate up\n$ ./forge-before seed --scale 1"})
	old, current := names(t, sqlite, "name"), names(t, postgres, "title")
	for _, step := range []struct {
		tree         *tree
		db           *sql.DB
		does, column string
		want         []string
	}{
		{lite, sqlite, forth, "title", old}, {lite, sqlite, back, "name", old}, {lite, sqlite, forth, "title", old},
		{tr, postgres, back, "name", current}, {tr, postgres, forth, "title", current},
	} {
		step.tree.run(t, block{text: step.does})
		if got := names(t, step.db, step.column); !slices.Equal(got, step.want) {
			t.Errorf("after %s products have the names %.200q, want %.200q", step.does, got, step.want)
		}
	}
}

func names(t *testing.T, db *sql.DB, column string) (all []string) {
	rows, err := db.Query("SELECT " + column + " FROM products ORDER BY sku")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%d products: %v", len(all), err)
	}
	return all
}

// filled is the number of products before the first request. It is large enough for several
// batches.
const filled = 5000

func mustFill(t *testing.T, db *sql.DB) {
	_, err := db.Exec(`WITH old AS (
		INSERT INTO products (id, created_at, updated_at, sku, name, price_cents)
		SELECT gen_random_uuid(), now(), now(), 'old-' || n, 'Old ' || n, n FROM generate_series(1, $1) AS n RETURNING id)
		INSERT INTO inventories (id, product_id) SELECT gen_random_uuid(), id FROM old`, filled)
	if err != nil {
		t.Fatal(err)
	}
}

func labelsOf(list []block) (labels []string) {
	for _, b := range list {
		labels = append(labels, b.label)
	}
	return labels
}

// fileLike returns the one file that matches a pattern such as migrate/postgres/*_add_title.sql.
// migrate diff takes the version in a name from the clock.
func (tr *tree) fileLike(t *testing.T, pattern string) string {
	found, err := filepath.Glob(filepath.Join(tr.dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s means %v, %v, want one file", pattern, found, err)
	}
	return strings.TrimPrefix(found[0], tr.dir)
}

func (tr *tree) replace(t *testing.T, b block) {
	if err := os.WriteFile(filepath.Join(tr.dir, b.file), []byte(b.text), 0o644); err != nil {
		t.Fatal(err)
	}
}
