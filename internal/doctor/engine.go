package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/database"
)

// A feature is something that Forge needs of PostgreSQL, and that an engine which speaks its
// protocol may lack.
type feature struct {
	name string
	need string // what needs it
	// part says that only a part of Forge needs it.
	part bool
	// statements try it, in a transaction that is rolled back. The last one returns a value, which
	// is want. Tables are temporary.
	statements []string
	want       string
}

const needsAll, needsReads, needsWrites = "everything", "queries", "mutations"

// features returns what Forge needs, in the order of the page.
func features() []feature {
	const table = "CREATE TEMPORARY TABLE t (id uuid PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY, x text COLLATE \"C\", at timestamptz, list text[], doc jsonb)"
	const row = "INSERT INTO t (id, x, at, list, doc) VALUES ('01a22c42-f660-7772-9c83-4ef1c2d87ef9', 'a', '2026-01-31 23:30+00', '{b,c}', '{\"d\": 1}')"
	in := func(name, need, want string, statements ...string) feature {
		return feature{name: name, need: need, want: want, statements: append([]string{table, row}, statements...)}
	}
	only := func(f feature) feature { f.part = true; return f }
	return []feature{
		in("identity columns, `uuid`, `timestamptz`, `jsonb`, arrays", needsAll, "1 a", "SELECT n || ' ' || x FROM t WHERE id = '01a22c42-f660-7772-9c83-4ef1c2d87ef9' AND doc ? 'd' AND 'c' = ANY (list)"),
		in("`COLLATE \"C\"`", "sorted pages, cursors, and texts that both databases compare alike", "true", `SELECT ('Z' COLLATE "C" < 'a' COLLATE "C")::text`),
		in("prepared statements of the protocol", "statements that are planned once; not needed behind PgBouncer", "a", "SELECT x FROM t"), // the driver prepares it
		in("`LATERAL`, `WITH ORDINALITY`", needsReads+": nested lists in one statement", "c 2", "SELECT l.e || ' ' || l.i FROM t, LATERAL (SELECT e, i FROM unnest(t.list) WITH ORDINALITY u (e, i) WHERE i = 2) l"),
		in("`WITH … AS MATERIALIZED`, window functions", needsReads, "1", "WITH m AS MATERIALIZED (SELECT row_number() OVER (PARTITION BY x) AS r FROM t) SELECT r::text FROM m"),
		in("comparisons of rows, by an index", "cursors", "a", "SELECT x FROM t WHERE (x, id) < ('b', '01a22c42-f660-7772-9c83-4ef1c2d87ef9') LIMIT 1"),
		in("`date_trunc` in a time zone", "groups by day, week, month", "2026-01-31 23:00:00", "SELECT (date_trunc('month', at, 'Europe/Berlin') AT TIME ZONE 'UTC')::text FROM t"),
		in("`REPEATABLE READ`, `SERIALIZABLE`", needsReads+" of several statements, and `ISOLATION=serializable`", "serializable", "ROLLBACK", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "ROLLBACK", "BEGIN ISOLATION LEVEL SERIALIZABLE", "SELECT current_setting('transaction_isolation')"),
		in("`RETURNING`, and writes in `WITH`", needsWrites+" in one statement", "b", "WITH w AS (UPDATE t SET x = 'b' RETURNING x) SELECT x FROM w"),
		in("`ON CONFLICT … DO UPDATE … WHERE`", "upsert, and an `Idempotency-Key`", "b", "INSERT INTO t AS o (id, x) SELECT id, 'b' FROM t ON CONFLICT (id) DO UPDATE SET x = excluded.x WHERE o.x < 'b' RETURNING x"),
		in("savepoints", "bulk mutations that go on", "a", "SAVEPOINT a", "UPDATE t SET x = 'b'", "ROLLBACK TO SAVEPOINT a", "RELEASE SAVEPOINT a", "SELECT x FROM t"),
		in("`FOR NO KEY UPDATE`, `NOWAIT`, `SKIP LOCKED`", needsWrites+" at once, and sweeps", "a", "SELECT x FROM t FOR NO KEY UPDATE NOWAIT", "SELECT x FROM t FOR UPDATE SKIP LOCKED"),
		in("the limits of a session", "`STATEMENT_TIMEOUT`, `LOCK_TIMEOUT`, and plans", "7s off", "SET LOCAL statement_timeout = 7000", "SET LOCAL lock_timeout = 7000", "SET LOCAL idle_in_transaction_session_timeout = 7000", "SET LOCAL join_collapse_limit = 4", "SET LOCAL enable_memoize = off",
			"SELECT current_setting('statement_timeout') || ' ' || current_setting('enable_memoize')"),
		in("constraints `NOT VALID`, the catalog", "migrations, drift", "false", "ALTER TABLE t ADD CONSTRAINT short CHECK (length(x) < 9) NOT VALID", "SELECT convalidated::text FROM pg_constraint WHERE conname = 'short' AND pg_get_constraintdef(oid) <> ''"),
		only(in("triggers of statements, with transition tables", "the log of changes: subscriptions, webhooks", "b", "CREATE TEMPORARY TABLE log (x text)",
			"CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT n.x FROM before_rows o FULL JOIN after_rows n ON o.id = n.id; RETURN NULL; END $$",
			"CREATE TRIGGER note AFTER UPDATE ON t REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.note()", "UPDATE t SET x = 'b'", "SELECT x FROM log")),
		only(in("`gin` indexes of `tsvector`, functions in plpgsql", "search", "true", "CREATE FUNCTION pg_temp.words(x text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN array_to_tsvector(regexp_split_to_array(x, ' ')); END $$",
			"CREATE INDEX ON t USING gin (pg_temp.words(x)) WITH (fastupdate = off)", "SELECT (pg_temp.words(x) @@ 'a:*'::tsquery)::text FROM t")),
		only(in("collations of ICU", "comparisons regardless of case, and sorting by language", "SS true", `SELECT upper('ß' COLLATE "und-x-icu") || ' ' || ('ä' COLLATE "de-x-icu" < 'b')::text`)),
	}
}

