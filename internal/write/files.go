package write

import (
	"cmp"
	"context"
	databasesql "database/sql"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
)

type fileFaultsKey struct{}

// WithFileFaults returns a context that says why some files cannot be attached, by their keys. What
// was uploaded is looked at before the transaction of a mutation begins.
func WithFileFaults(ctx context.Context, faults map[uuid.UUID]error) context.Context {
	return context.WithValue(ctx, fileFaultsKey{}, faults)
}

// fileReference is the ID of a file in an input.
type fileReference struct {
	reference
	of, to *entity.Entity // that of the row, and that of files
	edge   *entity.Edge   // by which the row is to have the file
	beyond bool           // the input names as many files before it as the row may have
}

// upserted is a file that a row has already. It is no fault if the upsert finds this row.
type upserted struct {
	by    ids.ID
	fault *apperr.Error
}

// state is what the database says of a file.
type state struct {
	contentType, state string
	size               int64
}

// fileEdge returns the edge to files whose key the field sets, or nil.
func (f *field) fileEdge(e *entity.Entity) *entity.Edge {
	for i := range e.Edges {
		if edge := &e.Edges[i]; edge.Files != nil && edge.OwnKey && edge.Column == f.key() {
			return edge
		}
	}
	return nil
}

// files passes on the files that the input of a row names, with all that is nested in it.
func (w *Write) files(add func(fileReference)) {
	for i, f := range w.of.fields {
		if id, ok := w.values[i].any.(ids.ID); ok && f.to != nil && f.to.Files {
			if edge := f.fileEdge(w.of.entity); edge != nil {
				add(fileReference{reference{id, w.path + "." + f.name, w}, w.of.entity, f.to, edge, false})
			}
		}
	}
	for _, l := range w.links {
		if l.edge.Files != nil {
			for i, r := range l.connect {
				add(fileReference{r, w.of.entity, l.to, l.edge, i >= l.edge.Files.Number()})
			}
		}
		for _, child := range l.create {
			child.files(add)
		}
		for _, child := range l.update {
			child.files(add)
		}
	}
}

// attach takes the files that the inputs name: they must be the viewer's own uploads, which no row
// ever had, and be allowed where they are to be. Those that the row has already may be named again.
// attach adds an error about each other one or, if skips is true, leaves out its row.
func (t *tree) attach(ctx context.Context, list []*Write, skips bool) error {
	var all []fileReference
	for _, w := range list {
		if w.left == nil {
			w.files(func(r fileReference) { all = append(all, r) })
		}
	}
	if len(all) == 0 {
		return nil
	}
	free, err := t.freeFiles(ctx, all)
	if err != nil {
		return err
	}
	named := map[ids.ID]string{}
	var taken []fileReference
	for _, r := range all {
		fault, attached := r.fault(ctx, free, named[r.id]), false
		if fault != nil && free[r.id] == nil && named[r.id] == "" {
			if attached, err = t.attached(ctx, r, fault); err != nil {
				return err
			}
		}
		named[r.id] = cmp.Or(named[r.id], r.path)
		switch {
		case attached:
		case fault == nil:
			taken = append(taken, r)
			t.claimed[r.id] = r.row.top
		case skips:
			r.row.top.left = cmp.Or[error](r.row.top.left, fault)
		case t.faults.Full():
			t.faults.Skip()
		default:
			t.faults.Add(fault)
		}
	}
	return t.setAttached(ctx, taken, time.Now().UTC().Truncate(time.Microsecond))
}

// fault returns why a file cannot be attached, or nil. It says the same of the files of others, and
// of those that do not exist.
func (r fileReference) fault(ctx context.Context, free map[ids.ID]*state, other string) *apperr.Error {
	of, limits := free[r.id], r.edge.Files
	faults, _ := ctx.Value(fileFaultsKey{}).(map[uuid.UUID]error)
	switch {
	case other != "":
		return apperr.BadInput(r.path, "%s is named at %s already; a file belongs in one place", r.id, other)
	case of == nil:
		return apperr.BadInput(r.path, "%s is no upload of yours that can be used here; a file belongs in one place, so upload it again for another one", r.id)
	case of.state != "stored" && faults[r.id.UUID] != nil:
		return &apperr.Error{Code: apperr.CodeBadUserInput, Field: r.path, Message: faults[r.id.UUID].Error()}
	case of.state != "stored":
		return apperr.BadInput(r.path, "the file was not uploaded, or not completely")
	case r.beyond:
		return apperr.BadInput(r.path, "at most %d files are allowed here", limits.Number())
	case !limits.Fits(of.size):
		return apperr.BadInput(r.path, "the file has %d bytes; at most %d are allowed here", of.size, limits.MaxBytes)
	case !limits.Accepts(of.contentType):
		return apperr.BadInput(r.path, "the file is %s by its content; allowed here: %s", of.contentType, strings.Join(limits.ContentTypes, ", "))
	}
	return nil
}

