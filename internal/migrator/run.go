package migrator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3"
)

// LockTimeout is how long a statement of a migration waits on PostgreSQL for
// what others have locked, unless it is said otherwise. All that comes after
// it, reads as well, queues up behind it meanwhile. So it is short, and the
// step is tried again.
const LockTimeout = 3 * time.Second

// A Source holds the migration files of an application for one kind of database.
type Source struct {
	dialect string
	all     fs.FS // a directory for each kind of database
}

// New returns the source for a dialect, dialect.Postgres or dialect.SQLite. The migration files are
// in the directories postgres and sqlite of files. With another dialect every method of the source
// returns an error.
func New(files fs.FS, dialect string) Source { return Source{dialect, files} }

// Dialect returns the kind of database that the source is for.
func (s Source) Dialect() string { return s.dialect }

// Dir returns the name of the directory of a dialect. It returns an error for a dialect other than
// PostgreSQL and SQLite.
func Dir(name string) (string, error) {
	switch name {
	case dialect.Postgres:
		return "postgres", nil
	case dialect.SQLite:
		return "sqlite", nil
	}
	return "", fmt.Errorf("migrate: no migrations for the dialect %q; there are some for %q and %q",
		name, dialect.Postgres, dialect.SQLite)
}

// files returns the migration files of the dialect.
func (s Source) files() (fs.FS, error) {
	dir, err := Dir(s.dialect)
	if err != nil {
		return nil, err
	}
	return fs.Sub(s.all, dir)
}

// runner returns the runner of the dialect's files.
func (s Source) runner(lockTimeout time.Duration, log *slog.Logger) (runner, error) {
	files, err := s.files()
	return runner{s.dialect, files, lockTimeout, log}, err
}

// Up applies the versions that the database lacks, each in a transaction. Any number of processes
// may call it at once: they take turns, and each version is applied once.
//
// It returns a *Refusal, and changes nothing, if the database is newer than the files or is not as
// its versions left it. It returns a *StepError if a statement fails. On SQLite all pending versions
// are then undone; on PostgreSQL the versions before the failing one stay.
func (s Source) Up(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	return s.UpTo(ctx, db, math.MaxInt64, LockTimeout, log)
}

// UpTo is Up for the versions up to and including the one with a number; see Find. With a lockTimeout
// of 0 it waits for locks without limit.
func (s Source) UpTo(ctx context.Context, db *sql.DB, number int64, lockTimeout time.Duration, log *slog.Logger) error {
	r, err := s.runner(lockTimeout, log)
	if err != nil {
		return err
	}
	return r.up(ctx, db, number)
}

// Down undoes the last n versions that the database has, or all of them if there are fewer.
//
// It returns a *LossError, and changes nothing, if that would lose data and lose is false. If a down
// section leaves another schema than there was before its version, it is rolled back and Down returns
// a *StepError that wraps a *RestoreError. Down refuses the same databases as Up.
func (s Source) Down(ctx context.Context, db *sql.DB, n int, lose bool, lockTimeout time.Duration, log *slog.Logger) error {
	r, err := s.runner(lockTimeout, log)
	if err != nil {
		return err
	}
	return r.down(ctx, db, n, lose)
}

// DownUnchecked undoes the last n versions, no matter which data that loses or which schema it
// leaves. It is for tools that try migration files out and compare the result themselves.
func (s Source) DownUnchecked(ctx context.Context, db *sql.DB, n int, log *slog.Logger) error {
	r, err := s.runner(LockTimeout, log)
	if err != nil {
		return err
	}
	return r.run(ctx, db, undoing(n, job{lose: true, anySchema: true}))
}

// A runner applies files to a database and undoes them.
type runner struct {
	dialect     string
	files       fs.FS
	lockTimeout time.Duration
	log         *slog.Logger
}

// A step is a version that is applied or undone.
type step struct {
	version Version
	script  Script
	down    bool
}

func (r runner) up(ctx context.Context, db *sql.DB, to int64) error {
	return r.run(ctx, db, job{wanted: func(report *Report) ([]Version, error) {
		if err := report.unfinished(); err != nil {
			return nil, err
		}
		return slices.DeleteFunc(report.pending(), func(v Version) bool { return v.Number > to }), nil
	}})
}

func (r runner) down(ctx context.Context, db *sql.DB, n int, lose bool) error {
	if n < 1 {
		return fmt.Errorf("migrate: cannot undo %d versions: the number must be 1 or more", n)
	}
	return r.run(ctx, db, undoing(n, job{lose: lose}))
}

// A job is what to do with a database that nothing speaks against changing.
type job struct {
	wanted    func(*Report) ([]Version, error) // in the order in which they are to be done
	down      bool                             // they are undone,
	lose      bool                             // whatever is lost,
	anySchema bool                             // and whatever schema they leave
}

// undoing is the job to undo the last n versions.
func undoing(n int, j job) job {
	j.down = true
	j.wanted = func(report *Report) ([]Version, error) {
		applied := report.applied()
		slices.Reverse(applied)
		return applied[:min(n, len(applied))], nil
	}
	return j
}

