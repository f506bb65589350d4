package migrator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3"

	"forge/internal/progress"
)

// LockTimeout is how long a statement of a migration waits for a lock on PostgreSQL, if the caller
// of UpTo or Down does not say otherwise. The time is short, because other statements on the table,
// even reads, wait behind the one that waits for the lock. After the timeout, the step is tried
// again.
const LockTimeout = 3 * time.Second

// A runner applies files to a database and undoes them.
type runner struct {
	dialect     string
	files       fs.FS
	lockTimeout time.Duration
	log         *slog.Logger
}

// A step is a version that is to be applied or undone.
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

// A job says which versions of a database are to be applied or undone.
type job struct {
	wanted    func(*Report) ([]Version, error) // returns the versions in the order of work
	down      bool                             // undo the versions
	lose      bool                             // undo them even if data is lost
	anySchema bool                             // undo them even if that leaves another schema
}

// undoing returns the job j, changed so that it undoes the last n versions.
func undoing(n int, j job) job {
	j.down = true
	j.wanted = func(report *Report) ([]Version, error) {
		applied := report.applied()
		slices.Reverse(applied)
		return applied[:min(n, len(applied))], nil
	}
	return j
}

// run does a job. It stops at the first step that fails.
func (r runner) run(ctx context.Context, db *sql.DB, j job) error {
	conn, err := connect(ctx, db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	// Usually there is nothing to do. Then neither the lock nor the right to write is needed.
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

// plan returns the steps of a job. It reads the database again under the lock, because another
// process may have migrated it in the meantime.
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
		if err == nil && j.down && !j.anySchema {
			err = keepBaseline(steps)
		}
		if err == nil && j.down && !j.lose {
			err = r.checkLoss(ctx, conn, h, steps)
		}
		return err
	})
	return h, steps, err
}

// steps reads the files of versions. It returns an error if one of them cannot be run. No file has
// been run then.
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

// A finished is a step that is done.
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

// locked does a job while conn holds the lock. It logs each step when it is committed. On SQLite,
// all steps are committed together, so they are logged at the end.
func (r runner) locked(ctx context.Context, conn *sql.Conn, j job) (err error) {
	release, err := r.acquire(ctx, conn)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var together []finished
	defer func() {
		// Even if ctx has ended, the lock must be released and the connection's settings restored.
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
			// Migrations that other packages register as Go code are ignored.
			goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return err
		}
		ctx, end := progress.Begin(ctx, "migrating")
		defer end()
		for i, s := range steps {
			progress.At(ctx, "%s, %d of %d", s.version.File(), i+1, len(steps))
			if done, err := r.adopted(ctx, db, store, s); err != nil || done {
				if err != nil {
					return err
				}
				continue
			}
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

// runStep makes goose run one step and record it.
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

// explain turns an error of goose into a *StepError. It returns nil if err is nil.
func (s step) explain(err error) error {
	if err == nil {
		return nil
	}
	// A *StepError may be joined with the error of a rollback, which fails if the transaction has
	// ended already.
	if failed, ok := errors.AsType[*StepError](err); ok {
		return failed
	}
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		err = partial.Err
	}
	return &StepError{File: s.version.File(), Down: s.down, Err: err}
}

// failed returns the error for a statement of the step. number is the number of the statement in
// its section, and query is the text that goose sent.
func (s step) failed(number int, query string, err error) error {
	statement := s.script.section(s.down)[number-1]
	return &StepError{File: s.version.File(), Down: s.down, Statement: number, Line: statement.Line, Err: err, statement: statement,
		before: utf8.RuneCountInString(query) - utf8.RuneCountInString(statement.Text)}
}
