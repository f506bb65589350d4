package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdempotencyKey sends what data-layer.md sends: twice, and then another request under its key.
func TestIdempotencyKey(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not there")
	}
	page, err := os.ReadFile("data-layer.md")
	if err != nil {
		t.Fatal(err)
	}
	var command string
	for _, b := range blocks(string(page)) {
		if b.language == "console" && strings.Contains(b.text, "Idempotency-Key") {
			command = strings.TrimPrefix(b.text, "$ ")
		}
	}
	program := filepath.Join(t.TempDir(), "forge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	command = strings.Replace(command, "http://127.0.0.1:8080/graphql", serve(t, program, os.Environ()), 1)
	send := func(command string) string {
		t.Helper()
		answer, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		return string(answer)
	}
	first := send(command)
	if !strings.Contains(first, `"team_`) {
		t.Fatalf("%s: %s", command, first)
	}
	if again := send(command); again != first {
		t.Errorf("the first answer is\n%s\nand the second\n%s", first, again)
	}
	for change, want := range map[string][2]string{
		"IDEMPOTENCY_CONFLICT": {"Night Watch", "Day Watch"},
		"CONFLICT":             {"Idempotency-Key: 3f", "Idempotency-Key: 4f"}, // there is such a team
		"BAD_USER_INPUT":       {"Idempotency-Key: ", "Idempotency-Key: " + strings.Repeat("x", 256)},
	} {
		changed := strings.Replace(command, want[0], want[1], 1)
		if got := send(changed); !strings.Contains(got, `"code":"`+change+`"`) || changed == command {
			t.Errorf("%s: %s, want %s", changed, got, change)
		}
	}
}
