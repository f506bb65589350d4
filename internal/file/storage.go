package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/internal/blob"
)

// These are the keys of what is stored of a file. Names that clients choose are not part of them.
const (
	uploadsPrefix = "uploads/"
	filesPrefix   = "files/"
	original      = "original"
)

func uploadKey(id uuid.UUID) string   { return uploadsPrefix + id.String() }
func filePrefix(id uuid.UUID) string  { return filesPrefix + id.String() + "/" }
func originalKey(id uuid.UUID) string { return filePrefix(id) + original }

// answerTime is how long the storage may take for what is small.
const answerTime = 20 * time.Second

// quick returns a context for what the storage has to answer soon.
func quick(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, answerTime)
}

// unavailable returns an error of the storage as ErrUnavailable, which wraps it.
func unavailable(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, blob.ErrFull):
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// Has reports whether the bytes of a file are at their final place. It returns ErrOff or
// ErrUnavailable.
func (s *Service) Has(ctx context.Context, id uuid.UUID) (bool, error) {
	if s == nil {
		return false, ErrOff
	}
	ctx, cancel := quick(ctx)
	defer cancel()
	object, err := s.o.Storage.Open(ctx, originalKey(id))
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, unavailable(err)
	}
	return true, object.Close()
}

// Remove removes all that is stored of a file: its bytes, what was made of them, and its upload. It
// returns no error if there is nothing. It returns ErrOff or ErrUnavailable.
func (s *Service) Remove(ctx context.Context, id uuid.UUID) error {
	if s == nil {
		return ErrOff
	}
	ctx, cancel := quick(ctx)
	defer cancel()
	// The original goes first: nothing new is made of a file that is gone.
	keys := []string{originalKey(id), uploadKey(id)}
	err := s.o.Storage.List(ctx, filePrefix(id), func(info blob.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	for _, key := range keys {
		if err == nil {
			err = s.o.Storage.Remove(ctx, key)
		}
	}
	return unavailable(err)
}

// sweepTime is how long SweepUploads may take.
const sweepTime = time.Minute

// sweptAtOnce is how many uploads SweepUploads asks about, whether they are awaited.
const sweptAtOnce = 1000

// SweepUploads removes uploads to which nothing was added since a time, and those that are not
// awaited. It returns how many. What cannot be removed holds up nothing else. It returns ErrOff,
// ErrUnavailable, or the error of Awaited.
func (s *Service) SweepUploads(ctx context.Context, since time.Time) (removed int, err error) {
	if s == nil {
		return 0, ErrOff
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	w := &uploadSweep{s: s, since: since, some: map[uuid.UUID]blob.Info{}}
	for _, prefix := range []string{uploadsPrefix, blob.Unfinished} {
		err := s.o.Storage.List(ctx, prefix, func(info blob.Info) error { return w.look(ctx, info) })
		if err != nil {
			return w.removed, unavailable(err)
		}
	}
	err = w.ask(ctx)
	return w.removed, cmp.Or(err, w.failed)
}

// uploadSweep is one call of SweepUploads.
type uploadSweep struct {
	s       *Service
	since   time.Time
	some    map[uuid.UUID]blob.Info // uploads that may be awaited, until ask
	removed int
	failed  error // the first one
}

func (w *uploadSweep) look(ctx context.Context, info blob.Info) error {
	id, err := uuid.Parse(strings.TrimPrefix(info.Key, uploadsPrefix))
	switch {
	case info.Changed.Before(w.since):
		w.remove(ctx, info)
	case err == nil && w.s.o.Awaited != nil:
		w.some[id] = info
	}
	if len(w.some) < sweptAtOnce {
		return ctx.Err()
	}
	return w.ask(ctx)
}

// ask removes those of some that are not awaited.
func (w *uploadSweep) ask(ctx context.Context) error {
	if len(w.some) == 0 {
		return nil
	}
	awaited, err := w.s.o.Awaited(ctx, slices.Collect(maps.Keys(w.some)))
	if err != nil {
		return err
	}
	for _, id := range awaited {
		delete(w.some, id)
	}
	for _, info := range w.some {
		w.remove(ctx, info)
	}
	clear(w.some)
	return nil
}

func (w *uploadSweep) remove(ctx context.Context, info blob.Info) {
	if err := w.s.o.Storage.Remove(ctx, info.Key); err != nil {
		w.failed = cmp.Or(w.failed, unavailable(err))
		return
	}
	w.removed++
}
