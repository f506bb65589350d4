package docs

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"forge/test/gqltest"
	"forge/test/process"
)

// TestSubscriptions runs all that subscriptions.md shows on a server with demo data, and compares
// the files for clients with those that the test of the clients uses.
func TestSubscriptions(t *testing.T) {
	page, err := os.ReadFile("subscriptions.md")
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, process.Build(t), t.TempDir(), os.Environ())
	files := map[string]bool{}
	for _, b := range blocks(string(page)) {
		switch b.language {
		case "graphql":
			answered(t, url, b.text)
		case "console":
			curl(t, url, b.text)
		case "frames":
			frames(t, url, b.text)
		case "ts":
			files[b.text] = true
		}
	}
	resume, err := filepath.Glob("../test/e2e/clients/resume/*.ts")
	if err != nil || len(resume) == 0 || len(files) != len(resume) {
		t.Fatalf("subscriptions.md has %d files, and there are %q: %v", len(files), resume, err)
	}
	for _, name := range resume {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !files[string(text)] {
			t.Errorf("%s does not stand in subscriptions.md as it is", name)
		}
		if lines := strings.Count(string(text), "\n"); lines > 40 {
			t.Errorf("%s has %d lines, and is to have 40 at most", name, lines)
		}
	}
}

// answered asks for the first message of an operation, with the variables that the page uses. It
// has to have data, and no errors.
func answered(t *testing.T, url, operation string) {
	t.Helper()
	start := gqltest.New(t, url).Must(`{ changeCursor teams(first: 1) { nodes { id } } }`, nil)
	variables := map[string]any{"after": start.Text("changeCursor"), "team": start.Text("teams.nodes.0.id")}
	body, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			if !strings.HasPrefix(data, `{"data":{"`) || strings.Contains(data, `"errors"`) {
				t.Errorf("%s\nis answered by\n%s", operation, data)
			}
			return
		}
	}
	t.Errorf("%s\nis not answered", operation)
}

// curl runs a command of the page, and compares the first lines that it prints.
func curl(t *testing.T, url, text string) {
	t.Helper()
	command, want, _ := strings.Cut(strings.TrimPrefix(text, "$ "), "event:")
	want = "event:" + want
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec "+strings.ReplaceAll(command, "http://127.0.0.1:8080", url))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var got strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan() && lines.Text() != ""; {
		got.WriteString(lines.Text() + "\n")
	}
	if got.String() != want {
		t.Errorf("%sprints\n%swant\n%s", command, &got, want)
	}
}

// frames sends the frames of the page that begin with >, and compares the others with those that
// come back.
func frames(t *testing.T, url, text string) {
	t.Helper()
	ws, response, err := websocket.Dial(t.Context(), url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatalf("%v: %v", err, response)
	}
	defer ws.CloseNow()
	for line := range strings.Lines(text) {
		frame := strings.TrimSuffix(line[2:], "\n")
		if line[0] == '>' {
			err = ws.Write(t.Context(), websocket.MessageText, []byte(frame))
		} else {
			var got []byte
			_, got, err = ws.Read(t.Context())
			if err == nil && string(got) != frame {
				t.Errorf("the server sends\n%s\nand the page has\n%s", got, frame)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