// freeFiles returns what is known of those of the files that the viewer has uploaded, and that no
// row ever had. It locks them.
func (t *tree) freeFiles(ctx context.Context, all []fileReference) (map[ids.ID]*state, error) {
	free := map[ids.ID]*state{}
	v := viewer.FromContext(ctx)
	if v.Role == viewer.Anonymous {
		return free, nil
	}
	u, to := unit.FromContext(ctx), all[0].to
	files := sql.Table(to.Table)
	owner := sql.IsNull(files.C("user_id"))
	if v.ID != uuid.Nil {
		owner = sql.EQ(files.C("user_id"), v.ID)
	}
	s := sql.Dialect(u.Dialect()).Select(files.C("id"), files.C("state"), files.C("content_type"), files.C("size")).From(files).
		Where(sql.And(isOneOf(files.C("id"), references(all)), owner, sql.IsNull(files.C("attached_at")))).OrderBy(files.C("id"))
	if u.Dialect() == dialect.Postgres {
		s.ForUpdate()
	}
	text, args := s.Query()
	err := t.read(ctx, text, args, func(rows *databasesql.Rows) error {
		var key uuid.UUID
		of := new(state)
		err := rows.Scan(&key, &of.state, &of.contentType, &of.size)
		free[ids.ID{Prefix: to.Prefix, UUID: key}] = of
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for files: %w", err)
	}
	return free, nil
}

// attached reports whether the row has the file already. An upsert may still find that row.
func (t *tree) attached(ctx context.Context, r fileReference, fault *apperr.Error) (bool, error) {
	if r.row.Op == Create && !t.upserts {
		return false, nil
	}
	u := unit.FromContext(ctx)
	from, key, of := sql.Table(r.of.Table).Schema(r.of.Schema), r.of.Fields[0].Column, r.edge.Column
	if !r.edge.OwnKey {
		from, key, of = sql.Table(r.to.Table), r.edge.Column, r.to.Fields[0].Column
	}
	text, args := sql.Dialect(u.Dialect()).Select(from.C(key)).From(from).Where(sql.And(sql.EQ(from.C(of), r.id.Value()), sql.NotNull(from.C(key)))).Query()
	attached := false
	err := t.read(ctx, text, args, func(rows *databasesql.Rows) error {
		id, err := scanKey(rows, r.of)
		attached = attached || id == r.row.ID
		if err == nil && r.row.Op == Create {
			r.row.upserted = append(r.row.upserted, upserted{id, fault})
			attached = true
		}
		return err
	})
	return attached, err
}

// setAttached stores when files were attached, or nothing if the time is zero. It leaves out those
// of rows that are left out.
func (t *tree) setAttached(ctx context.Context, all []fileReference, at time.Time) error {
	var those []reference
	for _, r := range all {
		if r.row.top.left == nil || at.IsZero() {
			those = append(those, r.reference)
		}
	}
	if len(those) == 0 {
		return nil
	}
	u := unit.FromContext(ctx)
	update := sql.Dialect(u.Dialect()).Update(all[0].to.Table).Where(isOneOf("id", those))
	if at.IsZero() {
		update.SetNull("attached_at")
	} else {
		update.Set("attached_at", at)
	}
	text, args := update.Query()
	if _, err := u.Exec(ctx, text, args...); err != nil {
		return fmt.Errorf("attach files: %w", err)
	}
	return nil
}

// detach gives back the files that attach has taken for rows that were not written after all. The
// viewer can use them in another mutation.
func (t *tree) detach(ctx context.Context, list []*Write) error {
	var all []fileReference
	for _, w := range list {
		w.files(func(r fileReference) {
			if t.claimed[r.id] == w.top {
				all = append(all, r)
			}
		})
	}
	return t.setAttached(ctx, all, time.Time{})
}

// checkUpserted returns an error if an upsert found another row than the one that has the files
// which its input names.
func (w *Write) checkUpserted() error {
	for _, of := range w.upserted {
		if of.by != w.ID {
			return of.fault
		}
	}
	return nil
}

// checkNumber returns an error if an updated row has more files by an edge than are allowed. Of new
// rows, attach knows all files.
func (t *tree) checkNumber(ctx context.Context, w *Write, l *link) error {
	if l.edge.Files == nil || l.edge.Unique || len(l.connect) == 0 {
		return nil
	}
	most, found := l.edge.Files.Number(), 0
	if len(l.connect) <= most && !l.sets && w.Op == Update {
		u := unit.FromContext(ctx)
		files := sql.Table(l.to.Table)
		text, args := sql.Dialect(u.Dialect()).Select(sql.Count("*")).From(files).Where(sql.EQ(files.C(l.edge.Column), w.ID.Value())).Query()
		if err := t.read(ctx, text, args, func(rows *databasesql.Rows) error { return rows.Scan(&found) }); err != nil {
			return err
		}
	}
	if max(found, len(l.connect)) > most {
		return apperr.BadInput(l.path, "there would be more than %d files; at most %d are allowed", most, most)
	}
	return nil
}

func references(all []fileReference) (those []reference) {
	for _, r := range all {
		those = append(those, r.reference)
	}
	return those
}
