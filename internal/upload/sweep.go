package upload

import (
	"context"
	databasesql "database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/entity"
	"forge/internal/expiry"
	"forge/internal/file"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// unattached is how long a file may be in no row.
const unattached = 24 * time.Hour

// roundTime is the longest time that one transaction of Sweep may take.
const roundTime = 30 * time.Second

// Sweep removes files that no row has: those that no row ever had, a day after they were announced,
// and those that rows had before. A file is marked in one round, and removed in the next one: first
// its bytes, then its row. In between nobody can attach it, and a row that got it in the moment of
// the mark is found. A round looks at all files, expiry.Limit of them in one transaction. Several
// servers may sweep at once: removing what is gone does nothing.
func (u *Uploads) Sweep(ctx context.Context) error {
	if u == nil || u.Files == nil {
		return nil
	}
	if err := u.removeMarked(ctx); err != nil {
		return err
	}
	var now time.Time
	err := whole(ctx, func(ctx context.Context) (n int, err error) {
		n, now, err = u.mark(ctx)
		return n, err
	})
	if err != nil {
		return err
	}
	if err := whole(ctx, u.markLeft); err != nil {
		return err
	}
	_, err = u.Files.SweepUploads(ctx, now.Add(-unattached-file.UploadExpires))
	return err
}

// Awaited returns those of the files whose bytes are still to come. To the address of another one,
// bytes can be sent that nobody can ever use.
func (u *Uploads) Awaited(ctx context.Context, all []uuid.UUID) (awaited []uuid.UUID, err error) {
	work := unit.New(u.DB, unit.Single)
	defer work.Rollback()
	ctx = system(unit.NewContext(ctx, work))
	awaited, err = ent.FromUnit(ctx).File.Query().Where(entfile.IDIn(all...), entfile.StateEQ(entfile.StateAnnounced)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for uploads: %w", err)
	}
	return awaited, nil
}

// whole calls some until it has looked at fewer than expiry.Limit files, as it returns.
func whole(ctx context.Context, some func(context.Context) (int, error)) error {
	for {
		if n, err := some(ctx); err != nil || n < expiry.Limit {
			return err
		}
	}
}

// within calls do in a unit of work of its own.
func (u *Uploads) within(ctx context.Context, do func(context.Context, *unit.Unit) error) error {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	work := unit.New(u.DB, unit.Write)
	defer work.Rollback()
	ctx = viewer.NewContext(unit.NewContext(ctx, work), viewer.System)
	if err := do(ctx, work); err != nil {
		return err
	}
	return work.Commit(ctx)
}

// mark marks files that no row ever had, and returns how many, and the time of the database.
func (u *Uploads) mark(ctx context.Context) (n int, now time.Time, err error) {
	err = u.within(ctx, func(ctx context.Context, work *unit.Unit) error {
		if now, err = work.Now(ctx); err != nil {
			return err
		}
		files := ent.FromUnit(ctx).File
		old := entfile.And(entfile.AttachedAtIsNil(), entfile.CreatedAtLT(now.Add(-unattached)), entfile.StateNEQ(entfile.StateRemoved))
		due, err := files.Query().Where(old, expiry.SkipLocked).Limit(expiry.Limit).IDs(ctx)
		if n = len(due); err != nil || n == 0 {
			return err
		}
		_, err = files.Update().Where(entfile.IDIn(due...), old).SetState(entfile.StateRemoved).Save(ctx)
		return err
	})
	if err != nil {
		err = fmt.Errorf("mark files that no row has: %w", err)
	}
	return n, now, err
}

// markLeft marks files that rows had, from where the last transaction ended, and returns how many
// it has looked at.
func (u *Uploads) markLeft(ctx context.Context) (n int, err error) {
	err = u.within(ctx, func(ctx context.Context, work *unit.Unit) error {
		n, err = u.markSomeLeft(ctx, work)
		return err
	})
	if err != nil {
		err = fmt.Errorf("mark files that no row has any more: %w", err)
	}
	return n, err
}

func (u *Uploads) markSomeLeft(ctx context.Context, work *unit.Unit) (int, error) {
	table, free := u.table(), u.unreferenced()
	seen, due, err := u.page(ctx, work, fmt.Sprintf("SELECT f.id, %s FROM %s AS f WHERE f.id > $1 AND f.attached_at IS NOT NULL AND f.state = 'stored' ORDER BY f.id LIMIT %d",
		free, table, expiry.Limit), u.place)
	if err != nil {
		return 0, err
	}
	if u.place = uuid.Nil; len(seen) == expiry.Limit {
		u.place = seen[len(seen)-1]
	}
	for _, id := range due {
		statement := fmt.Sprintf("UPDATE %s AS f SET state = 'removed' WHERE f.id = $1 AND f.attached_at IS NOT NULL AND f.state = 'stored' AND %s", table, free)
		if _, err := work.Exec(ctx, statement, id); err != nil {
			return 0, err
		}
	}
	return len(seen), nil
}

// page reads the keys of files, and which of them no row has.
func (u *Uploads) page(ctx context.Context, work *unit.Unit, query string, args ...any) (seen, free []uuid.UUID, err error) {
	err = work.Rows(ctx, func(rows *databasesql.Rows) error {
		for rows.Next() {
			var id uuid.UUID
			var is bool
			if err := rows.Scan(&id, &is); err != nil {
				return err
			}
			if seen = append(seen, id); is {
				free = append(free, id)
			}
		}
		return nil
	}, query, args...)
	return seen, free, err
}

// mostFailures is after how many failures in a row a round of Sweep removes no more: the storage is
// away then. The next round goes on behind them.
const mostFailures = 10

// removeMarked removes what an earlier round has marked. A file that a row has after all is marked
// no longer. One that cannot be removed keeps its mark, and holds up no other one.
func (u *Uploads) removeMarked(ctx context.Context) error {
	round := &removal{}
	err := whole(ctx, func(ctx context.Context) (int, error) { return u.removeSome(ctx, round) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if u.stuck.Store(round.stuck); round.stuck > 0 {
		u.Log.WarnContext(ctx, "files not removed, trying again later", "files", round.stuck, "first", round.first, "error", round.err)
	}
	return err
}

// removal is what one round of Sweep could not remove.
type removal struct {
	stuck int64
	first uuid.UUID
	err   error // of the first one
	inRow int   // how many failures there were since the last success
}

func (r *removal) failed(id uuid.UUID, err error) {
	if r.stuck++; r.stuck == 1 {
		r.first, r.err = id, err
	}
	r.inRow++
}

// NotRemoved returns how many files the last round of Sweep has tried to remove, and could not.
func (u *Uploads) NotRemoved() int64 { return u.stuck.Load() }

// removeSome removes marked files, from where the last call ended, and returns how many it has
// looked at.
func (u *Uploads) removeSome(ctx context.Context, round *removal) (n int, err error) {
	var seen, free []uuid.UUID
	err = u.within(ctx, func(ctx context.Context, work *unit.Unit) error {
		seen, free, err = u.page(ctx, work, fmt.Sprintf("SELECT f.id, %s FROM %s AS f WHERE f.id > $1 AND f.state = 'removed' ORDER BY f.id LIMIT %d",
			u.unreferenced(), u.table(), expiry.Limit), u.removing)
		if err != nil || len(free) == len(seen) {
			return err
		}
		_, err = ent.FromUnit(ctx).File.Update().Where(entfile.IDIn(seen...), entfile.IDNotIn(free...)).SetState(entfile.StateStored).Save(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for files to remove: %w", err)
	}
	if u.removing = uuid.Nil; len(seen) == expiry.Limit {
		u.removing = seen[len(seen)-1]
	}
	removed, away := u.removeBytes(ctx, free, round)
	if err := u.removeRows(ctx, removed); err != nil {
		return 0, err
	}
	if away {
		return 0, nil
	}
	return len(seen), nil
}

// removeBytes removes the bytes of files, and returns those that have none any more. If the storage
// seems to be away, it gives up: the next round then begins behind the last file that it has tried.
func (u *Uploads) removeBytes(ctx context.Context, all []uuid.UUID, round *removal) (removed []uuid.UUID, away bool) {
	for _, id := range all {
		err := u.Files.Remove(ctx, id)
		if err == nil {
			removed, round.inRow = append(removed, id), 0
			continue
		}
		if round.failed(id, err); round.inRow >= mostFailures {
			u.removing = id
			return removed, true
		}
	}
	return removed, false
}

// removeRows removes the rows of files whose bytes are gone.
func (u *Uploads) removeRows(ctx context.Context, all []uuid.UUID) error {
	if len(all) == 0 {
		return nil
	}
	err := u.within(ctx, func(ctx context.Context, work *unit.Unit) error {
		_, err := ent.FromUnit(ctx).File.Delete().Where(entfile.IDIn(all...), entfile.StateEQ(entfile.StateRemoved)).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove the rows of files: %w", err)
	}
	u.Log.DebugContext(ctx, "removed files", "files", len(all))
	return nil
}

// unreferenced returns the condition that no row has the file f. All edges to files are asked,
// those of deleted rows as well.
func (u *Uploads) unreferenced() string {
	conditions := []string{"true"}
	of := entity.FilesOf(u.Entities)
	for _, e := range u.Entities {
		for _, edge := range e.Edges {
			switch {
			case of == nil || edge.To != of.Name || edge.Inverse:
			case edge.Through != "":
				conditions = append(conditions, fmt.Sprintf("NOT EXISTS (SELECT 1 FROM %q AS r WHERE r.%q = f.id)", edge.Through, edge.Far))
			case edge.OwnKey:
				conditions = append(conditions, fmt.Sprintf("NOT EXISTS (SELECT 1 FROM %s AS r WHERE r.%q = f.id)", u.named(e), edge.Column))
			default:
				conditions = append(conditions, fmt.Sprintf("f.%q IS NULL", edge.Column))
			}
		}
	}
	return "(" + strings.Join(conditions, " AND ") + ")"
}

func (u *Uploads) table() string { return u.named(entity.FilesOf(u.Entities)) }

// named returns the name of an entity's table in a statement.
func (u *Uploads) named(e *entity.Entity) string {
	if e.Schema != "" && u.DB.Dialect == "postgres" {
		return fmt.Sprintf("%q.%q", e.Schema, e.Table)
	}
	return fmt.Sprintf("%q", e.Table)
}

// Every sweeps about each pause until ctx ends.
func (u *Uploads) Every(ctx context.Context, pause time.Duration) {
	if u == nil || u.Files == nil {
		return
	}
	expiry.Every(ctx, pause, "files", u.Sweep, u.Log)
}
