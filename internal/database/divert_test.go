package database_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

// session is one connection of PostgreSQL.
type session struct {
	*testing.T
	db   *database.DB
	conn *sql.Conn
}

func newSession(t *testing.T, parameters ...string) *session {
	db, err := database.Open(dbtest.Postgres(t)+strings.Join(parameters, ""), database.Options{PoolSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.DB.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &session{t, db, conn}
}

// diverting is what connections can do.
type diverting interface {
	driver.QueryerContext
	Divert(query string, each func([]driver.Value) error) (done func() error)
}

// run runs a query and hands its rows to each, and reports whether they were taken out of what the server sent.
func (s *session) run(ctx context.Context, query string, each func([]driver.Value) error) (diverted bool, err error) {
	err = s.conn.Raw(func(raw any) (err error) {
		c := raw.(diverting)
		done := c.Divert(query, each)
		defer func() { err = errors.Join(err, done()) }()
		diverted = database.Diverted(raw)
		rows, err := c.QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		values := make([]driver.Value, len(rows.Columns()))
		for {
			if err := rows.Next(values); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if diverted {
				s.Errorf("%s: a row has come through", query)
			}
			if err := each(values); err != nil {
				return err
			}
		}
	})
	return diverted, err
}

// rows returns the rows of a query as texts.
func (s *session) rows(query string) (list [][]string, diverted bool, err error) {
	diverted, err = s.run(s.Context(), query, func(values []driver.Value) error {
		var row []string
		for _, v := range values {
			switch v := v.(type) {
			case *[]byte:
				row = append(row, string(*v))
			case []byte:
				row = append(row, string(v))
			case time.Time:
				row = append(row, v.UTC().Format(time.RFC3339Nano))
			default:
				row = append(row, fmt.Sprint(v))
			}
		}
		list = append(list, row)
		return nil
	})
	return list, diverted, err
}

// sound fails the test unless the connection answers as always.
func (s *session) sound() {
	s.Helper()
	for range 2 {
		list, _, err := s.rows("SELECT 'sound'::text, i FROM generate_series(1, 3) i")
		if want := [][]string{{"sound", "1"}, {"sound", "2"}, {"sound", "3"}}; err != nil || !reflect.DeepEqual(list, want) {
			s.Errorf("afterwards: %v, %v", list, err)
		}
	}
}

func TestDivert(t *testing.T) {
	large := strings.Repeat("ä", 3*database.ReadAhead)
	for name, query := range map[string]string{
		"all types":                        `SELECT '\x00ff61'::bytea, 'text'::text, 'var'::varchar, -7::int, 9007199254740993::bigint, true, false, '2026-01-02 03:04:05.678901+02'::timestamptz, 'infinity'::timestamptz, '-infinity'::timestamptz`,
		"NULLs":                            `SELECT NULL::bytea, NULL::text, NULL::int, NULL::bigint, NULL::bool, NULL::timestamptz, ''::text, ''::bytea`,
		"no rows":                          `SELECT 1::int WHERE false`,
		"no column":                        `SELECT FROM generate_series(1, 3)`,
		"many":                             `SELECT repeat('x', i % 700), i, CASE WHEN i % 3 > 0 THEN i::bigint END, CASE WHEN i % 2 > 0 THEN 'odd' END FROM generate_series(1, 5000) i`,
		"large":                            `SELECT CASE i WHEN 2 THEN '` + large + `' ELSE 'small' END, i FROM generate_series(1, 3) i`,
		"just as large as is read at once": fmt.Sprintf("SELECT repeat('x', n) FROM generate_series(%d, %d) n", database.ReadAhead-20, database.ReadAhead+2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			want, diverted, err := s.rows(query)
			if diverted || err != nil {
				t.Fatalf("the first time: diverted is %t, %v", diverted, err)
			}
			for range 3 {
				got, diverted, err := s.rows(query)
				if !diverted || err != nil {
					t.Errorf("diverted is %t, %v", diverted, err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %.300q\nlib/pq has %.300q", got, want)
				}
			}
			s.sound()
		})
	}
}

func TestDivertOnlyWhatIsKnown(t *testing.T) {
	s := newSession(t)
	for _, query := range []string{"SELECT 1.5::numeric", "SELECT 1::int, ARRAY[1]"} {
		for range 2 {
			if list, diverted, err := s.rows(query); diverted || err != nil || len(list) != 1 {
				t.Errorf("%s: diverted is %t, %v, %v", query, diverted, list, err)
			}
		}
	}
	s.sound()
}

// TestDivertNotAsText has lib/pq ask for all values as text: then it decodes them.
func TestDivertNotAsText(t *testing.T) {
	s := newSession(t, "&disable_prepared_binary_result=yes")
	for range 2 {
		list, diverted, err := s.rows("SELECT 2024::int, 7::bigint, '\\x00ff'::bytea")
		if want := [][]string{{"2024", "7", "\x00\xff"}}; diverted || err != nil || !reflect.DeepEqual(list, want) {
			t.Errorf("diverted is %t, %q, %v", diverted, list, err)
		}
	}
}

func TestDivertFailures(t *testing.T) {
	const failing = "SELECT 6 / (3 - i), repeat('x', 5000) FROM generate_series(1, 5) i"
	const slow = "SELECT i::int, repeat('x', 9000)::text, pg_sleep(i / 10.0)::text FROM generate_series(0, 100) i"
	t.Run("of the statement, between rows", func(t *testing.T) {
		s := newSession(t)
		for range 3 {
			if _, _, err := s.rows(failing); err == nil || !strings.Contains(err.Error(), "division by zero") {
				t.Errorf("got %v", err)
			}
			s.sound()
		}
	})
	t.Run("of a row", func(t *testing.T) {
		s := newSession(t)
		bad := errors.New("bad row")
		for range 3 {
			seen := 0
			_, err := s.run(t.Context(), "SELECT i, repeat('x', 5000) FROM generate_series(1, 50) i", func([]driver.Value) error {
				seen++
				if seen == 2 {
					return bad
				}
				return nil
			})
			if !errors.Is(err, bad) || seen != 2 {
				t.Errorf("after %d rows: %v", seen, err)
			}
			s.sound()
		}
	})
	t.Run("of a value", func(t *testing.T) {
		s := newSession(t)
		const query = "SELECT i, CASE i WHEN 2 THEN '0044-03-15 12:00:00 BC'::timestamptz ELSE now() END FROM generate_series(1, 3) i"
		for range 3 {
			_, _, _ = s.rows(query) // lib/pq knows such a year, and we need not
			s.sound()
		}
	})
	t.Run("a panic", func(t *testing.T) {
		s := newSession(t)
		const query = "SELECT i, repeat('x', 5000) FROM generate_series(1, 50) i"
		if _, _, err := s.rows(query); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if p := recover(); p != "no" {
					t.Errorf("panic: %v", p)
				}
			}()
			_, err := s.run(t.Context(), query, func([]driver.Value) error { panic("no") })
			t.Errorf("no panic, but %v", err)
		}()
		var err error
		if s.conn, err = s.db.DB.Conn(t.Context()); err != nil { // database/sql does not use the one before any more
			t.Fatal(err)
		}
		defer s.conn.Close()
		s.sound()
	})
	t.Run("given up", func(t *testing.T) {
		s := newSession(t)
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		each := func([]driver.Value) error {
			if seen++; seen%4 == 3 {
				cancel()
			}
			return nil
		}
		if _, err := s.run(ctx, slow, each); err == nil {
			t.Error("it succeeded")
		}
		if seen == 0 || seen > 20 {
			t.Errorf("%d rows", seen)
		}
	})
}
