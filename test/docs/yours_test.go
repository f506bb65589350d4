package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestMakeItYours follows make-it-yours.md in a copy of the tree, up to a server in production. It
// sends the page's queries to the result and compares the answers.
func TestMakeItYours(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes minutes: FORGE_SOAK=1 runs it")
	}
	page, err := os.ReadFile("make-it-yours.md")
	if err != nil {
		t.Fatal(err)
	}
	// The program would take it for a setting. Setenv brings it back at the end.
	t.Setenv("FORGE_SOAK", "")
	if err := os.Unsetenv("FORGE_SOAK"); err != nil {
		t.Fatal(err)
	}
	tr := copyOfTree(t)
	tr.env = append(tr.env, "DEV_DATABASE_URL="+dbtest.EmptyPostgres(t))
	production := append(os.Environ(), "DATABASE_URL="+dbtest.EmptyPostgres(t), "FORGE_ENV=production",
		"AUTH_SECRET=a secret of more than thirty-two bytes", "ADDR=127.0.0.1:0")
	answers := map[string]string{}
	var questions []block
	var url, last string // of the server in production, and what it answered last
	for _, b := range blocks(string(page)) {
		switch {
		case b.language == "console" && b.label == "serve":
			cmd := exec.CommandContext(t.Context(), filepath.Join(tr.dir, "library"))
			cmd.Dir, cmd.Env = tr.dir, production
			url = process.Start(t, cmd).URL
		case b.language == "console" && b.label == "ask":
			last = (&tree{tr.dir, append(production, "TOKEN="+tokenIn(last))}).shell(t, strings.ReplaceAll(b.text, "http://127.0.0.1:8080", url))
		case b.language == "console" && b.label == "deploy":
			(&tree{tr.dir, production}).run(t, b)
		case b.language == "console":
			tr.runHere(t, b)
		case b.language == "diff":
			tr.change(t, b)
		case b.language == "json":
			answers[b.label] = b.text
		case b.file != "":
			tr.write(t, b)
		default:
			questions = append(questions, b)
		}
	}
	if want := `"createTag":{"tag":{"name":"botany"}}`; !strings.Contains(last, want) {
		t.Errorf("the last request is answered with %s, want %s in it", last, want)
	}
	if len(questions) != 4 || len(answers) != 4 {
		t.Fatalf("the page has %d questions and %d answers, want 4", len(questions), len(answers))
	}
	api := gqltest.New(t, tr.serve(t))
	id := api.Must(`{ users(where: {username: "user"}) { nodes { id } } }`, nil).Text("users.nodes.0.id")
	for _, q := range questions {
		if got := askWith(api, q.text, gqltest.Vars{"user": id}); !sameJSON(t, got, answers[q.label]) {
			t.Errorf("%s\nanswers %s\nwant %s", q.text, got, answers[q.label])
		}
	}
	(&tree{tr.dir, tr.env}).run(t, block{text: "$ go vet ./...\n$ go tool staticcheck ./graph ./seed ./test/api ./ent/schema"})
}

// shell runs the commands of a block in a shell, and returns what the last one printed.
func (tr *tree) shell(t *testing.T, text string) (printed string) {
	for _, command := range commandsOf(text) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = tr.dir, tr.env
		out, err := cmd.Output()
		if err != nil || strings.Contains(string(out), `"errors"`) {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		printed = strings.TrimSpace(string(out))
	}
	return printed
}

// tokenIn returns the access token in an answer, or "".
func tokenIn(answer string) string {
	_, token, _ := strings.Cut(answer, `"accessToken":"`)
	token, _, _ = strings.Cut(token, `"`)
	return token
}

// TestGoVersion compares the version of Go that make-it-yours.md asks for with that of go.mod.
func TestGoVersion(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("make-it-yours.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod); !strings.Contains(string(page), "You need Go "+string(want[1])+",") {
		t.Errorf("the page does not ask for Go %s", want[1])
	}
}

// runHere is run, and follows the command cd.
func (tr *tree) runHere(t *testing.T, b block) {
	for line := range strings.Lines(b.text) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "$ cd "); ok {
			tr.dir = filepath.Join(tr.dir, dir)
		} else {
			tr.run(t, block{text: line})
		}
	}
}
