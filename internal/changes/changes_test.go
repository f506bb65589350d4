package changes_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/changes"
	"forge/internal/entity"
	"forge/test/dbtest"

	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

// Boats are in ports, and are marked as deleted. A change of a boat's cargo, which has no key, is
// one of the boat, and so is a change of its flag, which has one.
var entities = []*entity.Entity{
	{Name: "Port", Prefix: "port", Table: "ports", Logged: true, Fields: []entity.Field{{Name: "id", Column: "id", Refers: "Port"}, {Name: "name", Column: "name", Kind: entity.String}},
		Visible: map[string]entity.Visibility{"name": entity.ToAll}},
	{Name: "Boat", Prefix: "boat", Table: "boats", Logged: true, Deleted: "deleted_at", Owner: "skipper_id", Fields: []entity.Field{
		{Name: "id", Column: "id", Refers: "Boat"}, {Name: "name", Column: "name", Kind: entity.String}, {Name: "portId", Column: "port_id", Refers: "Port"},
		{Name: "skipperId", Column: "skipper_id"}, {Name: "deletedAt", Column: "deleted_at", Kind: entity.Time},
		{Name: "papers", Column: "papers", Kind: entity.JSON}, {Name: "hash", Column: "hash", Kind: entity.String},
	}, Visible: map[string]entity.Visibility{"name": entity.ToAll, "papers": entity.ToOwners}},
	{Name: "Cargo", Table: "cargo", LoggedFor: []string{"boat"}, Fields: []entity.Field{{Name: "boatId", Column: "boat_id", Refers: "Boat"}, {Name: "tons", Column: "tons", Kind: entity.Int}},
		Edges: []entity.Edge{{Name: "boat", To: "Boat", Column: "boat_id", OwnKey: true}}, Visible: map[string]entity.Visibility{"tons": entity.ToAll}},
	{Name: "Flag", Table: "flags", LoggedFor: []string{"boat"}, Fields: []entity.Field{{Name: "id", Column: "id", Refers: "Flag"}, {Name: "boatId", Column: "boat_id", Refers: "Boat"}, {Name: "color", Column: "color", Kind: entity.String}},
		Edges: []entity.Edge{{Name: "boat", To: "Boat", Column: "boat_id", OwnKey: true}}, Visible: map[string]entity.Visibility{"color": entity.ToAll}},
}

// A database has the tables, and their log.
type database struct {
	*sql.DB
	t       *testing.T
	dialect string
	url     string
	log     *changes.Log
	at      changes.Position
}

func each(t *testing.T, test func(t *testing.T, db *database)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, newDatabase(t, dialect.SQLite)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, newDatabase(t, dialect.Postgres)) })
}

