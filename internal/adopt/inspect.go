package adopt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
	_ "github.com/lib/pq" // reads PostgreSQL
	_ "modernc.org/sqlite"

	"forge/internal/database"
	"forge/internal/migrator/catalog"
	"forge/internal/usage"
)

// Table is a table of the database.
type Table struct {
	*atlas.Table
	Schema      string // of PostgreSQL, or ""
	Partitioned bool
	Triggered   bool // a trigger may fill columns of a new row
	Exclusive   bool // it has exclusion constraints
	// Domains holds the types that domains of columns stand for, and those of arrays of several
	// dimensions, by the names of the columns.
	Domains map[string]string
	// Wide holds the columns of SQLite with whole numbers past 32 bits.
	Wide map[string]bool
}

// Path returns the name of the table, with its schema unless that is the usual one.
func (t *Table) Path() string {
	if t.Schema == "" || t.Schema == "public" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// Database is what Inspect has found.
type Database struct {
	Dialect string
	Tables  []*Table // in the order of their paths
	Others  []Note   // what is no table, with the reason why it is left out
	// Names holds the schemas in which a name stands for a table or a view.
	Names map[string][]string
}

// Inspect reads the tables of a database that the options want. It writes nothing, and a session
// that it opens cannot. It returns a *usage.Error if the address or the names are wrong, or if
// there are no tables or too many.
func Inspect(ctx context.Context, o Options) (d *Database, err error) {
	db, name, err := openToRead(ctx, o.Address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	d = &Database{Dialect: name, Names: map[string][]string{}}
	var realm *atlas.Realm
	if name == dialect.Postgres {
		realm, err = d.inspectPostgres(ctx, db, o)
	} else {
		realm, err = d.inspectSQLite(ctx, db, o)
	}
	if err != nil {
		return nil, err
	}
	facts, err := factsOf(ctx, db, name)
	if err != nil {
		return nil, err
	}
	for _, s := range realm.Schemas {
		for _, t := range s.Tables {
			if o.wants(s.Name, t.Name) && !isForges(t.Name) {
				d.Tables = append(d.Tables, facts.table(s.Name, t, name))
			}
		}
	}
	slices.SortFunc(d.Tables, func(a, b *Table) int { return strings.Compare(a.Path(), b.Path()) })
	if name == dialect.SQLite {
		err = findWide(ctx, db, d.Tables)
	}
	return d, errors.Join(err, d.checkNames(o))
}

// has reports whether a table or a view has the name, which SQLite compares without regard to case.
func (d *Database) has(name string) bool {
	for known := range d.Names {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// isForges reports whether a table is one in which Forge or a database keeps its own records.
func isForges(table string) bool {
	return table == catalog.VersionTable || catalog.IsPart(table) || strings.HasPrefix(table, "sqlite_")
}

// checkNames returns an error if there are no tables, or if one of the options is not there.
func (d *Database) checkNames(o Options) error {
	for _, wanted := range o.Tables {
		if !slices.ContainsFunc(d.Tables, func(t *Table) bool { return t.Name == wanted || t.Schema+"."+t.Name == wanted }) {
			return usage.Errorf("the database has no table %s%s", wanted, in(o.Schemas))
		}
	}
	if len(d.Tables) == 0 {
		return usage.Errorf("the database has no tables%s: there is nothing to adopt", in(o.Schemas))
	}
	return nil
}

func in(schemas []string) string {
	if len(schemas) == 0 {
		return ""
	}
	return " in " + strings.Join(schemas, ", ")
}

// openToRead opens a database in a way that lets nobody write.
func openToRead(ctx context.Context, address string) (db *sql.DB, name string, err error) {
	path, _, isFile := database.SQLiteFile(address)
	switch {
	case isFile:
		switch info, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, "", usage.Errorf("cannot read %s: there is no such file", address)
		case err != nil || info.IsDir():
			return nil, "", usage.Errorf("cannot read %s: it is no file", address)
		}
		name = dialect.SQLite
		db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)")
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		name = dialect.Postgres
		u, parseErr := url.Parse(address)
		if parseErr != nil {
			return nil, "", usage.Errorf("the address cannot be read; a password with special characters must be percent-encoded")
		}
		q := u.Query()
		q.Del("pgbouncer")
		q.Set("default_transaction_read_only", "on")
		q.Set("connect_timeout", "10")
		u.RawQuery = q.Encode()
		db, err = sql.Open("postgres", u.String())
	default:
		return nil, "", usage.Errorf("%q is not the address of a database; allowed: postgres://user:password@host/database, sqlite:PATH", address)
	}
	if err == nil {
		if err = db.PingContext(ctx); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, "", usage.Errorf("cannot read %s: %s", database.Redact(address), err)
	}
	return db, name, nil
}

func (d *Database) inspectPostgres(ctx context.Context, db *sql.DB, o Options) (*atlas.Realm, error) {
	const relations = `SELECT nspname, relname, relkind::text, relispartition FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY 1, 2`
	kinds := map[string]string{"v": "it is a view", "m": "it is a materialized view", "f": "its rows are in another database"}
	include, n := map[string]bool{}, 0
	err := each(ctx, db, relations, func(scan func(...any) error) error {
		var schema, name, kind string
		var part bool
		if err := scan(&schema, &name, &kind, &part); err != nil {
			return err
		}
		d.Names[name] = append(d.Names[name], schema)
		if !o.wants(schema, name) || isForges(name) {
			return nil
		}
		switch reason := kinds[kind]; {
		case reason != "":
			d.Others = append(d.Others, Note{Subject: (&Table{Schema: schema, Table: &atlas.Table{Name: name}}).Path(), Text: reason, Left: true})
		case part:
			d.Others = append(d.Others, Note{Subject: (&Table{Schema: schema, Table: &atlas.Table{Name: name}}).Path(), Text: "it is a partition of another table", Left: true})
		default:
			include[schema], n = true, n+1
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	if err := checkNumber(n); err != nil || n == 0 {
		return &atlas.Realm{}, err
	}
	driver, err := postgres.Open(db)
	if err != nil {
		return nil, err
	}
	schemas := make([]string, 0, len(include))
	for s := range include {
		schemas = append(schemas, s)
	}
	realm, err := driver.InspectRealm(ctx, &atlas.InspectRealmOption{Schemas: schemas})
	if err != nil {
		return nil, fmt.Errorf("inspect the tables: %w", err)
	}
	return realm, nil
}

func (d *Database) inspectSQLite(ctx context.Context, db *sql.DB, o Options) (*atlas.Realm, error) {
	n := 0
	err := each(ctx, db, "SELECT name, type, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1", func(scan func(...any) error) error {
		var name, kind string
		var virtual sql.NullBool
		if err := scan(&name, &kind, &virtual); err != nil {
			return err
		}
		d.Names[name] = []string{"main"}
		if !o.wants("main", name) || isForges(name) {
			return nil
		}
		switch {
		case kind == "view":
			d.Others = append(d.Others, Note{name, "it is a view", true})
		case virtual.Bool:
			d.Others = append(d.Others, Note{name, "it is a virtual table", true})
		default:
			n++
		}
		return nil
	})
	if err != nil {
		return nil, usage.Errorf("cannot read %s: %s", o.Address, err)
	}
	if err := checkNumber(n); err != nil || n == 0 {
		return &atlas.Realm{}, err
	}
	driver, err := sqlite.Open(whole{db})
	if err != nil {
		return nil, err
	}
	realm, err := driver.InspectRealm(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("inspect the tables: %w", err)
	}
	for _, s := range realm.Schemas {
		s.Tables = slices.DeleteFunc(s.Tables, func(t *atlas.Table) bool {
			return slices.ContainsFunc(d.Others, func(n Note) bool {
				return n.Subject == t.Name || strings.HasPrefix(t.Name, n.Subject+"_") && n.Text == "it is a virtual table"
			})
		})
	}
	return realm, nil
}

// whole is a database of SQLite whose foreign keys are as Atlas wants them: with the names that the
// other table and its columns have, also where a key says REFERENCES t without columns, or writes
// names in other letters.
type whole struct{ *sql.DB }

// keysOfAtlas is how Atlas's query of foreign keys begins, and wholeKeys what stands in its place.
const (
	keysOfAtlas = "SELECT `id`, `from`, `to`, `table`, `on_update`, `on_delete` FROM pragma_foreign_key_list("
	wholeKeys   = "SELECT k.`id`, k.`from`, COALESCE((SELECT name FROM pragma_table_info(k.`table`) WHERE name = k.`to` COLLATE NOCASE OR k.`to` IS NULL AND pk = k.seq + 1), k.`to`, 'rowid'), " +
		"COALESCE((SELECT name FROM sqlite_master WHERE type = 'table' AND name = k.`table` COLLATE NOCASE), k.`table`), k.`on_update`, k.`on_delete` FROM (SELECT * FROM pragma_foreign_key_list("
)

// QueryContext implements Atlas's schema.ExecQuerier.
func (w whole) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if rest, ok := strings.CutPrefix(query, keysOfAtlas); ok {
		query = wholeKeys + strings.Replace(rest, ") ORDER BY", ")) AS k ORDER BY", 1)
	}
	return w.DB.QueryContext(ctx, query, args...)
}

func checkNumber(tables int) error {
	if tables > MaxTables {
		return usage.Errorf("the database has %d tables; at most %d are adopted at once: name them, as in adopt ADDRESS TABLE…, or choose a schema with --schema", tables, MaxTables)
	}
	return nil
}

// each calls f for each row of a query.
func each(ctx context.Context, db *sql.DB, query string, f func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
