package docs

import (
	"forge/test/gqltest"
	"forge/test/process"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTrustedDocuments serves each manifest of http.md, and then breaks one as the page does.
func TestTrustedDocuments(t *testing.T) {
	page, err := os.ReadFile("http.md")
	if err != nil {
		t.Fatal(err)
	}
	program, dir := process.Build(t), t.TempDir()
	env := append(os.Environ(), "TRUSTED_DOCUMENTS=documents.json")
	var manifests []string
	for _, b := range blocks(string(page)) {
		switch b.language {
		case "json":
			manifests = append(manifests, b.text)
			writeManifest(t, dir, b.text)
			checkManifest(t, serve(t, program, dir, env), b.text)
		case "console":
			writeManifest(t, dir, strings.Replace(manifests[len(manifests)-1], "totalCount", "total", 1))
			cmd := exec.CommandContext(t.Context(), program)
			cmd.Dir, cmd.Env = dir, append(env, "ADDR=127.0.0.1:0", "DATABASE_URL=sqlite::memory:")
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

func writeManifest(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "documents.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkManifest sends an ID that is in the manifest, and a document that is not.
func checkManifest(t *testing.T, url, manifest string) {
	t.Helper()
	id := regexp.MustCompile(`(?:"id": )?"([^"]+)"[:,] "(?:query|name)`).FindStringSubmatch(manifest)
	if id == nil {
		t.Fatalf("there is no ID in %s", manifest)
	}
	api := gqltest.New(t, url)
	got := api.SendRequest(t.Context(), gqltest.Request{DocumentID: id[1]})
	if !got.OK() || !strings.Contains(got.Body, `"totalCount":100`) {
		t.Errorf("the document %s: %s, want a totalCount of 100", id[1], got)
	}
	api.WantCode("OPERATION_NOT_ALLOWED", `{ viewer { id } }`, nil)
}
