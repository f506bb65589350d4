package file

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/tus/tusd/v2/pkg/handler"
	"golang.org/x/exp/slog"

	"forge/internal/blob"
)

// appender is a storage to which uploads are added through this server.
type appender interface {
	Append(ctx context.Context, key string, offset int64, r io.Reader) (int64, error)
}

// mountUploads adds the routes of resumable uploads (tus 1.0.0). An upload is not made by POST: its
// address comes from Announce.
func (s *Service) mountUploads(mux *http.ServeMux) {
	composer := handler.NewStoreComposer()
	composer.UseCore(store{s})
	composer.UseTerminater(store{s})
	composer.UseLocker(locker{s})
	tus, err := handler.NewUnroutedHandler(handler.Config{
		StoreComposer:        composer,
		BasePath:             uploadsPath,
		Cors:                 &handler.CorsConfig{Disable: true}, // package httpserver has rules of its own
		NetworkTimeout:       idle,
		AcquireLockTimeout:   lockTime,
		DisableDownload:      true,
		DisableConcatenation: true,
		Logger:               slog.New(silent{}), // it would log addresses, which are secrets
	})
	if err != nil {
		panic("file: " + err.Error()) // the configuration is right
	}
	for method, answer := range map[string]http.HandlerFunc{
		http.MethodHead: tus.HeadFile, http.MethodPatch: tus.PatchFile, http.MethodDelete: tus.DelFile,
		http.MethodOptions: func(http.ResponseWriter, *http.Request) {}, // Middleware answers
	} {
		mux.HandleFunc(method+" "+uploadsPath+"{token}", s.limited(http.StripPrefix(uploadsPath, tus.Middleware(answer)).ServeHTTP))
	}
}

// silent is a log that nobody reads.
type silent struct{}

func (silent) Enabled(context.Context, slog.Level) bool  { return false }
func (silent) Handle(context.Context, slog.Record) error { return nil }
func (s silent) WithAttrs([]slog.Attr) slog.Handler      { return s }
func (s silent) WithGroup(string) slog.Handler           { return s }

// upload returns what the address of an upload says, or an error for its client.
func (s *Service) upload(token string) (*claims, error) {
	c, err := s.verify(s.uploads, token)
	switch {
	case errors.Is(err, errExpired):
		return nil, handler.NewError("ERR_EXPIRED", err.Error(), http.StatusGone)
	case err != nil:
		return nil, handler.NewError("ERR_FORGED", err.Error(), http.StatusForbidden)
	}
	return c, nil
}

// locker locks uploads by the ID of their file.
type locker struct{ s *Service }

// NewLock implements handler.Locker.
func (l locker) NewLock(token string) (handler.Lock, error) {
	c, err := l.s.upload(token)
	if err != nil {
		return nil, err
	}
	return l.s.locks.NewLock(c.ID.String())
}

// store is where tus finds uploads.
type store struct{ s *Service }

// NewUpload implements handler.DataStore. Uploads come from Announce alone.
func (store) NewUpload(context.Context, handler.FileInfo) (handler.Upload, error) {
	return nil, handler.ErrNotImplemented
}

// GetUpload implements handler.DataStore.
func (st store) GetUpload(ctx context.Context, token string) (handler.Upload, error) {
	c, err := st.s.upload(token)
	if err != nil {
		return nil, err
	}
	u := &upload{s: st.s, claims: c}
	info, err := st.s.stat(ctx, uploadKey(c.ID))
	if errors.Is(err, blob.ErrNotFound) {
		// After Finish the upload is complete, and nothing can be added.
		info, err = st.s.stat(ctx, originalKey(c.ID))
	}
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return nil, u.failed(ctx, err)
	}
	u.offset = min(info.Size, c.Size)
	return u, nil
}

// AsTerminatableUpload implements handler.TerminaterDataStore.
func (store) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload { return u.(*upload) }

// upload is an upload that tus works on.
type upload struct {
	s      *Service
	claims *claims
	offset int64
}

// GetInfo says how much has arrived.
func (u *upload) GetInfo(context.Context) (handler.FileInfo, error) {
	return handler.FileInfo{Size: u.claims.Size, Offset: u.offset}, nil
}

// WriteChunk adds bytes to an upload. What has arrived stays, also after an error.
func (u *upload) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	if u.s.o.Awaited != nil {
		awaited, err := u.s.o.Awaited(ctx, []uuid.UUID{u.claims.ID})
		if err != nil {
			return 0, u.failed(ctx, err)
		}
		if len(awaited) == 0 {
			return 0, handler.NewError("ERR_GONE", "nobody waits for this file any more", http.StatusGone)
		}
	}
	paced := &pacedReader{r: src, start: time.Now()}
	n, err := u.s.o.Storage.(appender).Append(ctx, uploadKey(u.claims.ID), offset, paced)
	return n, u.failed(ctx, err)
}

// failed returns an error of the storage as one for clients.
func (u *upload) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, errSlow) {
		return handler.NewError("ERR_TOO_SLOW", err.Error(), http.StatusRequestTimeout)
	}
	u.s.logFailure(ctx, "store an upload", err)
	if errors.Is(err, blob.ErrFull) {
		return handler.NewError("ERR_STORAGE_FULL", ErrFull.Error(), http.StatusInsufficientStorage)
	}
	return handler.NewError("ERR_UNAVAILABLE", ErrUnavailable.Error(), http.StatusServiceUnavailable)
}

// GetReader is never called: downloads are disabled.
func (u *upload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// FinishUpload does nothing: Finish looks at the file when it is used.
func (u *upload) FinishUpload(context.Context) error { return nil }

// Terminate removes what was uploaded, if it is not at its final place yet.
func (u *upload) Terminate(ctx context.Context) error {
	return u.failed(ctx, u.s.o.Storage.Remove(ctx, uploadKey(u.claims.ID)))
}

// An upload may be slow, but not slower than leastRate bytes a second, once it has taken a while.
const (
	leastRate = 1 << 10
	rateAfter = time.Minute
)

var errSlow = errors.New("the upload is too slow; what has arrived is kept, go on from there")

// pacedReader ends an upload that keeps a connection for nearly nothing.
type pacedReader struct {
	r     io.Reader
	start time.Time
	n     int64
}

func (p *pacedReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.n += int64(n)
	if took := time.Since(p.start); err == nil && took > rateAfter && float64(p.n) < leastRate*took.Seconds() {
		err = errSlow
	}
	return n, err
}
