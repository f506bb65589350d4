// Package blob keeps bytes under keys, in a folder or in a bucket of S3. A key is a path of
// letters, digits, hyphens, dots and slashes that the program makes, never one that a client has
// sent.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// These errors say why something cannot be read or stored. Compare with errors.Is.
var (
	ErrNotFound = errors.New("there is nothing under this key")
	ErrFull     = errors.New("the storage is full")
	// ErrChanged says that what was to be moved is not what was read.
	ErrChanged = errors.New("it has changed meanwhile")
)

// Info is what is known of what is stored under a key.
type Info struct {
	Key     string
	Size    int64
	Version string // it changes with the bytes; "" if the storage does not say
	Changed time.Time
}

// Object is what is stored under a key, to be read.
type Object interface {
	io.ReadSeekCloser
	Info() Info
}

// Storage keeps bytes under keys. All methods give up when their context ends. Reads of an Object
// give up with the context of Open.
type Storage interface {
	// Open returns what is stored under a key, or ErrNotFound.
	Open(ctx context.Context, key string) (Object, error)
	// Put stores all bytes of r, or nothing. size is their number, or -1 if it is not known.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Move moves what Info was told of to another key, where it replaces nothing: what is there
	// already stays. It returns ErrChanged or ErrNotFound.
	Move(ctx context.Context, from Info, to string) error
	// List calls f for all keys that begin with a prefix, which ends with a slash, until f returns
	// an error.
	List(ctx context.Context, prefix string, f func(Info) error) error
	// Remove removes a key. It returns no error if there is nothing.
	Remove(ctx context.Context, key string) error
	// Free returns how many bytes can be stored, and whether that is known.
	Free(ctx context.Context) (bytes uint64, known bool, err error)
	// String names the place, for people, without secrets.
	String() string
}

// Unfinished is the prefix of what was not stored because the program ended before. It is swept.
const Unfinished = "made/"

var keys = regexp.MustCompile(`^[a-z0-9-]+(/[a-zA-Z0-9][a-zA-Z0-9.-]*)+$`)

// checkKey returns an error if a key is not of the right form, so that it leads out of no folder.
func checkKey(key string) error {
	if !keys.MatchString(key) || strings.Contains(key, "..") || len(key) > 200 {
		return fmt.Errorf("%q is not a key", key)
	}
	return nil
}

// Open returns the storage of an address: s3:// and what NewS3 takes, or the path of a folder. It
// neither makes the folder nor connects to S3.
func Open(address string) (Storage, error) {
	if strings.HasPrefix(address, "s3://") {
		return NewS3(address)
	}
	if scheme, _, found := strings.Cut(address, "://"); found {
		return nil, fmt.Errorf("%s:// is not known: it has to be s3:// or a folder", scheme)
	}
	return NewFolder(address), nil
}
