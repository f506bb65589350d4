package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/process"
)

// TestTutorial follows tutorial.md up to a deployed server. It is also the test of a bare copy of
// the tree: all in it compiles and fits together.
func TestTutorial(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("builds a new tree, which takes minutes: FORGE_SOAK=1 runs it")
	}
	page, err := os.ReadFile("tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	tu := &tutorial{tree: copyOfTree(t)}
	tu.env = slices.DeleteFunc(tu.env, func(v string) bool { return strings.HasPrefix(v, "FORGE_SOAK=") }) // it is no setting
	tu.env = append(tu.env, "DEV_DATABASE_URL="+dbtest.EmptyPostgres(t))
	for _, b := range blocks(string(page)) {
		tu.follow(t, b)
	}
	if tu.compared != 4 {
		t.Errorf("the page has %d answers to compare, want 4", tu.compared)
	}
	tu.run(t, block{text: "$ go vet . ./ent/... ./graph/... ./seed ./playground ./console ./test/api ./test/program\n$ go run . check"})
}

// tutorial is a reader of tutorial.md.
type tutorial struct {
	*tree
	server   *process.Server
	token    string
	answer   string // what was answered last
	compared int
}

// follow does what a block of the page says.
func (tu *tutorial) follow(t *testing.T, b block) {
	t.Helper()
	switch {
	case b.language == "json":
		tu.compare(t, b.text)
	case b.language == "diff":
		tu.change(t, b)
	case b.file != "":
		tu.write(t, b)
	case b.label == "start":
		tu.start(t, b.text, nil)
	case b.label == "deploy":
		env := regexp.MustCompile(`(?m)^[A-Z_]+=.*$`).FindAllString(tu.read(t, "notes.env"), -1)
		commands := commandsOf(b.text)
		(&tree{tu.dir, append(tu.env, env...)}).run(t, block{text: "$ " + strings.Join(commands[:len(commands)-1], "\n$ ")})
		tu.start(t, commands[len(commands)-1], env)
	case b.label == "ask":
		env := append(os.Environ(), "TOKEN="+tu.token)
		tu.answer = (&tree{tu.dir, env}).shell(t, strings.ReplaceAll(b.text, "http://127.0.0.1:8080", tu.server.URL))
		if token := tokenIn(tu.answer); token != "" {
			tu.token = token
		}
	default:
		tu.runHere(t, b)
	}
}

// start ends the server, and starts it as a command of the page does.
func (tu *tutorial) start(t *testing.T, command string, env []string) {
	t.Helper()
	if tu.server != nil {
		tu.server.Stop()
	}
	words := strings.Fields(strings.TrimPrefix(command, "$ "))
	cmd := exec.CommandContext(t.Context(), filepath.Join(tu.dir, words[len(words)-1]))
	cmd.Dir, cmd.Env = tu.dir, append(append(append(tu.env, env...), words[:len(words)-1]...), "ADDR=127.0.0.1:0")
	tu.server = process.Start(t, cmd)
}

func (tu *tutorial) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tu.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compare compares the last answer with the page.
func (tu *tutorial) compare(t *testing.T, want string) {
	t.Helper()
	tu.compared++
	var got struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(tu.answer), &got); err != nil || !sameJSON(t, got.Data, want) {
		t.Errorf("the server answers %s (%v), and the page shows %s", tu.answer, err, want)
	}
}
