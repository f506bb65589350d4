package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"forge/internal/application"
)

// withPages is an application that has pages and a schema, and nothing else.
var withPages = application.Application{
	SDL:  "type Query { albums: Int }",
	Docs: fstest.MapFS{"README.md": &fstest.MapFile{Data: []byte("# Albums\n")}},
}

// TestDocsServes serves the pages, reads one, and ends.
func TestDocsServes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- Run(ctx, withPages, []string{"forge", "docs", "--address", "127.0.0.1:0"}, nil, in, io.Discard)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	_, address, _ := strings.Cut(strings.TrimSpace(line), " at ")
	got, err := http.Get(address)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	defer got.Body.Close()
	if body, err := io.ReadAll(got.Body); err != nil || !strings.Contains(string(body), "<h1 id=\"albums\">Albums</h1>") {
		t.Errorf("%s is %s, %v", address, body, err)
	}
	cancel()
	if got := <-status; got != 0 {
		t.Errorf("the exit status is %d, want 0", got)
	}
}

// TestDocsWrites writes the site to a folder.
func TestDocsWrites(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "site")
	if status := Run(t.Context(), withPages, []string{"forge", "docs", "--out", dir}, nil, io.Discard, t.Output()); status != 0 {
		t.Fatalf("the exit status is %d", status)
	}
	for _, name := range []string{"index.html", "search.json", "api/queries.html", "assets/site.css"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDocsRefused has mistakes in the arguments.
func TestDocsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--address", "nowhere"}, {"--address", "127.0.0.1:99999"}, {"more"}, {"--adress", "127.0.0.1:0"}} {
		var stderr strings.Builder
		if status := Run(t.Context(), withPages, append([]string{"forge", "docs"}, args...), nil, io.Discard, &stderr); status != 2 {
			t.Errorf("%v: the exit status is %d, want 2: %s", args, status, stderr.String())
		}
	}
}
