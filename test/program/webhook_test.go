package program

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestWebhookCommand adds an endpoint, looks at it, and removes it.
func TestWebhookCommand(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "heroes.graphql")
	if err := os.WriteFile(document, []byte("subscription { heroChanges { changes { kind id } } }"), 0o600); err != nil {
		t.Fatal(err)
	}
	dbtest.Each(t, func(t *testing.T, address string) {
		id := "webhook_00000000000000000000000001"
		for _, step := range []struct {
			words []string
			code  int
			has   string
		}{
			{[]string{"seed", "--scale=1"}, 0, ""},
			{[]string{"webhook", "add", "https://example.com/", "--document", document, "--role=admin"}, 0, "whsec_"},
			{[]string{"webhook", "list"}, 0, "https://example.com/"},
			{[]string{"doctor"}, 0, "1 endpoints, and none fails"},
			{[]string{"webhook", "replay", "ID", "--after=now"}, 0, "ID is on"},
			{[]string{"webhook", "replay", "ID", "--after=forged"}, 2, "not a cursor"},
			{[]string{"webhook", "remove", "ID"}, 0, "ID is removed"},
			{[]string{"webhook", "remove", "ID"}, 1, "there is no ID"},
			{[]string{"webhook", "remove", "nothing"}, 2, "webhook list"},
			{[]string{"webhook", "add", "http://example.com/", "--document", document}, 2, "https"},
			{[]string{"webhook", "add", "https://example.com/", "--document", document, "--as=nobody"}, 2, `there is no user "nobody"`},
			{[]string{"webhook", "add", "https://example.com/", "--document", document, "--as=user", "--role=admin"}, 2, "do not go together"},
			{[]string{"webhook", "add", "https://example.com/", "--document", document, "--role=user"}, 2, "anonymous or admin"},
			{[]string{"webhook", "add", "https://example.com/", "--document=nowhere"}, 2, "nowhere"},
			{[]string{"webhook", "add"}, 2, "--document"},
			{[]string{"webhook", "list"}, 0, "REASON\n"},
		} {
			words := []string{"DATABASE_URL=" + address}
			for _, word := range step.words {
				words = append(words, strings.ReplaceAll(word, "ID", id))
			}
			code, stdout, stderr := do(t, words...)
			if has := strings.ReplaceAll(step.has, "ID", id); code != step.code || !strings.Contains(stdout+stderr, has) || code != 0 && !isOneLine(stderr) {
				t.Errorf("%v: status %d, stdout %q, stderr %q, want %d and %q", words, code, stdout, stderr, step.code, has)
			}
			if step.has == "whsec_" {
				id, _, _ = strings.Cut(stdout, "\n")
			}
		}
	})
}
