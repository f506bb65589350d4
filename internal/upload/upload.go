// Package upload keeps the rows of files. It announces uploads, has what was uploaded looked at
// before a mutation attaches it, and removes files that no row has. Package write attaches files to
// rows, and package file keeps the bytes.
package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/ent/predicate"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/file"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// maxFinished is how many uploads a mutation can have looked at, and atOnce how many of these are
// looked at in parallel.
const (
	maxFinished = 100
	atOnce      = 4
)

// Uploads are the files of a database. A nil *Uploads has none, and refuses all.
type Uploads struct {
	Files    *file.Service
	DB       *database.DB
	Entities []*entity.Entity
	Log      *slog.Logger
	// Looking has a place for each mutation whose uploads are looked at, which may take seconds.
	// Those beyond are refused. If it is nil, none are.
	Looking chan struct{}
	// MaxAccountBytes is how many bytes the files of an account may have together, those in rows
	// included; 0 for no limit. Files of nobody do not count.
	MaxAccountBytes int64

	place    uuid.UUID    // how far Sweep has looked for files that no row has any more
	removing uuid.UUID    // how far Sweep has come with the removal of marked files
	stuck    atomic.Int64 // see NotRemoved
}

// offered returns FORBIDDEN if this server keeps no files.
func (u *Uploads) offered() error {
	if u == nil || u.Files == nil {
		return apperr.Forbidden("", "this server keeps no files; its setting FILES_URL says where they are")
	}
	return nil
}

// system returns a context in which the policy lets rows of files be written.
func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }

// own returns the condition that a file is the viewer's own upload, and in no row yet. Without
// accounts, all uploads are everybody's.
func own(ctx context.Context) predicate.File {
	owner := entfile.UserIDIsNil()
	if id := viewer.FromContext(ctx).ID; id != uuid.Nil {
		owner = entfile.UserID(id)
	}
	return entfile.And(owner, entfile.AttachedAtIsNil())
}

// Create announces a file of the viewer, in the unit of work of ctx. It returns how its bytes are
// sent. It returns FORBIDDEN if this server keeps no files, or if the viewer's account keeps too
// much, BAD_USER_INPUT, RATE_LIMITED if the viewer has too many that are in no row, or UNAVAILABLE.
func (u *Uploads) Create(ctx context.Context, name, contentType string, size int64) (ids.ID, file.Upload, error) {
	if err := u.offered(); err != nil {
		return ids.ID{}, file.Upload{}, err
	}
	if _, _, err := mime.ParseMediaType(contentType); err != nil || len(contentType) > 127 {
		return ids.ID{}, file.Upload{}, apperr.BadInput("input.contentType", "contentType must be a content type such as image/png, of 127 characters at most")
	}
	f := file.File{ID: entity.NewID(), Name: name, ContentType: contentType, Size: size}
	how, err := u.Files.Announce(ctx, f)
	if err != nil {
		return ids.ID{}, file.Upload{}, u.refused(err)
	}
	if err := u.mayOpen(ctx, f.ID, size); err != nil {
		return ids.ID{}, file.Upload{}, err
	}
	row, err := u.insert(ctx, f).Save(system(ctx))
	if err != nil {
		return ids.ID{}, file.Upload{}, fmt.Errorf("store an upload: %w", err)
	}
	return row.GlobalID(), how, nil
}

// insert returns the row of an upload of the viewer.
func (u *Uploads) insert(ctx context.Context, f file.File) *ent.FileCreate {
	add := ent.FromUnit(ctx).File.Create().SetID(f.ID).SetName(f.Name).SetContentType(f.ContentType).SetSize(f.Size)
	if id := viewer.FromContext(ctx).ID; id != uuid.Nil {
		add.SetUserID(id)
	}
	return add
}

