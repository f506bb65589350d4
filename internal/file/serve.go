package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"forge/internal/blob"
	"forge/internal/picture"
)

// idle is how long a client that reads or sends a file may do nothing.
const idle = 30 * time.Second

// maxRanges is how many ranges a request may ask for.
const maxRanges = 8

// Handler serves files below /files/, and takes uploads below /files/uploads/. Who knows an address
// may use it: neither tokens nor cookies are looked at.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	if s == nil {
		return mux
	}
	mux.HandleFunc("GET "+Path+"{token}", s.limited(s.serve))
	if _, ok := s.o.Storage.(appender); ok {
		s.mountUploads(mux)
	}
	return mux
}

// limited returns a handler that answers so many requests at once, half of them from one client at
// most: a client that reads slowly cannot take all places.
func (s *Service) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		client := ""
		if s.o.Client != nil {
			client = s.o.Client(r)
		}
		if !s.enter(client) {
			retryLater(w, "too many files are being sent and received, try again soon")
			return
		}
		defer s.leave(client)
		next(w, r)
	}
}

// enter takes a place for a client. It returns false if there is none.
func (s *Service) enter(client string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if client != "" && s.shares[client] >= (cap(s.transfers)+1)/2 {
		return false
	}
	select {
	case s.transfers <- struct{}{}:
		s.shares[client]++
		return true
	default:
		return false
	}
}

func (s *Service) leave(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	<-s.transfers
	if s.shares[client]--; s.shares[client] == 0 {
		delete(s.shares, client)
	}
}

func retryLater(w http.ResponseWriter, message string) {
	w.Header().Set("Retry-After", "2")
	http.Error(w, message, http.StatusServiceUnavailable)
}

// verify returns the claims of an address that is good now.
func (s *Service) verify(signer *signer, token string) (*claims, error) {
	c, err := signer.verify(token)
	if err == nil && !s.now().Before(c.expires()) {
		err = errExpired
	}
	return c, err
}

// serve sends a file, or a picture that is made from it.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	c, err := s.verify(s.reads, r.PathValue("token"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if !rangesAllowed(r.Header.Get("Range")) {
		http.Error(w, fmt.Sprintf("%d ranges at most, which do not overlap", maxRanges), http.StatusRequestedRangeNotSatisfiable)
		return
	}
	object, err := s.content(r.Context(), c)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		http.Error(w, "this file is gone", http.StatusNotFound)
	case errors.Is(err, picture.ErrAnimated), isRefused(err):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case errors.Is(err, picture.ErrBusy):
		retryLater(w, err.Error()+", try again soon")
	case err != nil:
		s.logFailure(r.Context(), "read a file", err)
		retryLater(w, ErrUnavailable.Error())
	default:
		defer object.Close()
		s.send(w, r, c, object)
	}
}

func (s *Service) logFailure(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.o.Log.ErrorContext(ctx, "the storage of files does not work", "operation", what, "error", err)
	}
}

// rangesAllowed reports whether a Range header asks for few ranges. net/http answers ranges that
// overlap with the whole file.
func rangesAllowed(header string) bool { return strings.Count(header, ",") < maxRanges }

// send sends what an address stands for, as far as the request asks for it.
func (s *Service) send(w http.ResponseWriter, r *http.Request, c *claims, object io.ReadSeeker) {
	h := w.Header()
	h.Set("Content-Type", c.sentType())
	h.Set("Content-Disposition", disposition(c))
	h.Set("ETag", c.etag())
	h.Set("Cache-Control", fmt.Sprintf("private, max-age=%d, immutable", int64(c.expires().Sub(s.now()).Seconds())))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-site")
	h.Set("Referrer-Policy", "no-referrer") // the address is a secret
	http.ServeContent(&patientWriter{w, http.NewResponseController(w)}, r, "", time.Time{}, object)
}

// patientWriter gives the client time for each part of a file, and not for the whole, as the server
// does for answers to operations.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) Write(b []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(idle)) // where there are none, the server's limits apply
	return w.ResponseWriter.Write(b)
}

// scripts are types that browsers run if a page names the address as that of a script. The policies
// of pages often allow all scripts of their own origin.
var scripts = []string{"text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript", "application/ecmascript", "text/css", "application/wasm"}

// sentType returns the media type with which a file is sent.
func (c *claims) sentType() string {
	if t := c.contentType(); !slices.Contains(scripts, t) {
		return t
	}
	return "application/octet-stream"
}

// extensions are those of the types that browsers show and do not run, with the usual one first.
// All else is offered to be saved.
var extensions = map[string][]string{
	"image/jpeg": {".jpg", ".jpeg", ".jpe", ".jfif"}, "image/png": {".png", ".apng"}, "image/gif": {".gif"}, "image/webp": {".webp"},
	"image/avif": {".avif"}, "image/bmp": {".bmp"},
	"video/mp4": {".mp4", ".m4v"}, "video/webm": {".webm"}, "video/ogg": {".ogv", ".ogg"}, "video/quicktime": {".mov"},
	"audio/mpeg": {".mp3"}, "audio/mp4": {".m4a"}, "audio/x-m4a": {".m4a"}, "audio/ogg": {".oga", ".ogg", ".opus"}, "audio/wav": {".wav"},
	"audio/flac": {".flac"}, "audio/aac": {".aac"}, "audio/webm": {".weba"},
}

