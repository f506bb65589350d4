package httpserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/admission"
	"forge/internal/blob"
	"forge/internal/database"
	"forge/internal/file"
	"forge/internal/metrics"
)

// newFiles returns the routes of a server that keeps files, and whose API is full.
func newFiles(t *testing.T, log io.Writer, local bool) (http.Handler, *file.Service) {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	limiter := admission.New(1, 0, time.Hour)
	if err := limiter.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := file.New(file.Options{Storage: blob.NewFolder(t.TempDir()), Key: bytes.Repeat([]byte{1}, 32), MaxBytes: 64 << 20, MaxPixels: 1_000_000, Transfers: 10,
		Log: slog.New(slog.DiscardHandler)})
	return Routes(Parts{API: http.NotFoundHandler(), Files: files.Handler(), Admission: limiter, Ready: http.NotFoundHandler(), Local: local,
		Origins: []string{trusted}, Compression: true, Metrics: metrics.New(db), Log: slog.New(slog.NewJSONHandler(log, nil))}), files
}

func announced(t *testing.T, files *file.Service, size int64) (file.File, file.Upload) {
	t.Helper()
	f := file.File{ID: uuid.New(), Name: "a.txt", ContentType: "text/plain", Size: size}
	up, err := files.Announce(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return f, up
}

// TestSlowFiles uploads and reads a file on a server whose limits for requests are far shorter than
// that takes. The limits are not for files. The API is full meanwhile.
func TestSlowFiles(t *testing.T) {
	t.Parallel()
	const limit = time.Second // so long that a busy machine reads the headers meanwhile
	handler, files := newFiles(t, io.Discard, false)
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, l, handler, nil, Connection{ReadTimeout: limit, WriteTimeout: limit}, slog.New(slog.DiscardHandler), 0, time.Second)
	}()
	t.Cleanup(func() { stop(); <-ended })
	const size = 8 << 20 // more than the system keeps for a client that does not read
	f, up := announced(t, files, size)
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	request := fmt.Sprintf("PATCH %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n", up.URL, size)
	for _, h := range up.Headers {
		request += h.Name + ": " + h.Value + "\r\n"
	}
	for _, part := range []string{request + "\r\n" + strings.Repeat("a", 1000), strings.Repeat("a", size-1000)} {
		if _, err := io.WriteString(conn, part); err != nil {
			t.Fatal(err)
		}
		time.Sleep(limit + limit/4)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 204") {
		t.Fatalf("%s, %v", answer, err)
	}
	facts, err := files.Finish(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	f.ContentType = facts.ContentType
	address, err := files.URL(f, time.Hour, nil, file.Auto)
	if err != nil {
		t.Fatal(err)
	}
	conn = dial()
	if err := conn.(*net.TCPConn).SetReadBuffer(32 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n", address)
	time.Sleep(limit + limit/4)
	answer, err := io.ReadAll(conn)
	if body := answer[bytes.Index(answer, []byte("\r\n\r\n"))+4:]; err != nil || len(body) != size {
		t.Errorf("%d bytes were read, %v", len(body), err)
	}
}

// TestFilesForPages asks as pages of several origins do. The log has no address of a file.
func TestFilesForPages(t *testing.T) {
	t.Parallel()
	log := new(strings.Builder)
	h, files := newFiles(t, log, false)
	_, up := announced(t, files, 10)
	for origin, allowed := range map[string]string{trusted: trusted, "https://evil.example": ""} {
		w := askFrom(h, "OPTIONS", up.URL, "Origin", origin, "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "content-type,tus-resumable,upload-offset")
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != allowed || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("a preflight of %s: %d %v", origin, w.Code, w.Header())
		}
		w = askFrom(h, "HEAD", up.URL, "Origin", origin, "Tus-Resumable", "1.0.0")
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != 200 || got != allowed {
			t.Errorf("%s: %d %v", origin, w.Code, w.Header())
		}
	}
	local, _ := newFiles(t, io.Discard, true)
	if w := askFrom(local, "HEAD", up.URL); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("a rebound name: %d", w.Code)
	}
	token := up.URL[strings.LastIndex(up.URL, "/")+1:]
	page := askFrom(h, "GET", "/metrics")
	if strings.Contains(log.String()+page.Body.String(), token) || !strings.Contains(log.String(), `"path":"/files/uploads/{token}"`) || !strings.Contains(page.Body.String(), `route="HEAD /files/uploads/{token}"`) {
		t.Errorf("logged: %s", log)
	}
}
