package blob

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/google/uuid"
)

// Status says how a storage is.
type Status struct {
	Place string // where it is, for people: "the folder files" or "the bucket NAME of HOST"
	Free  uint64 // bytes that can be stored, if Known
	Known bool
}

// Check stores, reads and removes a small object. It returns how the storage is, or what does not
// work.
func Check(ctx context.Context, s Storage) (Status, error) {
	status := Status{Place: s.String()}
	key, text := "checks/"+uuid.NewString(), "a check of the storage"
	if err := s.Put(ctx, key, strings.NewReader(text), int64(len(text))); err != nil {
		return status, err
	}
	got, err := readAll(ctx, s, key)
	err = errors.Join(err, s.Remove(ctx, key))
	if err == nil && got != text {
		err = errors.New("the storage answers with other bytes than were stored")
	}
	if err == nil {
		status.Free, status.Known, err = s.Free(ctx)
	}
	return status, err
}

func readAll(ctx context.Context, s Storage, key string) (string, error) {
	object, err := s.Open(ctx, key)
	if err != nil {
		return "", err
	}
	defer object.Close()
	b, err := io.ReadAll(io.LimitReader(object, 1<<10))
	return string(b), err
}
