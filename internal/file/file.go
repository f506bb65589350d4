// Package file keeps the bytes of files, in a folder or in S3. It takes uploads, looks at what was
// uploaded, signs addresses, and serves files and smaller versions of pictures. It knows no entity
// and no database: what a file is called and whose it is stands in a row of the application.
//
// The bytes of a file never change. An upload goes to a place of its own, Finish checks it and
// moves it to its final place, and from there on it is only read, until Remove.
package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	"golang.org/x/sync/singleflight"

	"forge/internal/blob"
	"forge/internal/picture"
)

// These are the limits of what files may be.
const (
	MaxName       = 255         // bytes of a name
	MaxSide       = 4096        // of a resized picture, in pixels
	MinExpires    = time.Minute // of an address
	MaxExpires    = 7 * 24 * time.Hour
	UploadExpires = 24 * time.Hour // how long an upload may take, from Announce
)

// These errors say why a file cannot be had or stored. All but ErrUnavailable, ErrFull and ErrOff
// are the client's fault, and their texts are written for it. Compare with errors.Is.
var (
	// ErrOff says that this server keeps no files.
	ErrOff = errors.New("this server keeps no files")
	// ErrUnavailable says that the storage does not answer, or that too much is under way. It wraps
	// the cause, which is for the log alone. The same call may succeed later.
	ErrUnavailable = errors.New("files are not available now, try again later")
	// ErrFull says that the storage has no room. It comes wrapped in ErrUnavailable.
	ErrFull = errors.New("there is no room for the file")
	// ErrMissing says that the bytes were not uploaded, or not all of them.
	ErrMissing = errors.New("the file was not uploaded, or not completely")
	// ErrBusy says that the upload is still under way.
	ErrBusy = errors.New("the file is still being uploaded")
	// ErrSize says that the upload has another size than was announced.
	ErrSize = errors.New("the file does not have the size that was announced")
	// ErrTooLarge says that the file is larger than this server takes.
	ErrTooLarge = errors.New("the file is too large")
	// ErrEmpty says that a size of 0, or less, was announced.
	ErrEmpty = errors.New("the file is empty")
	// ErrName says that the name is empty, too long, a path, or has characters that do not show.
	ErrName = fmt.Errorf("the name has to be text of 1 to %d bytes, without slashes and control characters", MaxName)
	// ErrPicture says that the file begins as a picture, and cannot be read as one.
	ErrPicture = picture.ErrUnreadable
	// ErrPixels says that a picture has too many pixels.
	ErrPixels = picture.ErrPixels
	// ErrResize says that a size or format of a picture cannot be had.
	ErrResize = fmt.Errorf("width and height have to be from 1 to %d, and one of them given", MaxSide)
	// ErrNoPicture says that the file is no picture that can be resized.
	ErrNoPicture = errors.New("only pictures can be resized: JPEG, PNG, GIF and WebP")
	// ErrExpires says that an address cannot be good for that long, or for so short a time.
	ErrExpires = fmt.Errorf("an address is good for %s to %s", MinExpires, MaxExpires)
)

// A File is what the row of a file says, as far as it matters here. Announce and Finish need ID,
// Name, ContentType (as announced) and Size. URL needs ID, Name and ContentType (as found).
type File struct {
	ID          uuid.UUID
	Name        string
	ContentType string
	Size        int64
}

// Upload tells a client how to send the bytes of a file: with one request that has the method, the
// headers, and the bytes as its body. With a folder, the address also takes resumable uploads by
// tus 1.0.0, as an upload that was created already: HEAD says how much has arrived.
type Upload struct {
	URL       string
	Method    string
	Headers   []Header
	ExpiresAt time.Time
}

// Header is a header of a request.
type Header struct{ Name, Value string }

// Facts are what Finish has found.
type Facts struct {
	ContentType string // by the content, such as "image/png"; without parameters
	Size        int64
	ETag        string // it changes with the bytes, as the storage says
	Width       int    // as shown, in pixels; 0 unless it is a picture
	Height      int
	Blurhash    string // "" unless it is a picture
}

// Fit says how a picture is fitted into a width and a height.
type Fit string

// These are the ways to fit a picture.
const (
	Contain Fit = "CONTAIN" // all of it, within both
	Cover   Fit = "COVER"   // cut so that it fills both
)

// Resize is the size of a picture that is wanted. A side that is 0 follows from the other. Pictures
// are never made larger than they are.
type Resize struct {
	Width, Height int
	Fit           Fit // "": Contain
}

// Format is a format of pictures that can be written.
type Format string

// These are the formats of resized pictures.
const (
	Auto Format = "" // JPEG of JPEG, PNG of all else
	JPEG Format = "JPEG"
	PNG  Format = "PNG"
)

// Options are what a service is made of.
type Options struct {
	Storage blob.Storage
	// Key is the secret from which the keys of addresses are derived: at least 32 bytes, alike on
	// all servers of a database.
	Key []byte
	// Origin is put before the paths of addresses, such as "https://files.example.com". If it is
	// empty, addresses have no host, and belong to the server that gave them.
	Origin    string
	MaxBytes  int64 // of a file
	MaxPixels int64 // of a picture
	Transfers int   // how many files are sent and received at once
	// Client returns who shares half of these, such as the address that a request is from. If it is
	// nil or returns "", nobody does.
	Client func(*http.Request) string
	// Awaited returns those of the files whose bytes are still to come. No bytes are taken for
	// others. If it is nil, all are awaited.
	Awaited func(context.Context, []uuid.UUID) ([]uuid.UUID, error)
	Log     *slog.Logger
}

// Service keeps files. A nil *Service keeps none: its methods return ErrOff, and its handler
// answers 404.
type Service struct {
	o         Options
	now       func() time.Time
	pictures  *picture.Pictures
	reads     *signer
	uploads   *signer
	locks     *memorylocker.MemoryLocker // of uploads, by the file's ID
	transfers chan struct{}              // one for each file that is sent or received
	mu        sync.Mutex                 // guards shares
	shares    map[string]int             // of transfers, by client
	making    singleflight.Group         // pictures that are being made, by key
	makers    chan struct{}              // one for each of these
	storing   chan struct{}              // one for each file that Store has in memory

	variantBytes int64 // maxVariantBytes, but in tests
}

// New returns a service.
func New(o Options) *Service {
	return &Service{
		o: o, now: time.Now, pictures: picture.New(o.MaxPixels),
		reads: newSigner(o.Key, reading), uploads: newSigner(o.Key, uploading),
		locks: memorylocker.New(), shares: map[string]int{}, transfers: make(chan struct{}, max(1, o.Transfers)), makers: make(chan struct{}, max(1, o.Transfers)),
		storing: make(chan struct{}, storedAtOnce), variantBytes: maxVariantBytes,
	}
}

// UploadOrigin returns the origin of another server to which clients send uploads. It is "" if they
// send them to this one.
func (s *Service) UploadOrigin() string {
	if other, ok := s.o.Storage.(interface{ Origin() string }); ok {
		return other.Origin()
	}
	return ""
}

// MaxBytes returns how many bytes a file may have at most.
func (s *Service) MaxBytes() int64 {
	if s == nil {
		return 0
	}
	return s.o.MaxBytes
}
