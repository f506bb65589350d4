package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// limits compares the limits of a transaction with those in the settings. It also reports a pooler
// between Forge and PostgreSQL that the settings do not mention.
func (d *Doctor) limits(ctx context.Context, db *database.DB) (found []Finding) {
	if db.Dialect != dialect.Postgres {
		return nil
	}
	between, err := somethingBetween(ctx, db)
	if err != nil {
		return []Finding{fail("limits", err.Error(), "")}
	}
	if between && !db.Options.PgBouncer {
		found = append(found, fail("limits", "two connections are one session of PostgreSQL: something like PgBouncer in transaction mode is between",
			"Set PGBOUNCER=on: prepared statements fail at random otherwise, and limits may not hold."))
	}
	inEffect, err := limitsInEffect(ctx, db)
	if err != nil {
		return append(found, fail("limits", err.Error(), ""))
	}
	for _, l := range d.wanted() {
		switch is := inEffect[l.name]; {
		case is != l.wanted:
			found = append(found, fail("limits", fmt.Sprintf("%s is %s, and %s asks for %s", l.name, is, l.setting, l.wanted),
				"Something between Forge and PostgreSQL does not pass it on: let it, or set PGBOUNCER=on if it is PgBouncer."))
		case is == 0:
			found = append(found, warn("limits", l.name+" is off: what hangs holds its connection for ever", "Set "+l.setting+"."))
		}
	}
	if found == nil {
		found = append(found, ok("limits", "statements %s, locks %s, idle transactions %s", inEffect["statement_timeout"], inEffect["lock_timeout"],
			inEffect["idle_in_transaction_session_timeout"]))
	}
	return found
}

type limit struct {
	name, setting string
	wanted        time.Duration
}

// wanted returns the limits that the database's address sets, and those of the settings otherwise.
func (d *Doctor) wanted() []limit {
	o := d.config.Pool
	all := []limit{
		{"statement_timeout", "STATEMENT_TIMEOUT", o.StatementTimeout},
		{"lock_timeout", "LOCK_TIMEOUT", o.LockTimeout},
		{"idle_in_transaction_session_timeout", "IDLE_IN_TRANSACTION_TIMEOUT", o.IdleInTransaction},
	}
	u, err := database.ParseAddress(d.config.DatabaseURL)
	if err != nil {
		return all
	}
	for i := range all {
		if n, err := strconv.Atoi(u.Query().Get(all[i].name)); err == nil {
			all[i].wanted, all[i].setting = time.Duration(n)*time.Millisecond, "DATABASE_URL"
		}
	}
	return all
}

// limitsInEffect returns the limits inside a transaction that begins like those of requests.
// PostgreSQL states them in milliseconds.
func limitsInEffect(ctx context.Context, db *database.DB) (map[string]time.Duration, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, db.Begin(true)); err != nil {
		return nil, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	rows, err := conn.QueryContext(ctx, `SELECT name, setting::bigint FROM pg_settings
		WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]time.Duration{}
	for rows.Next() {
		var name string
		var milliseconds int64
		if err := rows.Scan(&name, &milliseconds); err != nil {
			return nil, err
		}
		all[name] = time.Duration(milliseconds) * time.Millisecond
	}
	return all, rows.Err()
}

// somethingBetween reports whether two open connections lead to the same session of PostgreSQL.
// That is possible only through a pooler. A pooler that happens to use two sessions is not noticed.
func somethingBetween(ctx context.Context, db *database.DB) (bool, error) {
	var one, other int
	first, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer first.Close()
	second, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer second.Close()
	pid := func(conn *sql.Conn, n *int) error {
		return conn.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(n)
	}
	err = errors.Join(pid(first, &one), pid(second, &other))
	return err == nil && one == other, err
}
