package database_test

import (
	"os"
	"testing"
	"time"
)

// logSize returns the size of the log.
func (s *stored) logSize() int64 {
	s.t.Helper()
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		s.t.Fatal(err)
	}
	return info.Size()
}

// grow writes n MiB into the log.
func (s *stored) grow(n int) {
	s.t.Helper()
	for range n {
		s.must("INSERT INTO t VALUES (randomblob(1 << 20))")
	}
}

// TestLogStaysShort writes while there are always readers, so that SQLite itself would never start
// its log anew.
func TestLogStaysShort(t *testing.T) {
	t.Parallel()
	s := store(t)
	reader, err := s.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	read := func(statement string) {
		t.Helper()
		if _, err := reader.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	read("BEGIN; SELECT count(*) FROM t")
	s.grow(20)
	if err := s.ShortenLog(t.Context()); err == nil || s.logSize() < 20<<20 {
		t.Errorf("while somebody reads what was there before: %v, and the log has %d bytes; want an error, and all of it", err, s.logSize())
	}
	s.grow(15)
	ended := make(chan error, 1)
	go func() { // the writers wait for the reader meanwhile
		time.Sleep(100 * time.Millisecond)
		_, err := reader.ExecContext(t.Context(), "COMMIT; BEGIN; SELECT count(*) FROM t; COMMIT")
		ended <- err
	}()
	if err := s.ShortenLog(t.Context()); err != nil || s.logSize() != 0 {
		t.Errorf("with a reader that ends: %v, and the log has %d bytes; want none", err, s.logSize())
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.must("INSERT INTO t VALUES (2)")
	if err := s.ShortenLog(t.Context()); err != nil || s.logSize() == 0 {
		t.Errorf("a short log of now: %v, and %d bytes; want it left alone", err, s.logSize())
	}
	past := time.Now().Add(-time.Minute)
	if err := os.Chtimes(s.path+"-wal", past, past); err != nil {
		t.Fatal(err)
	}
	if err := s.ShortenLog(t.Context()); err != nil || s.logSize() != 0 {
		t.Errorf("nobody writes any more: %v, and the log has %d bytes; want none", err, s.logSize())
	}
}
