package main

import (
	"net/http"
	"net/url"
	"testing"

	"forge/internal/dbtest"
)

// TestCompression asks for answers of either size; the setting decides whether large ones are compressed.
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
		{on, "/graphql", large, "zstd"},
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
