package docs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"forge/test/process"
)

// TestSubscriptions sends the operations of subscriptions.md to a server with demo data: each has an
// answer without errors. The code on the page is that of the file which it names.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("subscriptions.md")
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, process.Build(t), t.TempDir(), append(os.Environ(), "DEMO=on"))
	asked := 0
	for _, m := range regexp.MustCompile("(?ms)^```graphql\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		asked++
		if got := first(t, url, m[1]); strings.Contains(got, `"errors"`) || !strings.Contains(got, `"data"`) {
			t.Errorf("%s\nis answered %s", m[1], got)
		}
	}
	if asked != 3 {
		t.Errorf("sent %d operations, want 3", asked)
	}
	for _, m := range regexp.MustCompile("(?ms)^```ts file=(\\S+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		file, err := os.ReadFile("../" + m[1])
		if err != nil || string(file) != m[2] {
			t.Errorf("the page does not have what is in %s (%v)", m[1], err)
		}
	}
}

// first returns the first answer to an operation, as an event.
func first(t *testing.T, url, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var event strings.Builder
	for b := make([]byte, 1<<10); !strings.Contains(event.String(), "\n\n"); {
		n, err := response.Body.Read(b)
		event.Write(b[:n])
		if err != nil {
			break
		}
	}
	return event.String()
}