// refused returns the error that a client gets for one of package file.
func (u *Uploads) refused(err error) error {
	switch {
	case errors.Is(err, file.ErrTooLarge):
		return apperr.BadInput("input.size", "the file is too large: at most %d bytes are allowed", u.Files.MaxBytes())
	case errors.Is(err, file.ErrEmpty):
		return apperr.BadInput("input.size", "size must be 1 or more")
	case errors.Is(err, file.ErrName):
		return &apperr.Error{Code: apperr.CodeBadUserInput, Field: "input.name", Message: err.Error()}
	case errors.Is(err, file.ErrUnavailable):
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return &apperr.Error{Code: apperr.CodeUnavailable, Message: "files are not available now, try again later", More: map[string]any{"retryAfter": 5}, Cause: err}
}

// Prepare has those of the files looked at that the viewer has announced. It returns why some of
// them cannot be used. It must not be called while the unit of work of a request holds a
// connection. It returns UNAVAILABLE if the bytes cannot be read now, or if too many are being
// read.
func (u *Uploads) Prepare(ctx context.Context, all []uuid.UUID) (faults map[uuid.UUID]error, err error) {
	if u == nil || u.Files == nil || viewer.RoleOf(ctx) == viewer.Anonymous || len(all) == 0 {
		return nil, nil
	}
	announced, err := u.announced(ctx, all[:min(len(all), maxFinished)])
	if err != nil || len(announced) == 0 {
		return nil, err
	}
	if u.Looking != nil {
		select {
		case u.Looking <- struct{}{}:
			defer func() { <-u.Looking }()
		default:
			return nil, unavailable(errors.New("too many mutations have uploads looked at"))
		}
	}
	facts, faults, err := u.finish(ctx, announced)
	if err != nil {
		return nil, err
	}
	return faults, u.store(ctx, facts)
}

func (u *Uploads) announced(ctx context.Context, all []uuid.UUID) ([]*ent.File, error) {
	work := unit.New(u.DB, unit.Single)
	defer work.Rollback()
	ctx = unit.NewContext(ctx, work)
	found, err := ent.FromUnit(ctx).File.Query().Where(own(ctx), entfile.IDIn(all...), entfile.StateEQ(entfile.StateAnnounced)).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for uploads: %w", err)
	}
	return found, nil
}

// finish looks at uploads, some at once.
func (u *Uploads) finish(ctx context.Context, all []*ent.File) (facts map[uuid.UUID]file.Facts, faults map[uuid.UUID]error, err error) {
	facts, faults = map[uuid.UUID]file.Facts{}, map[uuid.UUID]error{}
	var wait sync.WaitGroup
	var lock sync.Mutex
	turns := make(chan struct{}, atOnce)
	for _, row := range all {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			found, failure := u.Files.Finish(ctx, fileOf(row))
			lock.Lock()
			defer lock.Unlock()
			switch {
			case failure == nil:
				facts[row.ID] = found
			case isFault(failure):
				faults[row.ID] = failure
			default:
				err = unavailable(failure)
			}
		})
	}
	wait.Wait()
	return facts, faults, err
}

// isFault reports whether an error is about the file, and not about where it is stored.
func isFault(err error) bool {
	for _, fault := range []error{file.ErrMissing, file.ErrBusy, file.ErrSize, file.ErrTooLarge, file.ErrEmpty, file.ErrName, file.ErrPicture, file.ErrPixels} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}

// store stores what was found of files that are still announced.
func (u *Uploads) store(ctx context.Context, facts map[uuid.UUID]file.Facts) error {
	if len(facts) == 0 {
		return nil
	}
	work := unit.New(u.DB, unit.Write)
	defer work.Rollback()
	if err := storeFacts(system(unit.NewContext(ctx, work)), facts); err != nil {
		return err
	}
	return work.Commit(ctx)
}

func storeFacts(ctx context.Context, facts map[uuid.UUID]file.Facts) error {
	for id, f := range facts {
		update := ent.FromUnit(ctx).File.Update().Where(entfile.ID(id), entfile.StateEQ(entfile.StateAnnounced))
		if _, err := found(update.Mutation(), f, update).Save(ctx); err != nil {
			return fmt.Errorf("store what a file is: %w", err)
		}
	}
	return nil
}

// found sets what was found of a file.
func found[B any](m *ent.FileMutation, f file.Facts, builder B) B {
	m.SetState(entfile.StateStored)
	m.SetContentType(f.ContentType)
	m.SetSize(f.Size)
	m.SetEtag(f.ETag)
	if f.Width > 0 {
		m.SetWidth(int32(f.Width))
		m.SetHeight(int32(f.Height))
	}
	if f.Blurhash != "" {
		m.SetBlurhash(f.Blurhash)
	}
	return builder
}

func fileOf(row *ent.File) file.File {
	return file.File{ID: row.ID, Name: row.Name, ContentType: row.ContentType, Size: row.Size}
}

// Address returns an address of a file, or "" if the file has no version as it is asked for. It
// returns BAD_USER_INPUT about an argument that is not allowed.
func (u *Uploads) Address(f file.File, expires int32, resize *file.Resize, format file.Format) (string, error) {
	if err := u.offered(); err != nil {
		return "", err
	}
	address, err := u.Files.URL(f, time.Duration(expires)*time.Second, resize, format)
	switch {
	case errors.Is(err, file.ErrNoPicture):
		return "", nil
	case errors.Is(err, file.ErrExpires):
		return "", apperr.BadInput("expires", "expires must be from %d to %d", int(file.MinExpires.Seconds()), int(file.MaxExpires.Seconds()))
	case errors.Is(err, file.ErrResize):
		return "", &apperr.Error{Code: apperr.CodeBadUserInput, Field: "resize", Message: err.Error()}
	}
	return address, err
}
