package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// sqlite is the path of a database file.
type sqlite string

func (b *bench) openSQLite(ctx context.Context, dir string) (store, error) {
	seeded := filepath.Join(dir, fmt.Sprintf("seed%d.sqlite", b.scale))
	if _, err := os.Stat(seeded); err != nil {
		fmt.Printf("making the data of scale %d\n", b.scale)
		half := filepath.Join(b.logs, "half.sqlite")
		if err := b.forge(ctx, "sqlite:"+half, "seed", "--passwords", "--scale", fmt.Sprint(b.scale)); err != nil {
			return nil, err
		}
		if err := copyFile(half, seeded); err != nil {
			return nil, err
		}
	}
	own := sqlite(filepath.Join(b.logs, "bench.sqlite"))
	return own, copyFile(seeded, string(own))
}

// copyFile copies a file to which nobody writes. It makes the copy under a temporary name and then
// renames it, so that there is never an incomplete copy.
func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to + ".part")
	if err != nil {
		return err
	}
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return err
	}
	if err := dst.Close(); err != nil {
		return err
	}
	return os.Rename(to+".part", to)
}

func (s sqlite) name(context.Context) (string, error) { return "SQLite", nil }

func (s sqlite) url() string                { return "sqlite:" + string(s) }
func (s sqlite) process() *process          { return nil }
func (s sqlite) tidy(context.Context) error { return nil }

func (s sqlite) audit(context.Context) (int64, error) { return 0, nil }
func (s sqlite) close()                               {}

func (s sqlite) count(context.Context, int, func() error) (*statements, error) { return nil, nil }