// Engine tries each feature of PostgreSQL that Forge needs. All of it happens in transactions that
// are rolled back. It returns a finding for each feature.
func (d *Doctor) Engine(ctx context.Context) Report {
	db, err := database.Open(d.address(), d.options())
	if err != nil {
		return Report{fail("database", err.Error(), "Correct "+d.config.NameOf("DATABASE_URL")+".")}
	}
	defer d.close(db)
	if db.Dialect != dialect.Postgres {
		return Report{Finding{"engine", Skipped, "this is for PostgreSQL, and for what speaks its protocol; SQLite comes with Forge", ""}}
	}
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return Report{d.unreached(err)}
	}
	defer conn.Close()
	var report Report
	for _, f := range features() {
		report = append(report, f.finding(try(ctx, conn, f)))
	}
	for _, f := range betweenSessions() {
		report = append(report, f.finding(f.try(ctx, d, db, conn)))
	}
	return report
}

// engineTime is how long Engine may take.
const engineTime = 30 * time.Second

// finding returns the result of a trial.
func (f feature) finding(err error) Finding {
	name := strings.ReplaceAll(f.name, "`", "")
	need := strings.ReplaceAll(f.need, "`", "")
	switch {
	case err == nil:
		return ok("engine", "%s: %s", name, need)
	case f.part:
		return Finding{"engine", Warn, fmt.Sprintf("%s: %s; %s", name, need, err), "Without it, this part of Forge does not work on this engine."}
	}
	return fail("engine", fmt.Sprintf("%s: %s; %s", name, need, err), "Forge does not work on this engine.")
}

// try runs the statements of a feature in a transaction, and rolls it back.
func try(ctx context.Context, conn *sql.Conn, f feature) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		_, failed := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, failed)
	}()
	last := len(f.statements) - 1
	for _, statement := range f.statements[:last] {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	var got string
	if err := conn.QueryRowContext(ctx, f.statements[last]).Scan(&got); err != nil {
		return err
	}
	if got != f.want {
		return fmt.Errorf("it answers %q, want %q", got, f.want)
	}
	return nil
}

// pairFeature is a feature that takes two sessions.
type pairFeature struct {
	feature
	try func(context.Context, *Doctor, *database.DB, *sql.Conn) error
}

func betweenSessions() []pairFeature {
	return []pairFeature{
		{feature{name: "advisory locks", need: "migrations, and the log of changes on several servers"}, tryAdvisoryLock},
		{feature{name: "`pg_current_snapshot` with the running transactions", need: "the log of changes: subscriptions, webhooks", part: true}, trySnapshot},
		{feature{name: "`LISTEN`, `NOTIFY`", need: "subscriptions that are woken at once, and not within 250 ms", part: true}, tryNotify},
	}
}

// tryAdvisoryLock returns an error if a lock of one session does not keep another one out. Some
// engines accept such locks and do nothing.
func tryAdvisoryLock(ctx context.Context, _ *Doctor, db *database.DB, conn *sql.Conn) error {
	return whileBegun(ctx, conn, "SELECT pg_advisory_xact_lock(7306925813)", func() error {
		var second bool
		if err := db.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock(7306925813)").Scan(&second); err != nil {
			return err
		}
		if second {
			return errors.New("two sessions hold the same lock")
		}
		return nil
	})
}

// trySnapshot returns an error if a session does not see that the transaction of another one runs.
func trySnapshot(ctx context.Context, _ *Doctor, db *database.DB, conn *sql.Conn) error {
	return whileBegun(ctx, conn, "SELECT pg_current_xact_id()", func() error {
		var id string
		var visible bool
		if err := conn.QueryRowContext(ctx, "SELECT pg_current_xact_id()::text").Scan(&id); err != nil {
			return err
		}
		if err := db.QueryRowContext(ctx, "SELECT pg_visible_in_snapshot($1::xid8, pg_current_snapshot())", id).Scan(&visible); err != nil {
			return err
		}
		if visible {
			return errors.New("a transaction that runs counts as ended")
		}
		return nil
	})
}

// whileBegun calls do while a transaction runs that has run a statement.
func whileBegun(ctx context.Context, conn *sql.Conn, statement string, do func() error) (err error) {
	_, err = conn.ExecContext(ctx, "BEGIN; "+statement)
	if err == nil {
		err = do()
	}
	_, failed := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return errors.Join(err, failed)
}

// tryNotify returns an error if a notification does not arrive.
func tryNotify(ctx context.Context, d *Doctor, db *database.DB, conn *sql.Conn) error {
	if db.Options.PgBouncer {
		return errors.New("PgBouncer does not pass it; set CHANGES_URL to an address of PostgreSQL itself")
	}
	l := pq.NewListener(d.address(), time.Second, time.Second, nil)
	defer l.Close()
	const channel = "forge_engine"
	listening := make(chan error, 1)
	go func() { listening <- l.Listen(channel) }()
	arrived, late := (<-chan *pq.Notification)(nil), time.After(d.timeout)
	for {
		select {
		case err := <-listening:
			if err == nil {
				arrived = l.Notify
				_, err = conn.ExecContext(ctx, "SELECT pg_notify('"+channel+"', '')")
			}
			if err != nil {
				return err
			}
		case <-arrived:
			return nil
		case <-late:
			return errors.New("no notification arrived")
		}
	}
}
