package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestOffline runs the queries of offline.md one after the other, on a server with demo data, and
// compares the files on the page with those that the test in a browser uses.
func TestOffline(t *testing.T) {
	page, err := os.ReadFile("offline.md")
	if err != nil {
		t.Fatal(err)
	}
	c := gqltest.New(t, serve(t, process.Build(t), t.TempDir(), os.Environ()))
	values := map[string]any{"id": ids.ID{Prefix: "hero", UUID: uuid.Must(uuid.NewV7())}.String(), "since": "2020-01-01T00:00:00Z"}
	asked := 0
	for _, b := range blocks(string(page)) {
		if b.language != "graphql" {
			continue
		}
		asked++
		variables := gqltest.Vars{}
		for name, value := range values {
			if strings.Contains(b.text, "$"+name+":") {
				variables[name] = value
			}
		}
		if got := c.Must(b.text, variables); got.At("changeCursor") != nil {
			values["after"] = got.Text("changeCursor")
		}
	}
	if asked < 6 {
		t.Errorf("offline.md has %d queries", asked)
	}
	for _, name := range []string{"sync.js", "sw.js"} {
		text, err := os.ReadFile("../test/e2e/clients/offline-app/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```js\n"+string(text)+"```\n") {
			t.Errorf("offline.md does not have %s as it is", name)
		}
	}
}