func newDatabase(t *testing.T, name string) *database {
	t.Helper()
	db := &database{t: t, dialect: name}
	driver, id, document, moment := "postgres", "uuid", "json", "timestamptz"
	if name == dialect.SQLite {
		driver, id, document, moment = "sqlite", "blob", "text", "text"
		db.url = strings.TrimPrefix(dbtest.EmptySQLite(t), "sqlite:") + "?_pragma=busy_timeout(20000)&_pragma=foreign_keys(1)&_pragma=journal_mode(wal)"
	} else {
		db.url = dbtest.EmptyPostgres(t)
	}
	db.DB = open(t, driver, db.url)
	db.exec(fmt.Sprintf("CREATE TABLE ports (id %s PRIMARY KEY, name text DEFAULT '')", id),
		fmt.Sprintf("CREATE TABLE boats (id %[1]s PRIMARY KEY, name text, port_id %[1]s REFERENCES ports ON DELETE SET NULL, skipper_id %[1]s, deleted_at %[3]s, papers %[2]s, hash text)", id, document, moment),
		fmt.Sprintf("CREATE TABLE flags (id %[1]s PRIMARY KEY, boat_id %[1]s REFERENCES boats ON DELETE CASCADE, color text)", id),
		fmt.Sprintf("CREATE TABLE cargo (boat_id %s REFERENCES boats ON DELETE CASCADE, tons integer)", id))
	for _, o := range changes.Objects(entities)(name) {
		db.exec(o.Create...)
	}
	db.log = changes.New(db.DB, name, entities)
	var err error
	if db.at, err = db.log.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func open(t testing.TB, driver, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (d *database) exec(statements ...string) {
	d.t.Helper()
	for _, s := range statements {
		if _, err := d.ExecContext(d.t.Context(), s); err != nil {
			d.t.Fatalf("%s: %v", s, err)
		}
	}
}

// key returns a literal of the UUID that ends with a number.
func (d *database) key(n int) string {
	if d.dialect == dialect.SQLite {
		return fmt.Sprintf("x'%032x'", n)
	}
	return fmt.Sprintf("'%s'", keyOf(n))
}

func keyOf(n int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("%032x", n)) }

// logged runs statements, and returns the changes that they are: the type, the operation and the
// last digits of the key of each, and of its references.
func (d *database) logged(statements ...string) []string {
	d.t.Helper()
	d.exec(statements...)
	if err := d.log.Tick(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	list, next, err := d.log.Read(d.t.Context(), d.at, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	d.at = next
	all := []string{}
	for _, c := range list {
		text := fmt.Sprintf("%d %s", c.Op, c.Type)
		if c.Op != changes.Many {
			text += " " + short(d.t, c.Key)
		}
		for _, ref := range c.Refs {
			column, key, _ := strings.Cut(ref, "=")
			text += " " + column + "=" + short(d.t, key)
		}
		all = append(all, text)
	}
	return all
}

func short(t *testing.T, key string) string {
	id, err := uuid.Parse(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimLeft(strings.ReplaceAll(id.String(), "-", ""), "0")
}

func TestLogged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		k := db.key
		for _, tt := range []struct {
			name       string
			statements []string
			want       []string
		}{
			{"new rows", []string{"INSERT INTO ports VALUES (" + k(1) + ", 'Brest'), (" + k(2) + ", 'Cadiz')",
				"INSERT INTO boats (id, port_id, skipper_id) VALUES (" + k(0xa) + ", " + k(1) + ", " + k(7) + ")"},
				[]string{"1 port 1", "1 port 2", "1 boat a port_id=1 skipper_id=7"}},
			{"a column that is shown", []string{"UPDATE boats SET name = 'Ark'"}, []string{"2 boat a port_id=1 skipper_id=7"}},
			{"a document", []string{"UPDATE boats SET papers = '{}'"}, []string{"2 boat a port_id=1 skipper_id=7"}},
			{"a column that nobody sees", []string{"UPDATE boats SET hash = 'x'"}, []string{}},
			{"no change", []string{"UPDATE boats SET name = name"}, []string{}},
			{"no row", []string{"UPDATE boats SET name = 'x' WHERE name = 'nobody'", "DELETE FROM ports WHERE name = 'x'"}, []string{}},
			{"another port", []string{"UPDATE boats SET port_id = " + k(2)}, []string{"2 boat a port_id=1 skipper_id=7 port_id=2"}},
			{"another row's", []string{"INSERT INTO cargo VALUES (" + k(0xa) + ", 1)", "UPDATE cargo SET tons = 2", "UPDATE cargo SET tons = 2"}, []string{"2 boat a", "2 boat a"}},
			{"marked as deleted, and restored", []string{"UPDATE boats SET deleted_at = '2026-01-01'", "UPDATE boats SET name = 'unseen'", "UPDATE boats SET deleted_at = NULL"},
				[]string{"3 boat a port_id=2 skipper_id=7", "1 boat a port_id=2 skipper_id=7"}},
			{"another key", []string{"DELETE FROM cargo", "UPDATE boats SET id = " + k(0xb)},
				[]string{"2 boat a", "3 boat a port_id=2 skipper_id=7", "1 boat b port_id=2 skipper_id=7"}},
			{"by a foreign key", []string{"DELETE FROM ports WHERE id = " + k(2)}, []string{"2 boat b skipper_id=7 port_id=2", "3 port 2"}},
			{"of another row, by its key", []string{"INSERT INTO boats (id) VALUES (" + k(0xc) + ")", "INSERT INTO flags VALUES (" + k(1) + ", " + k(0xb) + ", 'red')",
				"UPDATE flags SET color = 'red'", "UPDATE flags SET color = 'blue'", "UPDATE flags SET boat_id = " + k(0xc), "UPDATE flags SET id = " + k(2),
				"UPDATE flags SET boat_id = NULL", "UPDATE flags SET color = NULL", "UPDATE flags SET boat_id = " + k(0xc)},
				[]string{"1 boat c", "2 boat b", "2 boat b", "2 boat b", "2 boat c", "2 boat c", "2 boat c", "2 boat c"}},
			{"removed", []string{"DELETE FROM boats"}, []string{"3 boat b skipper_id=7", "3 boat c", "2 boat c"}},
		} {
			got := db.logged(tt.statements...)
			sorted := func(list []string) []string {
				for i, text := range list {
					words := strings.Fields(text)
					slices.Sort(words[min(3, len(words)):])
					list[i] = strings.Join(words, " ")
				}
				slices.Sort(list) // of one statement, in any order
				return list
			}
			if !slices.Equal(sorted(got), sorted(tt.want)) {
				t.Errorf("%s: logged %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}

// TestCallersNames has somebody change rows whose search_path begins with operators and tables of
// their own. The log is written as the owner, and uses none of them.
func TestCallersNames(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range []string{
		"CREATE SCHEMA mine",
		"CREATE FUNCTION mine.never(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $x$called$x$; END'",
		"CREATE FUNCTION mine.never(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $x$called$x$; END'",
		"CREATE FUNCTION mine.pg_current_xact_id() RETURNS xid8 LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $x$called$x$; END'",
		"CREATE OPERATOR mine.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = mine.never)",
		"CREATE OPERATOR mine.= (LEFTARG = text, RIGHTARG = text, FUNCTION = mine.never)",
		"CREATE OPERATOR mine.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = mine.never)",
		"CREATE TABLE mine." + tableOfLog(t, db) + " (LIKE public." + tableOfLog(t, db) + ")",
		"SET search_path = mine, pg_catalog",
		"INSERT INTO public.boats (id, name) VALUES (" + db.key(1) + ", 'a')",
		"UPDATE public.boats SET name = 'b', skipper_id = " + db.key(7),
		"INSERT INTO public.cargo VALUES (" + db.key(1) + ", 2)",
		"UPDATE public.cargo SET tons = 3",
		"DELETE FROM public.boats",
	} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if got := db.logged(); len(got) != 6 {
		t.Errorf("%q, want the change of each statement, and that of the cargo that went with its boat", got)
	}
}

// tableOfLog returns the name of the table that holds the log.
func tableOfLog(t *testing.T, db *database) (name string) {
	t.Helper()
	const query = "SELECT relname FROM pg_class WHERE relname LIKE 'forge\\_changes\\_%' AND relkind = 'r' AND relname NOT LIKE '%ticks'"
	if err := db.QueryRowContext(t.Context(), query).Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	insert := "INSERT INTO ports (id) SELECT lpad(to_hex(i), 32, '0')::uuid FROM generate_series(1, %d) i"
	if got := db.logged(fmt.Sprintf(insert, 10_000)); len(got) != 1000 || got[0] != "1 port 1" {
		t.Errorf("10,000 rows are logged as %d changes, %q first; want the first 1000", len(got), got[0])
	}
	db.exec("DELETE FROM ports")
	db.skip()
	statements := []string{fmt.Sprintf(insert, 10_001), "UPDATE ports SET name = 'x'", "DELETE FROM ports", "TRUNCATE ports CASCADE"}
	if got, want := db.logged(statements...), []string{"9 port", "9 port", "9 port", "9 boat", "9 boat", "9 boat", "9 port"}; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("logged %d changes, %q first; want %q", len(got), got[:min(9, len(got))], want)
	}
}

// skip passes over all changes so far.
func (d *database) skip() {
	d.t.Helper()
	err := d.log.Tick(d.t.Context())
	if err == nil {
		d.at, err = d.log.End(d.t.Context())
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestEveryChangeOnce has writers commit and roll back while others tick and read. A reader gets
// each change that was committed once, none that was not, and those of a row in their order; and
// all readers get the same.
func TestEveryChangeOnce(t *testing.T) {
	t.Parallel()
	const writers, rows, transactions = 8, 5, 120
	each(t, func(t *testing.T, db *database) {
		for i := range rows {
			db.exec(fmt.Sprintf("INSERT INTO ports VALUES (%s, '0')", db.key(i+1)))
		}
		db.logged()
		var committed [rows]atomic.Int64
		var done atomic.Bool
		var work, reading sync.WaitGroup
		for w := range writers {
			work.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(w)))
				for range transactions {
					if err := db.write(r, &committed); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		start := db.at
		read := make([][]changes.Change, 3)
		for i := range read {
			reading.Go(func() {
				at := start
				for last := false; ; {
					if err := db.log.Tick(t.Context()); err != nil {
						t.Error(err)
						return
					}
					list, next, err := db.log.Read(t.Context(), at, 1+i*7)
					if err != nil {
						t.Error(err)
						return
					}
					at, read[i] = next, append(read[i], list...)
					if len(list) == 0 && last {
						return
					}
					last = len(list) == 0 && done.Load()
				}
			})
		}
		work.Wait()
		done.Store(true)
		reading.Wait()
		var got [rows]int64
		seen := map[int64]bool{}
		for _, c := range read[0] {
			if seen[c.Seq] {
				t.Errorf("change %d came twice", c.Seq)
			}
			seen[c.Seq] = true
			id, err := uuid.Parse(c.Key)
			if err != nil {
				t.Fatal(err)
			}
			got[id[15]-1]++
		}
		for i := range rows {
			if want := committed[i].Load(); got[i] != want {
				t.Errorf("row %d: %d changes were read, and %d committed", i, got[i], want)
			}
		}
		for i := range read {
			if !slices.EqualFunc(read[i], read[0], func(a, b changes.Change) bool { return a.Seq == b.Seq }) {
				t.Errorf("reader %d has read other changes, or in another order, than the first", i)
			}
		}
		if len(read[0]) < writers {
			t.Errorf("%d changes were read: too few to show anything", len(read[0]))
		}
	})
}

// write changes some rows in a transaction that ends one way or the other, and counts what it has
// committed. A part of it is in a savepoint that may be rolled back.
func (d *database) write(r *rand.Rand, committed *[5]atomic.Int64) error {
	ctx := context.Background()
	conn, err := d.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	begin := "BEGIN"
	if d.dialect == dialect.SQLite {
		begin = "BEGIN IMMEDIATE"
	}
	changed := map[int]int64{}
	order := slices.Sorted(slices.Values(r.Perm(5)[:1+r.IntN(3)])) // in one order, so that nobody waits in a circle
	statements := []string{begin}
	for _, i := range order {
		update := fmt.Sprintf("UPDATE ports SET name = '%d' WHERE id = %s", r.Int64(), d.key(i+1))
		if r.IntN(4) > 0 {
			statements, changed[i] = append(statements, update), changed[i]+1
			continue
		}
		kept := r.IntN(2) == 0
		statements = append(statements, "SAVEPOINT s", update)
		if kept {
			changed[i]++
		} else {
			statements = append(statements, "ROLLBACK TO SAVEPOINT s")
		}
		statements = append(statements, "RELEASE SAVEPOINT s")
	}
	commit := r.IntN(3) > 0
	statements = append(statements, map[bool]string{true: "COMMIT", false: "ROLLBACK"}[commit])
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), conn.Close())
		}
	}
	for i, n := range changed {
		if commit {
			committed[i].Add(n)
		}
	}
	return nil
}

// TestLongTransaction has a transaction stay open that took its number first. The changes of others
// can be read meanwhile, and its own afterwards. Whoever reads in the order of numbers alone misses
// these.
func TestLongTransaction(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO ports (id) VALUES ("+db.key(1)+")"); err != nil {
		t.Fatal(err)
	}
	if got, want := db.logged("INSERT INTO ports (id) VALUES ("+db.key(2)+")", "INSERT INTO ports (id) VALUES ("+db.key(3)+")"), []string{"1 port 2", "1 port 3"}; !slices.Equal(got, want) {
		t.Errorf("beside an open transaction, %q were read, want %q", got, want)
	}
	name := changes.Objects(entities)(dialect.Postgres)[0].Name
	var column, horizon int64 // what two other ways to read have reached by now
	if err := db.QueryRowContext(t.Context(), "SELECT max(seq), count(*) FILTER (WHERE xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint) FROM "+name).Scan(&column, &horizon); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, want := db.logged(), []string{"1 port 1"}; !slices.Equal(got, want) {
		t.Errorf("after it, %q were read, want %q", got, want)
	}
	var missed int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+name+" WHERE seq < $1 AND key LIKE '%1'", column).Scan(&missed); err != nil {
		t.Fatal(err)
	}
	if missed != 1 || horizon != 0 {
		t.Errorf("whoever reads by numbers misses %d changes, want 1; whoever waits for the oldest transaction had read %d, want 0", missed, horizon)
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		read := func(at changes.Position) error {
			_, _, err := db.log.Read(t.Context(), at, 10)
			return err
		}
		start := db.at
		db.logged("INSERT INTO ports (id) VALUES (" + db.key(1) + ")")
		first := db.at
		if err := errors.Join(read(start), read(first)); err != nil {
			t.Fatal(err)
		}
		for name, at := range map[string]changes.Position{
			"another mark": {Tick: first.Tick, Mark: first.Mark + 1, Seq: first.Seq},
			"not yet":      {Tick: first.Tick + 9*min(first.Tick, 1), Mark: first.Mark, Seq: first.Seq + 9},
		} {
			if err := read(at); !errors.Is(err, changes.ErrLost) {
				t.Errorf("%s: got %v, want ErrLost", name, err)
			}
		}
		for i := range 5 {
			db.logged("INSERT INTO ports (id) VALUES (" + db.key(i+2) + ")")
		}
		if n, err := db.log.Sweep(t.Context(), time.Hour, 1000); n != 0 || err != nil {
			t.Errorf("Sweep has removed %d changes, %v; want none", n, err)
		}
		if n, err := db.log.Sweep(t.Context(), time.Hour, 2); n < 3 || n > 5 || err != nil {
			t.Errorf("Sweep has removed %d changes, %v; want 3 to 5", n, err)
		}
		if err := read(first); !errors.Is(err, changes.ErrExpired) {
			t.Errorf("a position before what was removed: got %v, want ErrExpired", err)
		}
		if got := db.logged("INSERT INTO ports (id) VALUES (" + db.key(99) + ")"); !slices.Equal(got, []string{"1 port 63"}) {
			t.Errorf("after the last change, %q were read", got)
		}
	})
}

// TestNewServer has the transaction IDs begin anew, as they do where a backup is restored.
func TestNewServer(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	db.logged("INSERT INTO ports (id) VALUES (" + db.key(1) + ")")
	name := changes.Objects(entities)(dialect.Postgres)[0].Name
	db.exec("UPDATE "+name+" SET xid = xid + 1000000", "UPDATE "+name+"_ticks SET ended = ended + 1000000", "INSERT INTO ports (id) VALUES ("+db.key(2)+")")
	if err := db.log.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.log.Read(t.Context(), db.at, 10); !errors.Is(err, changes.ErrLost) {
		t.Errorf("a position of the old server: got %v, want ErrLost", err)
	}
	db.skip()
	if got := db.logged("INSERT INTO ports (id) VALUES (" + db.key(3) + ")"); !slices.Equal(got, []string{"1 port 3"}) {
		t.Errorf("logged %q", got)
	}
}

// TestRestoredWithinBatch has a reader stop between two ticks of a database that is then restored
// from a backup of before the second. Other changes get the numbers of those that were read.
func TestRestoredWithinBatch(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	for i := range 3 {
		db.exec("INSERT INTO ports (id) VALUES (" + db.key(i+1) + ")")
	}
	if err := db.log.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, within, err := db.log.Read(t.Context(), db.at, 2)
	if err != nil || len(list) != 2 || within.Seq == 0 {
		t.Fatalf("got %v up to %v, %v; want two changes", list, within, err)
	}
	if list, _, err = db.log.Read(t.Context(), within, 10); err != nil || len(list) != 1 {
		t.Errorf("after two of three changes: got %v, %v; want the third", list, err)
	}
	name := changes.Objects(entities)(dialect.Postgres)[0].Name
	db.exec("DELETE FROM "+name, "DELETE FROM ports", fmt.Sprintf("DELETE FROM %s_ticks WHERE id > %d", name, within.Tick),
		"ALTER TABLE "+name+" ALTER seq RESTART")
	db.exec("INSERT INTO ports (id) VALUES (" + db.key(4) + ")")
	if err := db.log.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.log.Read(t.Context(), within, 10); !errors.Is(err, changes.ErrLost) {
		t.Errorf("in the restored database: got %v, want ErrLost", err)
	}
}
