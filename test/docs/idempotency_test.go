package docs

import (
	"forge/test/process"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestIdempotencyKey sends the request of data-layer.md twice, and then another one under its key.
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
	command = strings.Replace(command, "http://127.0.0.1:8080/graphql", serve(t, process.Build(t), t.TempDir(), os.Environ())+"/graphql", 1)
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
		// The team exists already.
		"CONFLICT":       {"Idempotency-Key: 3f", "Idempotency-Key: 4f"},
		"BAD_USER_INPUT": {"Idempotency-Key: ", "Idempotency-Key: " + strings.Repeat("x", 256)},
	} {
		changed := strings.Replace(command, want[0], want[1], 1)
		if got := send(changed); !strings.Contains(got, `"code":"`+change+`"`) || changed == command {
			t.Errorf("%s: %s, want %s", changed, got, change)
		}
	}
}
