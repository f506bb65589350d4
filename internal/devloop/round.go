package devloop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// round is the work after one save.
type round struct {
	loop  *loop
	seen  prints // of the files, each when the round came to read it
	began time.Time
	times []string
	mu    sync.Mutex // of times
}

// run generates, builds, migrates and starts the server, as far as the files need it.
func (r *round) run(ctx context.Context) error {
	if err := r.generate(ctx); err != nil {
		return err
	}
	now, err := r.loop.prints()
	if err != nil {
		return err
	}
	r.seen.program = now.program
	if now.program != r.loop.done.program {
		if err := r.timed("build", func() error { return r.build(ctx) }); err != nil {
			return err
		}
	}
	// Whether the schema and the entities fit together is known before anything is changed.
	if output, err := r.loop.output(ctx, r.loop.program, "check"); err != nil {
		return fmt.Errorf("%s", output)
	}
	if err := r.timed("migration", func() error { return r.migrate(ctx) }); err != nil {
		return err
	}
	if now, err = r.loop.prints(); err != nil {
		return err
	}
	r.seen.migration = now.migration
	return r.timed("start", func() error {
		r.loop.serve(ctx, r.loop.program)
		return r.loop.server.awaitReady(ctx)
	})
}

// generate runs those generators whose sources have changed. They run beside each other: gqlgen
// does not read what ent generates, and the compiler checks whether both fit together.
func (r *round) generate(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	if r.seen.entities != r.loop.done.entities {
		wg.Go(func() {
			errs[0] = r.timed("ent", func() error { return r.loop.command(ctx, "go", "generate", "./ent/generate.go") })
		})
	}
	if r.seen.contract != r.loop.done.contract {
		wg.Go(func() {
			errs[1] = r.timed("gqlgen", func() error { return r.loop.command(ctx, "go", "run", "./internal/gqlgen", "-unchecked") })
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// build builds the program beside the last one, which may be running.
func (r *round) build(ctx context.Context) error {
	program := filepath.Join(r.loop.dir, fmt.Sprintf("forge-%x", r.seen.program))
	if err := r.loop.command(ctx, "go", "build", "-tags=source", "-ldflags=-w", "-o", program, "."); err != nil {
		return err
	}
	last := r.loop.program
	if r.loop.program = program; last != "" && last != program {
		_ = os.Remove(last) // the folder goes at the end
	}
	return nil
}

// migrate plans the migration for what has changed in ent/schema, and applies it. If it cannot be
// applied, its files are removed again: the entities will be planned after the next save.
func (r *round) migrate(ctx context.Context) error {
	if r.loop.done.migration != 0 && r.seen.migration != r.loop.done.migration {
		if output, err := r.loop.output(ctx, r.loop.program, "migrate", "hash"); err != nil {
			return fmt.Errorf("%s", output)
		}
	}
	dir := filepath.Join(r.loop.Root, "migrate")
	before, err := contents(dir)
	if err != nil {
		return err
	}
	if r.seen.entities != r.loop.done.entities {
		if err := r.loop.ask(ctx, r.loop.program, "migrate", "diff", "dev"); err != nil {
			return fmt.Errorf("the migration could not be planned: %w", err)
		}
	}
	output, err := r.loop.output(ctx, r.loop.program, "migrate", "up", "--from-disk")
	if err == nil {
		return nil
	}
	after, readErr := contents(dir)
	if readErr != nil {
		return readErr
	}
	if len(after) > len(before) {
		output += "\nthe new migration was taken back"
		err = restore(before, after)
	} else {
		err = nil
	}
	return errors.Join(fmt.Errorf("the migrations could not be applied: %s", output), err)
}

// contents returns the files below a folder, by their paths.
func contents(dir string) (map[string]string, error) {
	files := map[string]string{}
	for _, pattern := range []string{"*/*.sql", "*/atlas.sum"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			files[path] = string(text)
		}
	}
	return files, nil
}

// restore makes files as they were before.
func restore(before, after map[string]string) (err error) {
	for path, text := range after {
		switch old, ok := before[path]; {
		case !ok:
			err = errors.Join(err, os.Remove(path))
		case old != text:
			err = errors.Join(err, os.WriteFile(path, []byte(old), 0o644))
		}
	}
	return err
}

// timed calls f, and notes how long it took.
func (r *round) timed(what string, f func() error) error {
	began := time.Now()
	err := f()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times = append(r.times, fmt.Sprintf("%s %.1fs", what, time.Since(began).Seconds()))
	return err
}
