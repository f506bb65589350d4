package httpserver

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// answering returns a handler that answers with text, as the API does.
func answering(text string) http.Handler {
	body := []byte(text)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(body)
	})
}

// decoded returns the text in a body of a content coding.
func decoded(t *testing.T, coding string, body io.Reader) string {
	t.Helper()
	var err error
	switch coding {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(body); err == nil {
			defer d.Close()
			body = d
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return mustRead(t, body)
}

// TestCompress checks which coding the answers to clients have.
func TestCompress(t *testing.T) {
	t.Parallel()
	long, short := strings.Repeat(`{"name":"Ada"},`, 100), strings.Repeat("x", minCompressed-1)
	tests := []struct{ accept, text, want string }{
		{"", long, ""},
		{"gzip", long, "gzip"},
		{"zstd", long, "zstd"},
		{"gzip, deflate, br, zstd", long, "gzip"},
		{"zstd, gzip", long, "zstd"},
		{"ZSTD, br, GZIP", long, "zstd"},
		{"gzip;q=0.9, zstd;q=0.9", long, "gzip"},
		{"zstd;q=0.5, gzip", long, "gzip"},
		{"gzip;q=0.2, zstd;q=0.8", long, "zstd"},
		{"gzip;q=0, zstd;q=0", long, ""},
		{"gzip;q=0", long, ""},
		{"GZIP", long, "gzip"},
		{"br, deflate", long, ""},
		{"identity", long, ""},
		{"*;q=0", long, ""},
		{"gzip, zstd", short, ""},
		{"gzip, zstd", short + "x", "gzip"},
		{"zstd, gzip", short + "x", "zstd"},
		{"gzip, zstd", "", ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		if tt.accept != "" {
			r.Header.Set("Accept-Encoding", tt.accept)
		}
		w := httptest.NewRecorder()
		compress(true)(answering(tt.text)).ServeHTTP(w, r)
		got, size := w.Header(), w.Body.Len()
		if got.Get("Content-Encoding") != tt.want || !slices.Equal(got.Values("Vary"), []string{"Accept-Encoding"}) {
			t.Errorf("%q: encoding %q, Vary %q; want %q", tt.accept, got.Get("Content-Encoding"), got.Values("Vary"), tt.want)
		}
		if w.Code != http.StatusAccepted || got.Get("Cache-Control") != "no-store" || got.Get("ETag") != "" ||
			got.Get("Content-Type") != "application/graphql-response+json; charset=utf-8" {
			t.Errorf("%q: status %d, headers %v", tt.accept, w.Code, got)
		}
		if length := got.Get("Content-Length"); (length == "") != (tt.want != "") {
			t.Errorf("%q: Content-Length %q in encoding %q", tt.accept, length, tt.want)
		}
		if text := decoded(t, tt.want, w.Body); text != tt.text || tt.want != "" && size >= len(tt.text) {
			t.Errorf("%q: %d bytes that say %q", tt.accept, size, text)
		}
	}
}

// TestCompressForBrowsers sends the headers of browsers, which name gzip before zstd.
func TestCompressForBrowsers(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]string{"gzip, deflate, br, zstd": "zstd", "gzip, deflate, br": "gzip", "gzip, zstd;q=0.5": "gzip"} {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		r.Header.Set("Accept-Encoding", accepted)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		compress(true)(answering(strings.Repeat("x", minCompressed))).ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("a browser that accepts %q gets %q, want %q", accepted, got, want)
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	next := answering(strings.Repeat(`{"name":"Ada","age":36},`, 500))
	for name, handler := range map[string]http.Handler{"without": next, "not asked for": compress(true)(next), "gzip": compress(true)(next), "zstd": compress(true)(next)} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
			if name == "gzip" || name == "zstd" {
				r.Header.Set("Accept-Encoding", name)
			}
			w := &discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// discard discards an answer.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(int) {}

func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
