package dev

import (
	"context"
	"errors"
	"path/filepath"
)

// VerifyFiles is Verify for the files in one directory, without ent's schema.
func VerifyFiles(ctx context.Context, dialect, path, devURL string) ([]Verdict, error) {
	box, err := newSandbox(ctx, dialect, devURL)
	if err != nil {
		return nil, err
	}
	all, _, err := verifyFiles(ctx, box, filepath.Dir(path), dialect)
	return all, errors.Join(err, box.close())
}

// Wider is wider.
func Wider(from, to string) bool { return wider(from, to) }
