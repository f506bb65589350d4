package program

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"forge/test/dbtest"
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
		r, err := http.NewRequest(http.MethodGet, tt.s.url+tt.path+"?query="+url.QueryEscape(tt.query), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Content-Encoding"); res.StatusCode != 200 || got != tt.want || res.Header.Get("ETag") != "" {
			t.Errorf("%s %s: status %d, encoding %q, want %q", tt.path, tt.query, res.StatusCode, got, tt.want)
		}
		if tt.path == "/graphql" && res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", tt.query, res.Header.Get("Cache-Control"))
		}
	}
}

// refused sends an operation to a server that answers 503. It returns the decompressed answer and
// its Content-Encoding.
func (s *server) refused(t *testing.T, query, encodings string) (answer []byte, encoding string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+"/graphql?query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encodings)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer = plain(t, res.Header, body)
	if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" || codeIn(string(answer)) != "UNAVAILABLE" || !json.Valid(answer) {
		t.Errorf("%s: %d %v %q", encodings, res.StatusCode, res.Header, answer)
	}
	return answer, res.Header.Get("Content-Encoding")
}

// TestRefusalCompression sends requests to servers that are full, too slow, or out of connections,
// with every kind of compression. Each refusal must be compressed as its header says, and must have
// Retry-After.
func TestRefusalCompression(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	mustExec(t, address, "BEGIN; LOCK TABLE heroes IN ACCESS EXCLUSIVE MODE") // until the test ends
	// Each field is read by itself then, and fails by itself.
	many := "{ viewer { id }"
	for i := range 40 {
		many += fmt.Sprintf(" a%d: users(first: 1) { totalCount nodes { username } }", i)
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
			holding, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/graphql?query="+url.QueryEscape(`{ heroes { totalCount } }`), nil)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				// While another request holds what this one needs.
				for status := 503; status == 503; {
					res, err := http.DefaultClient.Do(holding)
					if err != nil {
						return
					}
					res.Body.Close()
					status = res.StatusCode
				}
			}()
			for end := time.Now().Add(time.Minute); ; {
				// Two refusals in a row show that the place is not taken by other work that ends
				// soon.
				status, body := s.query(t, countUsers)
				if again, _ := s.query(t, countUsers); status == 503 && again == 503 {
					break
				} else if time.Now().After(end) {
					t.Fatalf("it is not full: %d %s", status, body)
				}
			}
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