// disposition returns whether a browser shows a file or saves it, and under which name. The name of
// what it shows has an extension of its type, so that a picture is no program once it is saved.
func disposition(c *claims) string {
	name := strings.Map(func(r rune) rune {
		if isDeceptive(r) {
			return '_'
		}
		return r
	}, c.Name)
	kind, known := "attachment", extensions[c.contentType()]
	if known != nil {
		kind = "inline"
		if c.isVariant() {
			name = strings.TrimSuffix(name, path.Ext(name))
		}
		if !slices.Contains(known, strings.ToLower(path.Ext(name))) {
			name += known[0]
		}
	}
	return kind + `; filename="` + plain(name) + `"; filename*=UTF-8''` + strings.ReplaceAll(url.PathEscape(name), "'", "%27")
}

// plain returns a name in ASCII, for clients that know nothing else.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
}

// content returns what an address stands for.
func (s *Service) content(ctx context.Context, c *claims) (io.ReadSeekCloser, error) {
	if !c.isVariant() {
		return s.o.Storage.Open(ctx, originalKey(c.ID))
	}
	object, err := s.o.Storage.Open(ctx, filePrefix(c.ID)+c.variant())
	if !errors.Is(err, blob.ErrNotFound) {
		return object, err
	}
	// All who ask for the same picture wait for one, which is made even if the first of them
	// leaves. So its place is not one of those who ask.
	made := s.making.DoChan(originalKey(c.ID)+c.variant(), func() (any, error) {
		select {
		case s.makers <- struct{}{}:
			defer func() { <-s.makers }()
		default:
			return nil, picture.ErrBusy
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
		defer cancel()
		return s.makeVariant(ctx, c)
	})
	select {
	case result := <-made:
		if result.Err != nil {
			return nil, result.Err
		}
		if b := result.Val.([]byte); b != nil {
			return inMemory{bytes.NewReader(b)}, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	object, err = s.o.Storage.Open(ctx, filePrefix(c.ID)+c.variant())
	if errors.Is(err, blob.ErrNotFound) {
		err = picture.ErrBusy // others took its place already, or the file went
	}
	return object, err
}

// inMemory is content that need not be closed.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

const (
	// maxVariants is how many pictures are kept that were made from one file: the newest ones.
	// maxVariantBytes is how many bytes they have together, but the newest one is kept in any case.
	maxVariants     = 32
	maxVariantBytes = 32 << 20
	// maxInMemory is how large a picture may be that is sent without being stored.
	maxInMemory = 1 << 20
)

// makeVariant makes a picture from a file, and stores it. It returns nil then: clients that read
// slowly hold no memory. If it cannot be stored, makeVariant returns it if it is small.
func (s *Service) makeVariant(ctx context.Context, c *claims) (made []byte, err error) {
	defer recovered(&err)
	object, err := s.o.Storage.Open(ctx, originalKey(c.ID))
	if err != nil {
		return nil, err
	}
	defer object.Close()
	var b bytes.Buffer
	size := picture.Size{Width: c.Width, Height: c.Height, Cover: c.Cover}
	if err := s.pictures.Resize(ctx, &b, object, c.Type, size, c.contentType()); err != nil {
		return nil, err
	}
	if err := s.keepVariant(ctx, c, b.Bytes()); err != nil {
		if b.Len() > maxInMemory {
			return nil, unavailable(err)
		}
		s.logFailure(ctx, "store a resized picture", err)
		return b.Bytes(), nil
	}
	return nil, nil
}

// keepVariant stores a picture that was made from a file, in the place of the oldest ones if there
// are enough.
func (s *Service) keepVariant(ctx context.Context, c *claims, b []byte) error {
	var kept []blob.Info
	bytesKept := int64(len(b))
	err := s.o.Storage.List(ctx, filePrefix(c.ID), func(info blob.Info) error {
		if info.Key != originalKey(c.ID) {
			kept = append(kept, info)
			bytesKept += info.Size
		}
		return nil
	})
	slices.SortFunc(kept, func(a, b blob.Info) int { return a.Changed.Compare(b.Changed) })
	for err == nil && (len(kept) >= maxVariants || len(kept) > 0 && bytesKept > s.variantBytes) {
		err = s.o.Storage.Remove(ctx, kept[0].Key)
		bytesKept -= kept[0].Size
		kept = kept[1:]
	}
	key := filePrefix(c.ID) + c.variant()
	if err == nil {
		err = s.o.Storage.Put(ctx, key, bytes.NewReader(b), int64(len(b)))
	}
	// A file that was removed meanwhile leaves nothing behind.
	if has, gone := s.Has(ctx, c.ID); err == nil && gone == nil && !has {
		err = s.o.Storage.Remove(ctx, key)
	}
	return err
}
