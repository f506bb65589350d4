package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	_ "github.com/lib/pq"

	"forge/internal/migrator"
	"forge/internal/pgtemp"
	"forge/migrate"
)

// Postgres returns the URL of a migrated PostgreSQL database.
func Postgres(t testing.TB) string {
	t.Helper()
	return newDatabase(t, (*server).copyTemplate)
}

// EmptyPostgres returns the URL of a PostgreSQL database without tables.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return newDatabase(t, (*server).createEmpty)
}

func newDatabase(t testing.TB, create func(*server, context.Context, string) error) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: SQLite only")
	}
	s, err := theServer()
	if err != nil {
		t.Fatalf("these tests need a PostgreSQL: set TEST_DATABASE_URL to a server on which databases may be "+
			"created, or install the server's programs: %v", err)
	}
	name := "forge_test_" + strings.ToLower(rand.Text())
	if err := create(s, t.Context(), name); err != nil {
		t.Fatalf("create the database of this test: %v", err)
	}
	t.Cleanup(func() {
		// With force, because a failed test may have left connections open. t.Context has ended by
		// now.
		if _, err := s.admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database of this test: %v", err)
		}
	})
	return s.testURL(t, name)
}

// A server is the PostgreSQL server on which this process creates databases.
type server struct {
	url   *url.URL
	admin *sql.DB

	creating sync.Mutex // a template cannot be copied while somebody is connected to it
}

// theServer returns the server that all tests of the process share. If it is a temporary one, it
// ends with the process.
var theServer = sync.OnceValues(func() (*server, error) {
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		cluster, err := pgtemp.Start(context.Background())
		if err != nil {
			return nil, err
		}
		address = cluster.URL("postgres")
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("TEST_DATABASE_URL is not of the form postgres://user:password@host/database")
	}
	admin, err := sql.Open("postgres", address)
	if err != nil {
		return nil, err
	}
	admin.SetMaxOpenConns(4) // the other connections are left to the tests
	return &server{url: u, admin: admin}, nil
})

func (s *server) databaseURL(name string) string {
	u := *s.url
	u.Path = "/" + name
	return u.String()
}

func (s *server) createEmpty(ctx context.Context, name string) error {
	_, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE template0")
	return err
}

// copyTemplate creates a database as a copy of the template. If there is no template yet, it
// creates one first.
func (s *server) copyTemplate(ctx context.Context, name string) error {
	template, err := templateName()
	if err != nil {
		return err
	}
	return s.exclusively(ctx, func(conn *sql.Conn) error {
		var found bool
		err := conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pg_database WHERE datname = $1", template).Scan(&found)
		if err == nil && !found {
			err = s.makeTemplate(ctx, conn, template)
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
		}
		return err
	})
}

// exclusively calls f. During the call, no other test of any process creates a database on the
// server.
func (s *server) exclusively(ctx context.Context, f func(*sql.Conn) error) error {
	s.creating.Lock()
	defer s.creating.Unlock()
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	const key = 0x666f726765 // "forge"
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		return err
	}
	err = f(conn)
	_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key)
	return errors.Join(err, unlockErr)
}

const templatePrefix = "forge_template_"

// templateName returns the name of the template. The name depends on the migrations, so a server
// that is used again never provides an old schema.
func templateName() (string, error) {
	h := sha256.New()
	if err := migrator.New(migrate.Files, dialect.Postgres).SQL(h, 0, 0, false); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%x", templatePrefix, h.Sum(nil)[:8]), nil
}

// makeTemplate creates and migrates a database, and renames it to name when it is complete. It
// first drops the templates of other schemas.
func (s *server) makeTemplate(ctx context.Context, conn *sql.Conn, name string) error {
	old, err := databases(ctx, conn, templatePrefix)
	if err != nil {
		return err
	}
	for _, o := range old {
		if _, err := conn.ExecContext(ctx, "DROP DATABASE "+o+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	building := templatePrefix + "building"
	if _, err := conn.ExecContext(ctx, "CREATE DATABASE "+building+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := migrateAt("postgres", s.databaseURL(building), dialect.Postgres); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = conn.ExecContext(ctx, "ALTER DATABASE "+building+" RENAME TO "+name)
	return err
}

// databases returns the names of the databases on the server that begin with prefix.
func databases(ctx context.Context, conn *sql.Conn, prefix string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
