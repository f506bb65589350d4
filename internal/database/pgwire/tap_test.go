package pgwire_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/database/pgwire"
	"forge/test/dbtest"
)

// session is a connection to PostgreSQL.
type session struct {
	*testing.T
	db   *database.DB
	conn *sql.Conn
}

// newSession opens a connection. It adds parameters to the address, as in "&name=value".
func newSession(t *testing.T, parameters string) *session {
	t.Helper()
	return openSession(t, dbtest.Postgres(t)+parameters)
}

func openSession(t *testing.T, address string) *session {
	t.Helper()
	db, err := database.Open(address, database.Options{PoolSize: 1})
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

// reader is a connection of package database.
type reader interface {
	Read(ctx context.Context, query string, args []any, each pgwire.RowFunc) (tapped bool, err error)
}

// run runs a query, hands its rows to each, and reports whether they were tapped.
func (s *session) run(ctx context.Context, query string, each pgwire.RowFunc) (tapped bool, err error) {
	decoded := false
	err = s.conn.Raw(func(raw any) (err error) {
		tapped, err = raw.(reader).Read(ctx, query, nil, func(values []driver.Value) error {
			for _, v := range values {
				switch v.(type) {
				case string, []byte:
					decoded = true
				}
			}
			return each(values)
		})
		return err
	})
	if tapped && decoded {
		s.Errorf("%s: lib/pq returned a row that should have been tapped", query)
	}
	return tapped, err
}

// rows returns the rows of a query, with all values as texts.
func (s *session) rows(query string) (list [][]string, tapped bool, err error) {
	tapped, err = s.run(s.Context(), query, func(values []driver.Value) error {
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
	return list, tapped, err
}

// sound fails the test if a query on the connection does not return the right rows.
func (s *session) sound() {
	s.Helper()
	for range 2 {
		list, _, err := s.rows("SELECT 'sound'::text, i FROM generate_series(1, 3) i")
		if want := [][]string{{"sound", "1"}, {"sound", "2"}, {"sound", "3"}}; err != nil || !reflect.DeepEqual(list, want) {
			s.Errorf("afterwards: %v, %v", list, err)
		}
	}
}

func TestTap(t *testing.T) {
	large := fmt.Sprintf("repeat('ä', %d)", 3*pgwire.ReadAhead)
	for name, query := range map[string]string{
		"all types":                        `SELECT '\x00ff61'::bytea, 'text'::text, 'var'::varchar, -7::int, 9007199254740993::bigint, true, false, '2026-01-02 03:04:05.678901+02'::timestamptz, 'infinity'::timestamptz, '-infinity'::timestamptz`,
		"NULLs":                            `SELECT NULL::bytea, NULL::text, NULL::int, NULL::bigint, NULL::bool, NULL::timestamptz, ''::text, ''::bytea`,
		"no rows":                          `SELECT 1::int WHERE false`,
		"no column":                        `SELECT FROM generate_series(1, 3)`,
		"many":                             `SELECT repeat('x', i % 700), i, CASE WHEN i % 3 > 0 THEN i::bigint END, CASE WHEN i % 2 > 0 THEN 'odd' END FROM generate_series(1, 5000) i`,
		"large":                            `SELECT CASE i WHEN 2 THEN ` + large + ` ELSE 'small' END, i FROM generate_series(1, 3) i`,
		"just as large as is read at once": fmt.Sprintf("SELECT repeat('x', n) FROM generate_series(%d, %d) n", pgwire.ReadAhead-20, pgwire.ReadAhead+2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, "")
			want, tapped, err := s.rows(query)
			if tapped || err != nil {
				t.Fatalf("the first time: tapped is %t, %v", tapped, err)
			}
			for range 3 {
				got, tapped, err := s.rows(query)
				if !tapped || err != nil {
					t.Errorf("tapped is %t, %v", tapped, err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %.300q\nlib/pq has %.300q", got, want)
				}
			}
			s.sound()
		})
	}
}

func TestTapOnlyKnownTypes(t *testing.T) {
	s := newSession(t, "")
	for _, query := range []string{"SELECT 1.5::numeric", "SELECT 1::int, ARRAY[1]"} {
		for range 2 {
			if list, tapped, err := s.rows(query); tapped || err != nil || len(list) != 1 {
				t.Errorf("%s: tapped is %t, %v, %v", query, tapped, list, err)
			}
		}
	}
	s.sound()
}

// TestTapNotInTextForm makes lib/pq request all values as text. Then nothing is tapped.
func TestTapNotInTextForm(t *testing.T) {
	s := newSession(t, "&disable_prepared_binary_result=yes")
	for range 2 {
		list, tapped, err := s.rows("SELECT 2024::int, 7::bigint, '\\x00ff'::bytea")
		if want := [][]string{{"2024", "7", "\x00\xff"}}; tapped || err != nil || !reflect.DeepEqual(list, want) {
			t.Errorf("tapped is %t, %q, %v", tapped, list, err)
		}
	}
}

func TestTapFailures(t *testing.T) {
	const failing = "SELECT 6 / (3 - i), repeat('x', 5000) FROM generate_series(1, 5) i"
	const slow = "SELECT i::int, repeat('x', 9000)::text, pg_sleep(i / 10.0)::text FROM generate_series(0, 100) i"
	t.Run("of the statement, between rows", func(t *testing.T) {
		s := newSession(t, "")
		for range 3 {
			if _, _, err := s.rows(failing); err == nil || !strings.Contains(err.Error(), "division by zero") {
				t.Errorf("got %v", err)
			}
			s.sound()
		}
	})
	t.Run("of a row", func(t *testing.T) {
		s := newSession(t, "")
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
		s := newSession(t, "")
		const query = "SELECT i, CASE i WHEN 2 THEN '0044-03-15 12:00:00 BC'::timestamptz ELSE now() END FROM generate_series(1, 3) i"
		for range 3 {
			_, _, _ = s.rows(query) // lib/pq supports such a year, a tap need not
			s.sound()
		}
	})
	t.Run("a panic", func(t *testing.T) {
		s := newSession(t, "")
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
		if s.conn, err = s.db.DB.Conn(t.Context()); err != nil { // database/sql has dropped the one before
			t.Fatal(err)
		}
		defer s.conn.Close()
		s.sound()
	})
	t.Run("cancelled", func(t *testing.T) {
		s := newSession(t, "")
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
