package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTrustedDocuments serves each manifest that http.md shows, and then breaks one as the page does.
func TestTrustedDocuments(t *testing.T) {
	page, err := os.ReadFile("http.md")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "forge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	env := append(os.Environ(), "TRUSTED_DOCUMENTS=documents.json")
	var manifests []string
	for _, b := range blocks(string(page)) {
		switch b.language {
		case "json":
			manifests = append(manifests, b.text)
			writeManifest(t, program, b.text)
			checkManifest(t, serve(t, program, env), b.text)
		case "console":
			writeManifest(t, program, strings.Replace(manifests[len(manifests)-1], "totalCount", "total", 1))
			cmd := exec.CommandContext(t.Context(), program)
			cmd.Dir, cmd.Env = filepath.Dir(program), append(env, "ADDR=127.0.0.1:0", "DATABASE_URL=sqlite::memory:")
			out, err := cmd.CombinedOutput()
			if _, want, _ := strings.Cut(b.text, "\n"); err == nil || string(out) != want {
				t.Errorf("it prints (%v)\n%swant\n%s", err, out, want)
			}
		}
	}
	if len(manifests) != 2 {
		t.Errorf("http.md has %d manifests, want 2", len(manifests))
	}
}

func writeManifest(t *testing.T, program, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(program), "documents.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkManifest sends the ID that the manifest has, and a document that it has not.
func checkManifest(t *testing.T, url, manifest string) {
	t.Helper()
	id := regexp.MustCompile(`(?:"id": )?"([^"]+)"[:,] "(?:query|name)`).FindStringSubmatch(manifest)
	if id == nil {
		t.Fatalf("there is no ID in %s", manifest)
	}
	for document, want := range map[string]string{
		fmt.Sprintf(`{"documentId": %q}`, id[1]): `"totalCount":100`,
		`{"query": "{ viewer { id } }"}`:         `"OPERATION_NOT_ALLOWED"`,
	} {
		res, err := http.Post(url, "application/json", strings.NewReader(document))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !json.Valid(answer) || !bytes.Contains(answer, []byte(want)) {
			t.Errorf("%s: %s (%v), want %s", document, answer, err, want)
		}
	}
}
