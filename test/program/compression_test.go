package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestCompression asks for small and large answers. The setting decides whether large ones are
// compressed.
func TestCompression(t *testing.T) {
	t.Parallel()
	const large = `{ users(first: 50) { nodes { id username email createdAt } } }`
	on := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t))
	off := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "COMPRESSION=off")
	for _, tt := range []struct {
		s     *server
		path  string
		query string
		want  string
	}{
		{on, "/graphql", large, "gzip"},
		{on, "/graphql", countUsers, ""},
		{off, "/graphql", large, ""},
	} {
		got := tt.s.With("Accept-Encoding", "gzip, deflate, br, zstd").Get(tt.path + "?query=" + url.QueryEscape(tt.query))
		if encoding := got.Header.Get("Content-Encoding"); got.Status != 200 || encoding != tt.want || got.Header.Get("ETag") != "" {
			t.Errorf("%s %s: status %d, encoding %q, want %q", tt.path, tt.query, got.Status, encoding, tt.want)
		}
		if tt.path == "/graphql" && got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", tt.query, got.Header.Get("Cache-Control"))
		}
	}
}

// refused sends an operation to a server that answers 503. It returns the decompressed answer and
// its Content-Encoding.
func (s *server) refused(t *testing.T, query, encodings string) (answer []byte, encoding string) {
	t.Helper()
	got := s.With("Accept-Encoding", encodings).Get("/graphql?query=" + url.QueryEscape(query))
	answer = plain(t, got.Header, []byte(got.Body))
	if got.Status != 503 || got.Header.Get("Retry-After") != "1" || codeIn(string(answer)) != "UNAVAILABLE" || !json.Valid(answer) {
		t.Errorf("%s: %d %v %q", encodings, got.Status, got.Header, answer)
	}
	return answer, got.Header.Get("Content-Encoding")
}

// TestRefusalCompression sends requests to servers that are full, too slow, or out of connections,
// with every kind of compression. Each refusal must be compressed as its header says, and must have
// Retry-After.
func TestRefusalCompression(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	mustExec(t, address, "BEGIN; LOCK TABLE heroes IN ACCESS EXCLUSIVE MODE") // until the test ends
	// Each field may be null, and has an error of its own.
	many := "{ viewer { id }"
	for i := range 40 {
		many += fmt.Sprintf(` a%d: user(id: "user_01h455vb4pex5vsknk084sn02q") { heroes { totalCount } }`, i)
	}
	many += " }"
	for _, tt := range []struct {
		name     string
		settings []string
		query    string
		large    bool // enough to be compressed
	}{
		{"no place", []string{"MAX_IN_FLIGHT=1", "MAX_QUEUED=0"}, countUsers, false},
		{"no patience", []string{"MAX_IN_FLIGHT=1", "MAX_QUEUED=9", "QUEUE_TIMEOUT=1ms"}, countUsers, false},
		{"no connection", []string{"POOL_SIZE=1", "POOL_TIMEOUT=10ms"}, many, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, append(tt.settings, "DATABASE_URL="+address, "STATEMENT_TIMEOUT=0s", "LOCK_TIMEOUT=0s")...)
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			go func() {
				for ctx.Err() == nil { // again while another has what it wants
					s.Send(ctx, `{ heroes { totalCount } }`, nil)
				}
			}()
			gqltest.Eventually(t, "it is full", func() error {
				// Two in a row show that the place is not taken by other work that ends soon.
				for range 2 {
					if got := s.Do(countUsers, nil); got.Status != 503 {
						return errors.New(got.String())
					}
				}
				return nil
			})
			for _, encodings := range []string{"", "identity", "gzip", "zstd", "gzip;q=0.5, zstd", "gzip, deflate, br, zstd", "*", "gzip, identity;q=0", "br, identity;q=0"} {
				answer, encoding := s.refused(t, tt.query, encodings)
				if encoding != "" && !strings.Contains(encodings, encoding) && encodings != "*" {
					t.Errorf("%q was answered in %s", encodings, encoding)
				}
				if wants := strings.Contains(encodings, "gzip") || encodings == "zstd"; tt.large && (len(answer) < 1024 || wants != (encoding != "") && encodings != "*") {
					t.Errorf("%q: %d bytes were answered in %q", encodings, len(answer), encoding)
				}
			}
		})
	}
}
