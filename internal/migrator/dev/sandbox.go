package dev

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"entgo.io/ent/dialect"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"forge/internal/database"
	"forge/internal/pgtemp"
)

// A sandbox creates empty databases in which statements are tried.
type sandbox interface {
	// empty returns a database without tables. remove closes the database and removes it.
	empty(context.Context) (db *sql.DB, remove func() error, err error)
	close() error
}

// sandboxes has a sandbox for each of dialects, in the same order.
type sandboxes []sandbox

// newSandboxes creates the sandboxes. command is the name that errors mention.
func newSandboxes(ctx context.Context, command, devURL string) (boxes sandboxes, err error) {
	for _, d := range dialects {
		box, err := newSandbox(ctx, d.name, devURL)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("migrate %s %w", command, err), boxes.close())
		}
		boxes = append(boxes, box)
	}
	return boxes, nil
}

func (boxes sandboxes) close() (err error) {
	for _, box := range boxes {
		err = errors.Join(err, box.close())
	}
	return err
}

// newSandbox returns the sandbox for a dialect. For PostgreSQL, it uses the database at devURL. If
// devURL is empty, it starts a temporary server.
func newSandbox(ctx context.Context, name, devURL string) (sandbox, error) {
	if name == dialect.SQLite {
		return sqliteSandbox{}, nil
	}
	if devURL != "" {
		u, err := url.Parse(devURL)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return nil, errors.New("cannot use DEV_DATABASE_URL (--dev-url): it is not of the form postgres://user:password@host/database")
		}
		return postgresSandbox{url: u, stop: func() error { return nil }}, nil
	}
	cluster, err := pgtemp.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("needs a PostgreSQL to try statements on; set DEV_DATABASE_URL to a database in which "+
			"schemas may be created, or install the server's programs: %w", err)
	}
	u, err := url.Parse(cluster.URL("postgres"))
	if err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	box := postgresSandbox{url: u, stop: cluster.Stop}
	return box, errors.Join(box.extend(ctx), ctx.Err())
}

// extend makes the operators of trigrams visible in all schemas, as indexes may need them. It
// leaves them out where they are not installed: an index that needs them is then refused.
func (s postgresSandbox) extend(ctx context.Context) error {
	db, err := sql.Open("postgres", s.url.String())
	if err != nil {
		return err
	}
	_, _ = db.ExecContext(ctx, "CREATE EXTENSION "+trigrams+" SCHEMA pg_catalog")
	return db.Close()
}

// A sqliteSandbox creates databases in memory.
type sqliteSandbox struct{}

func (sqliteSandbox) empty(context.Context) (*sql.DB, func() error, error) {
	db, err := sql.Open("sqlite", "file::memory:?_pragma=foreign_keys(1)")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1) // a second connection would open another database
	return db, db.Close, nil
}

func (sqliteSandbox) close() error { return nil }

// A postgresSandbox creates schemas in a PostgreSQL database. It changes nothing else in this
// database.
type postgresSandbox struct {
	url  *url.URL
	stop func() error
}

func (s postgresSandbox) empty(ctx context.Context) (*sql.DB, func() error, error) {
	schema := "forge_plan_" + strings.ToLower(rand.Text())
	inSchema := *s.url
	query := inSchema.Query()
	query.Set("search_path", schema)
	inSchema.RawQuery = query.Encode()

	db, err := sql.Open("postgres", inSchema.String())
	if err != nil {
		return nil, nil, err
	}
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+schema); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a schema to try statements in, in %s: %w", database.Redact(s.url.String()), err), db.Close())
	}
	remove := func() error {
		_, err := db.ExecContext(context.WithoutCancel(ctx), "DROP SCHEMA "+schema+" CASCADE")
		return errors.Join(err, db.Close())
	}
	return db, remove, nil
}

func (s postgresSandbox) close() error { return s.stop() }
