package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme sends what README.md sends, and compares the answers with those that it shows.
func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not there")
	}
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "forge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	url := serve(t, program, os.Environ())
	var answer []byte
	compared := 0
	for _, b := range blocks(string(page)) {
		switch {
		case b.language == "console" && strings.Contains(b.text, "curl"):
			command := strings.Replace(strings.TrimPrefix(b.text, "$ "), "http://127.0.0.1:8080/graphql", url, 1)
			if answer, err = exec.CommandContext(t.Context(), "sh", "-c", command).Output(); err != nil {
				t.Fatalf("%s: %v", command, err)
			}
		case b.language == "json":
			compared++
			if got, want := timeless(t, answer), timeless(t, []byte(b.text)); got != want {
				t.Errorf("the server answers\n%s\nand README.md shows\n%s", got, want)
			}
		}
	}
	if compared != 2 {
		t.Errorf("README.md has %d answers to compare, want 2", compared)
	}
}

// timeless returns an answer in one form, without the time that it took.
func timeless(t *testing.T, answer []byte) string {
	var v map[string]any
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	extensions, _ := v["extensions"].(map[string]any)
	if sql, ok := extensions["sql"].(map[string]any); ok {
		delete(sql, "durationMs")
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
