package shared

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// Policy says how attempts are slowed down that fail.
type Policy struct {
	Free           int           // how many may fail before the next has to wait
	Window         time.Duration // after this time, failures are forgotten
	First, Longest time.Duration // the waits: the first, which doubles with each failure, and the longest
}

// Failures counts failures by key, for all servers of a database.
type Failures struct {
	db     *database.DB
	policy Policy
	table  string
	outage outage
}

// mostFailures is how many keys the table has at most after a sweep. They take some 150 MiB.
const mostFailures = 1 << 20

// NewFailures returns the failures of a database. It returns nil for SQLite, which has one server.
func NewFailures(db *database.DB, p Policy, log *slog.Logger) *Failures {
	if db.Dialect != dialect.Postgres {
		return nil
	}
	return &Failures{db: db, policy: p, table: failures().Name,
		outage: outage{log: log, what: "failures to sign in are counted by this server alone"}}
}

// Allowing returns the same failures, of which another number may happen before an attempt has to
// wait. It returns nil if f is nil.
func (f *Failures) Allowing(free int) *Failures {
	if f == nil {
		return nil
	}
	p := f.policy
	p.Free = free
	return &Failures{db: f.db, policy: p, table: f.table, outage: outage{log: f.outage.log, what: f.outage.what}}
}

// State is what is known of a key.
type State struct {
	Failures int
	Since    time.Duration // how long ago the first failure was
	Wait     time.Duration // how long the next attempt has to wait; 0 if it need not
}

// An attempt that did not end within a minute was one of a server that has died.
const (
	forgotten = "f.failures > 0 AND now() - f.since >= make_interval(secs => $3) AND now() - f.until >= make_interval(secs => $3)"
	counted   = "CASE WHEN " + forgotten + " THEN 0 ELSE f.failures END"
	running   = "CASE WHEN f.at < now() - interval '1 minute' THEN 0 ELSE f.running END"
)

// Begin begins an attempt, which has to be ended by Fail, Succeed or Undo. If the key has to wait,
// or if as many attempts are running as may still fail, begun is false. An error means that
// failures cannot be counted here at present.
func (f *Failures) Begin(ctx context.Context, key []byte) (begun bool, s State, err error) {
	ctx, cancel := within(ctx)
	defer cancel()
	row := f.db.QueryRowContext(ctx, fmt.Sprintf(`WITH made AS (
  INSERT INTO %[1]s AS f (key, failures, running, since, until, at) VALUES ($1, 0, 1, now(), now(), now())
  ON CONFLICT (key) DO UPDATE SET failures = %[2]s, running = %[3]s + 1, at = now()
  WHERE f.until <= now() AND %[3]s < greatest(1, $2 - %[2]s)
  RETURNING true, f.failures, f.since, f.until
)
SELECT *, now() FROM made UNION ALL SELECT false, failures, since, until, now() FROM %[1]s WHERE key = $1 LIMIT 1`, f.table, counted, running),
		key, f.policy.Free, f.policy.Window.Seconds())
	begun, s, err = stateOf(row)
	if errors.Is(err, sql.ErrNoRows) { // others have begun the first attempts at this moment
		err = nil
	}
	return begun, s, f.outage.note(ctx, err)
}

// Fail ends an attempt that has failed.
func (f *Failures) Fail(ctx context.Context, key []byte) (s State, err error) {
	ctx, cancel := within(ctx)
	defer cancel()
	row := f.db.QueryRowContext(ctx, fmt.Sprintf(`INSERT INTO %s AS f (key, failures, running, since, until, at) VALUES ($1, 1, 0, now(), now(), now())
ON CONFLICT (key) DO UPDATE SET failures = f.failures + 1, running = greatest(f.running - 1, 0), at = now(),
  since = CASE WHEN f.failures = 0 THEN now() ELSE f.since END,
  until = CASE WHEN f.failures + 1 < $2 THEN f.until
    ELSE now() + make_interval(secs => least($3 * 2 ^ least(f.failures + 1 - $2, 10), $4)) END
RETURNING true, f.failures, f.since, f.until, now()`, f.table),
		key, f.policy.Free, f.policy.First.Seconds(), f.policy.Longest.Seconds())
	_, s, err = stateOf(row)
	return s, f.outage.note(ctx, err)
}

func stateOf(row *sql.Row) (begun bool, s State, err error) {
	var since, until, now time.Time
	if err := row.Scan(&begun, &s.Failures, &since, &until, &now); err != nil {
		return false, s, fmt.Errorf("count a failure: %w", err)
	}
	s.Since, s.Wait = now.Sub(since), max(0, until.Sub(now))
	return begun, s, nil
}

// Succeed ends an attempt, and forgets the failures of its key.
func (f *Failures) Succeed(ctx context.Context, key []byte) error {
	return f.end(ctx, key, "failures = 0, until = now(), ")
}

// Undo ends an attempt that could not be completed.
func (f *Failures) Undo(ctx context.Context, key []byte) error { return f.end(ctx, key, "") }

func (f *Failures) end(ctx context.Context, key []byte, set string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	_, err := f.db.ExecContext(ctx, "UPDATE "+f.table+" SET "+set+"running = greatest(running - 1, 0) WHERE key = $1", key)
	return f.outage.note(ctx, err)
}

// Sweep removes keys without failures, those whose failures are forgotten, and the oldest beyond
// mostFailures. Rows that another server removes at the same time are left to it.
func (f *Failures) Sweep(ctx context.Context) error {
	if f == nil {
		return nil
	}
	return sweep(ctx, f.db, "failures to sign in", fmt.Sprintf(`DELETE FROM %[1]s WHERE key IN (SELECT key FROM %[1]s f
  WHERE at < now() - interval '1 minute' AND failures = 0 OR greatest(at, until) < now() - make_interval(secs => $2)
    OR at < (SELECT at FROM %[1]s ORDER BY at DESC OFFSET $3 LIMIT 1)
  LIMIT $1 FOR UPDATE SKIP LOCKED)`, f.table), f.policy.Window.Seconds(), mostFailures)
}
