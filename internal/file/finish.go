package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"github.com/google/uuid"

	"forge/internal/blob"
	"forge/internal/picture"
)

// presigner is a storage that clients can send bytes to themselves.
type presigner interface {
	PresignPut(ctx context.Context, key string, size int64, expires time.Duration) (string, error)
}

// Announce returns how a client sends the bytes of a file. Nothing is stored yet. It returns
// ErrOff, ErrName, ErrEmpty, ErrTooLarge, ErrFull or ErrUnavailable.
func (s *Service) Announce(ctx context.Context, f File) (Upload, error) {
	if s == nil {
		return Upload{}, ErrOff
	}
	if err := s.check(f); err != nil {
		return Upload{}, err
	}
	ctx, cancel := quick(ctx)
	defer cancel()
	free, known, err := s.o.Storage.Free(ctx)
	if err == nil && known && free < uint64(f.Size) {
		err = blob.ErrFull
	}
	if err != nil {
		return Upload{}, unavailable(err)
	}
	expires := s.now().Add(UploadExpires)
	if direct, ok := s.o.Storage.(presigner); ok {
		address, err := direct.PresignPut(ctx, uploadKey(f.ID), f.Size, UploadExpires)
		return Upload{URL: address, Method: "PUT", ExpiresAt: expires}, unavailable(err)
	}
	token := s.uploads.sign(&claims{ID: f.ID, Expires: expires.Unix(), Size: f.Size})
	return Upload{URL: s.o.Origin + uploadsPath + token, Method: "PATCH", ExpiresAt: expires, Headers: []Header{
		{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", "0"}, {"Content-Type", "application/offset+octet-stream"},
	}}, nil
}

// check returns an error if a file cannot be stored, as far as that is known before.
func (s *Service) check(f File) error {
	switch {
	case !isName(f.Name):
		return ErrName
	case f.Size <= 0:
		return ErrEmpty
	case f.Size > s.o.MaxBytes:
		return fmt.Errorf("%w: %d bytes, of %d at most", ErrTooLarge, f.Size, s.o.MaxBytes)
	}
	return nil
}

// isName reports whether a name can be shown as what it is: it is no path, and has no characters
// that change lines or the direction of writing.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= MaxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, isDeceptive)
}

func isDeceptive(r rune) bool {
	return r == '/' || r == '\\' || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) ||
		r == 0x2028 || r == 0x2029 || r == 0xFEFF || r == utf8.RuneError
}

const (
	// finishTime is how long Finish may take.
	finishTime = 30 * time.Second
	// lockTime is how long a request for an upload waits for another one.
	lockTime = 5 * time.Second
)

// Finish looks at what was uploaded, and moves it to its final place. What it returns goes into the
// row of the file. It may be called any number of times, also at once, and answers the same. It
// takes 30 seconds at most. It must not be called in a transaction. It returns ErrOff, ErrMissing,
// ErrBusy, ErrSize, ErrTooLarge, ErrPicture, ErrPixels or ErrUnavailable; after ErrSize,
// ErrTooLarge, ErrPicture and ErrPixels the upload is gone.
//
// What was uploaded is moved first and looked at then: clients still have the address of the
// upload, and could exchange the bytes after they were looked at.
func (s *Service) Finish(ctx context.Context, f File) (Facts, error) {
	if s == nil {
		return Facts{}, ErrOff
	}
	ctx, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	object, err := s.o.Storage.Open(ctx, originalKey(f.ID))
	if errors.Is(err, blob.ErrNotFound) {
		if err := s.move(ctx, f); err != nil {
			return Facts{}, err
		}
		object, err = s.o.Storage.Open(ctx, originalKey(f.ID))
	}
	if errors.Is(err, blob.ErrNotFound) {
		return Facts{}, ErrMissing
	}
	if err != nil {
		return Facts{}, unavailable(err)
	}
	defer object.Close()
	facts, err := s.look(ctx, object, f)
	if isRefused(err) {
		return Facts{}, errors.Join(err, s.Remove(ctx, f.ID))
	}
	return facts, err
}

// move moves what was uploaded to its final place, if it is complete. It returns nil if there is
// nothing to move.
func (s *Service) move(ctx context.Context, f File) error {
	info, err := s.stat(ctx, uploadKey(f.ID))
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil // there is none, or another call has moved it
	case err != nil:
		return unavailable(err)
	case info.Size < f.Size:
		return ErrMissing
	case info.Size != f.Size || info.Size > s.o.MaxBytes:
		err = ErrSize
		if info.Size > s.o.MaxBytes {
			err = ErrTooLarge
		}
		return errors.Join(err, unavailable(s.o.Storage.Remove(ctx, uploadKey(f.ID))))
	}
	unlock, err := s.lock(ctx, f.ID)
	if err != nil {
		return err
	}
	defer unlock()
	switch err := s.o.Storage.Move(ctx, info, originalKey(f.ID)); {
	case errors.Is(err, blob.ErrChanged):
		return ErrBusy
	case errors.Is(err, blob.ErrNotFound):
		return nil // another call has moved it
	default:
		return unavailable(err)
	}
}

