package pgwire_test

import (
	"errors"
	"testing"

	"github.com/lib/pq"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestPrecede sends statements together with others, in the clear and under TLS.
func TestPrecede(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"plain", "TLS"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			address := dbtest.EmptyPostgres(t)
			if way == "TLS" {
				address = behindTLS(t, address)
			}
			s := openSession(t, address)
			s.exec("CREATE TABLE t (x text PRIMARY KEY, n int)")
			s.transaction("1", "2", "")
			s.stores(2)
			s.transaction("1", "3", "23505") // what precedes the first statement fails
			s.transaction("3", "2", "23505") // what precedes the COMMIT fails
			s.stores(2)
			s.sound()

			// A statement of the simple protocol is not sent with others.
			s.begin("4")
			s.exec("SAVEPOINT a")
			s.exec("COMMIT")
			s.stores(3)
			// Nothing was sent yet, so there is nothing to roll back.
			s.begin("1")
			s.exec("ROLLBACK")
			s.begin("4")
			if err := s.conn.CommitAfter(t.Context(), insert("5")); code(err) != "23505" {
				t.Errorf("a transaction without a statement of its own: %v, want the error of what precedes it", err)
			}
			s.exec("ROLLBACK")
			s.stores(3)
			s.sound()
		})
	}
}

func insert(key string) database.Statement {
	return database.Statement{Text: "INSERT INTO t VALUES ($1, 1 + $2)", Args: []any{key, 1}}
}

func code(err error) string {
	if refused, ok := errors.AsType[*pq.Error](err); ok {
		return string(refused.Code)
	}
	return ""
}

func (s *session) begin(key string) {
	s.Helper()
	if err := s.db.BeginWith(s.conn, insert(key)); err != nil {
		s.Fatal(err)
	}
}

func (s *session) exec(statement string) {
	s.Helper()
	if _, err := s.conn.ExecContext(s.Context(), statement); err != nil {
		s.Fatalf("%s: %v", statement, err)
	}
}

// transaction inserts one key before a query and one before the COMMIT. It wants the error with a
// code, and nothing stored then.
func (s *session) transaction(first, last, want string) {
	s.Helper()
	s.begin(first)
	_, err := s.rows("SELECT 'query'::text")
	if err == nil {
		err = s.conn.CommitAfter(s.Context(), insert(last))
	}
	if code(err) != want || err != nil && want == "" {
		s.Errorf("%s and %s: %v, want the code %q", first, last, err, want)
	}
	if database.OutcomeUnknown(err) {
		s.Errorf("%s and %s: the outcome is unknown", first, last)
	}
	s.exec("ROLLBACK")
}

func (s *session) stores(want int) {
	s.Helper()
	var n int
	if err := s.conn.QueryRowContext(s.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != want {
		s.Errorf("%d rows are stored (%v), want %d", n, err, want)
	}
}