// run does a job until it is done or a step fails.
func (r runner) run(ctx context.Context, db *sql.DB, j job) error {
	conn, err := connect(ctx, db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	// The usual start has nothing to do, and then needs neither the lock nor the right to write.
	report, err := reportWithoutWaiting(ctx, conn, r.dialect, r.files)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := report.refusal(); err != nil {
		return err
	}
	versions, err := j.wanted(report)
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		if !j.down && report.Err() == nil && report.unrecorded() {
			if err := r.recordSchema(ctx, conn); err != nil {
				r.log.WarnContext(ctx, "could not write down what the schema is, so changes by hand are not seen", "error", err)
			}
		}
		return nil
	}
	return r.locked(ctx, conn, j)
}

// plan looks at the database again, now that conn holds the lock: another
// process may have migrated while this one waited.
func (r runner) plan(ctx context.Context, conn *sql.Conn, j job) (h history, steps []step, err error) {
	err = r.retryOnLock(ctx, "look at the schema", func() error {
		report, err := reportOn(ctx, conn, r.dialect, r.files)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if err := report.refusal(); err != nil {
			return err
		}
		versions, err := j.wanted(report)
		if err != nil {
			return err
		}
		h = report.history
		steps, err = r.steps(versions, j.down)
		if err == nil && j.down && !j.lose {
			err = r.checkLoss(ctx, conn, h, steps)
		}
		return err
	})
	return h, steps, err
}

// steps reads the files of versions, so that what cannot be run is found
// before anything is.
func (r runner) steps(versions []Version, down bool) ([]step, error) {
	var all []step
	for _, v := range versions {
		script, err := ReadScript(r.files, v)
		if err != nil {
			return nil, err
		}
		s := step{v, script, down}
		if err := s.runnable(); err != nil {
			return nil, fmt.Errorf("migrate: %s: %w", v.File(), err)
		}
		all = append(all, s)
	}
	return all, nil
}

// A done is a step that has been done for good.
type finished struct {
	step step
	took time.Duration
}

func (d finished) log(ctx context.Context, log *slog.Logger) {
	verb := "applied migration"
	if d.step.down {
		verb = "undid migration"
	}
	log.InfoContext(ctx, verb, "file", d.step.version.File(), "durationMs", float64(d.took.Microseconds())/1000)
}

// locked does a job while conn holds the lock. What is done it logs at once,
// but on SQLite in the end, as all is done together there, or nothing.
func (r runner) locked(ctx context.Context, conn *sql.Conn, j job) (err error) {
	release, err := r.acquire(ctx, conn)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var together []finished
	defer func() {
		// Even when ctx has ended: the lock and the connection's settings must not outlive this call.
		if err = release(context.WithoutCancel(ctx), err); err != nil {
			return
		}
		for _, d := range together {
			d.log(ctx, r.log)
		}
	}()
	h, steps, err := r.plan(ctx, conn, j)
	if err != nil || len(steps) == 0 {
		return err
	}
	store, err := newStore(r.dialect, r.files, j.anySchema)
	if err != nil {
		return err
	}
	if err := store.prepare(ctx, conn, h); err != nil {
		return err
	}
	return onOneConnection(conn, r.dialect, func(db *sql.DB, p *pinned) error {
		goose, err := goose.NewProvider("", db, r.files, goose.WithStore(store),
			goose.WithDisableGlobalRegistry(true)) // only files: what another package registers is not ours
		if err != nil {
			return err
		}
		for _, s := range steps {
			start := time.Now()
			if err := r.retryOnLock(ctx, s.version.File(), func() error { return r.runStep(ctx, goose, db, p, s, h) }); err != nil {
				return err
			}
			if d := (finished{s, time.Since(start)}); r.dialect == dialect.SQLite {
				together = append(together, d)
			} else {
				d.log(ctx, r.log)
			}
			if store.left != nil {
				return &StepError{File: s.version.File(), Down: true, Err: store.left,
					kept: "it ran outside of a transaction, so that stays, and the version is undone"}
			}
		}
		return nil
	})
}

// runStep has goose run one step, and record it.
func (r runner) runStep(ctx context.Context, provider *goose.Provider, db *sql.DB, p *pinned, s step, h history) error {
	defer p.watch(nil, false)
	run := func(skip bool) error {
		p.watch(&s, skip)
		_, err := provider.ApplyVersion(ctx, s.version.Number, !s.down)
		return s.explain(err)
	}
	if index, ok := s.concurrent(); ok && r.dialect == dialect.Postgres {
		return r.build(ctx, db, s, index, h, run)
	}
	err := run(false)
	if failed, ok := errors.AsType[*StepError](err); ok {
		switch {
		case r.dialect == dialect.SQLite:
			failed.kept = "nothing was kept, of files before it neither"
		case s.script.Outside:
			failed.kept = "it ran outside of a transaction: look at what it left"
		}
	}
	return err
}

// explain makes a *StepError of what goose says.
func (s step) explain(err error) error {
	if err == nil {
		return nil
	}
	// That a rollback fails as well means that there is no transaction any more.
	if failed, ok := errors.AsType[*StepError](err); ok {
		return failed
	}
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		err = partial.Err
	}
	return &StepError{File: s.version.File(), Down: s.down, Err: err}
}

// failed is the error of the statement with a number, which goose sent as query.
func (s step) failed(number int, query string, err error) error {
	statement := s.script.section(s.down)[number-1]
	return &StepError{File: s.version.File(), Down: s.down, Statement: number, Line: statement.Line, Err: err, statement: statement,
		before: utf8.RuneCountInString(query) - utf8.RuneCountInString(statement.Text)}
}