// lock waits for requests that add to an upload. It returns ErrBusy if they take too long.
func (s *Service) lock(ctx context.Context, id uuid.UUID) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	lock, err := s.locks.NewLock(id.String())
	if err == nil {
		err = lock.Lock(ctx, func() {})
	}
	if err != nil {
		return nil, ErrBusy
	}
	return func() { _ = lock.Unlock() }, nil
}

func (s *Service) stat(ctx context.Context, key string) (blob.Info, error) {
	object, err := s.o.Storage.Open(ctx, key)
	if err != nil {
		return blob.Info{}, err
	}
	return object.Info(), object.Close()
}

// isRefused reports whether an error is the fault of the bytes.
func isRefused(err error) bool {
	return errors.Is(err, ErrPicture) || errors.Is(err, ErrPixels) || errors.Is(err, ErrSize) || errors.Is(err, ErrTooLarge)
}

// headBytes is how many bytes at the beginning of a file tell its type.
const headBytes = 4096

// recovered stores a panic as an error. Files of strangers are read in goroutines of their own,
// where nobody else recovers the panic of a decoder: it would end the program.
func recovered(err *error) {
	if panicked := recover(); panicked != nil {
		*err = unavailable(fmt.Errorf("a panic while a file was read: %v", panicked))
	}
}

// look returns what a file is.
func (s *Service) look(ctx context.Context, object blob.Object, f File) (facts Facts, err error) {
	defer recovered(&err)
	facts = Facts{Size: object.Info().Size, ETag: object.Info().Version}
	if facts.Size != f.Size {
		return facts, ErrSize
	}
	head := make([]byte, headBytes)
	n, err := io.ReadFull(object, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return facts, unavailable(err)
	}
	facts.ContentType = detect(head[:n], f.ContentType)
	if !picture.Readable(facts.ContentType) {
		return facts, nil
	}
	if _, err := object.Seek(0, io.SeekStart); err != nil {
		return facts, unavailable(err)
	}
	info, err := s.pictures.Look(ctx, object, facts.ContentType)
	facts.Width, facts.Height, facts.Blurhash = info.Width, info.Height, info.Blurhash
	if err != nil && !isRefused(err) {
		err = unavailable(err)
	}
	return facts, err
}

// texts are types that cannot be told from plain text by their bytes, and that browsers do not run.
var texts = []string{"text/csv", "text/tab-separated-values", "text/markdown", "text/calendar", "text/vcard"}

// detect returns the media type of a file by the bytes that it begins with. Only of plain text, the
// type that was announced may say more.
func detect(head []byte, announced string) string {
	found := mimetype.Detect(head)
	for m := found; m != nil; m = m.Parent() {
		if t := mediaType(m.String()); picture.Readable(t) {
			return t // such as an animated PNG, which is a PNG
		}
	}
	if t := mediaType(announced); found.Is("text/plain") && slices.Contains(texts, t) {
		return t
	}
	return mediaType(found.String())
}

// mediaType returns a media type in lower case and without parameters.
func mediaType(t string) string {
	t, _, _ = strings.Cut(t, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// exact is a reader of so many bytes. If there are fewer, that is an error.
type exact struct {
	r     io.Reader
	left  int64
	short bool // there were fewer
}

func (e *exact) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(b[:min(int64(len(b)), e.left)])
	if e.left -= int64(n); err == io.EOF && e.left > 0 {
		e.short, err = true, io.ErrUnexpectedEOF
	}
	return n, err
}

const (
	// maxStored is how many bytes Store takes if it is not known before how many there are.
	maxStored = 32 << 20
	// storedAtOnce is how many files of this kind Store has in memory at once.
	storedAtOnce = 8
)

// Store stores a file that the server has received itself, and finishes it. If f.Size is not 0, r
// must have as many bytes; otherwise it may have 32 MiB at most, and waits for its turn, because it
// is read into memory. It returns what Announce and Finish return.
func (s *Service) Store(ctx context.Context, f File, r io.Reader) (Facts, error) {
	if s == nil {
		return Facts{}, ErrOff
	}
	if f.Size == 0 {
		turn := time.NewTimer(lockTime)
		defer turn.Stop()
		select {
		case s.storing <- struct{}{}:
			defer func() { <-s.storing }()
		case <-turn.C:
			return Facts{}, ErrUnavailable
		case <-ctx.Done():
			return Facts{}, unavailable(ctx.Err())
		}
		b, err := io.ReadAll(io.LimitReader(r, maxStored+1))
		if err != nil {
			return Facts{}, err
		}
		if len(b) > maxStored {
			return Facts{}, ErrTooLarge
		}
		f.Size, r = int64(len(b)), bytes.NewReader(b)
	}
	if err := s.check(f); err != nil {
		return Facts{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*finishTime)
	defer cancel()
	body := &exact{r: r, left: f.Size}
	if err := s.o.Storage.Put(ctx, uploadKey(f.ID), body, f.Size); err != nil {
		if body.short {
			return Facts{}, ErrSize
		}
		return Facts{}, unavailable(err)
	}
	return s.Finish(ctx, f)
}
