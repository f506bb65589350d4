package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// held lists packages of the clients whose newer major versions do not run on Node.js 20, or not
// with each other: see README.md.
var held = map[string]string{
	"graphql": "^16", "@graphql-codegen/cli": "^6", "@graphql-codegen/client-preset": "^5", "@types/node": "^20",
	"eventsource": "^4",
}

// TestClientsInNewestVersions runs the clients' tests without a lock file, with the newest versions
// that the registry has.
func TestClientsInNewestVersions(t *testing.T) {
	if !soak {
		t.Skip("what the registry has changes by itself: set FORGE_SOAK=1")
	}
	needNode(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(clients)); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"node_modules", "package-lock.json", "generated"} {
		if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
			t.Fatal(err)
		}
	}
	loosen(t, filepath.Join(dir, "package.json"))
	npm(t, dir, nil, "install", "--no-package-lock", "--engine-strict=false", "--no-audit", "--no-fund", "--loglevel=error")
	testCodegen(newClient(t, dir))
	testApollo(newClient(t, dir))
	testUrql(newClient(t, dir))
	testRelay(newClient(t, dir))
}

// loosen rewrites a package.json so that it asks for the newest versions.
func loosen(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	versions := manifest["devDependencies"].(map[string]any)
	for name, version := range versions {
		versions[name] = "latest"
		if folder, ok := strings.CutPrefix(version.(string), "file:"); ok {
			at, err := filepath.Abs(filepath.Join(clients, folder))
			if err != nil {
				t.Fatal(err)
			}
			versions[name] = "file:" + at
		}
		if major, ok := held[name]; ok {
			versions[name] = major
		}
	}
	if text, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
