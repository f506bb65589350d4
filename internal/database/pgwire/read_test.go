package pgwire_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

// session is a connection to PostgreSQL.
type session struct {
	*testing.T
	db   *database.DB
	conn database.Conn
}

// newSession opens a connection. It adds parameters to the address, as in "&name=value".
func newSession(t *testing.T, parameters string) *session {
	t.Helper()
	return openSession(t, dbtest.Postgres(t)+parameters)
}

func openSession(t *testing.T, address string) *session {
	t.Helper()
	db, err := database.Open(address, database.Options{PoolSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &session{t, db, conn}
}

// rows returns the rows of a query, with all values as texts.
func (s *session) rows(query string) (list [][]string, err error) {
	err = s.conn.Read(s.Context(), query, nil, func(values []driver.Value) error {
		var row []string
		for _, v := range values {
			switch v := v.(type) {
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
	return list, err
}

// sound fails the test if a query on the connection does not return the right rows.
func (s *session) sound() {
	s.Helper()
	for range 2 {
		list, err := s.rows("SELECT 'sound'::text, i FROM generate_series(1, 3) i")
		if want := [][]string{{"sound", "1"}, {"sound", "2"}, {"sound", "3"}}; err != nil || !reflect.DeepEqual(list, want) {
			s.Errorf("afterwards: %v, %v", list, err)
		}
	}
}

// TestReadFailures has reads fail in several ways. The connection can be used afterwards, unless it
// was dropped.
func TestReadFailures(t *testing.T) {
	const failing = "SELECT 6 / (3 - i), repeat('x', 5000) FROM generate_series(1, 5) i"
	const slow = "SELECT i::int, repeat('x', 9000)::text, pg_sleep(i / 10.0)::text FROM generate_series(0, 100) i"
	t.Run("of the statement, between rows", func(t *testing.T) {
		s := newSession(t, "")
		for range 3 {
			if _, err := s.rows(failing); err == nil || !strings.Contains(err.Error(), "division by zero") {
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
			err := s.conn.Read(t.Context(), "SELECT i, repeat('x', 5000) FROM generate_series(1, 50) i", nil, func([]driver.Value) error {
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
	t.Run("a panic", func(t *testing.T) {
		s := newSession(t, "")
		const query = "SELECT i, repeat('x', 5000) FROM generate_series(1, 50) i"
		if _, err := s.rows(query); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if p := recover(); p != "no" {
					t.Errorf("panic: %v", p)
				}
			}()
			err := s.conn.Read(t.Context(), query, nil, func([]driver.Value) error { panic("no") })
			t.Errorf("no panic, but %v", err)
		}()
		var err error
		if s.conn, err = s.db.Acquire(t.Context()); err != nil { // database/sql has dropped the one before
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
		if err := s.conn.Read(ctx, slow, nil, each); err == nil {
			t.Error("it succeeded")
		}
		if seen == 0 || seen > 20 {
			t.Errorf("%d rows", seen)
		}
	})
}
