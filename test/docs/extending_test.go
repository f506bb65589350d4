package docs

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestExtending follows extending.md in a copy of the tree. It sends the page's queries to the
// result and compares the answers.
func TestExtending(t *testing.T) {
	if testing.Short() {
		t.Skip("copies and builds the whole tree")
	}
	page, err := os.ReadFile("extending.md")
	if err != nil {
		t.Fatal(err)
	}
	tree := copyOfTree(t)
	tree.env = append(tree.env, "DEV_DATABASE_URL="+dbtest.EmptyPostgres(t))
	answers := map[string]string{}
	var questions []block
	for _, b := range blocks(string(page)) {
		switch b.language {
		case "console":
			tree.run(t, b)
		case "diff":
			tree.change(t, b)
		case "json":
			answers[b.label] = b.text
		default:
			if b.file != "" {
				tree.write(t, b)
			} else if b.label != "" { // a block without one is an example
				questions = append(questions, b)
			}
		}
	}
	if len(questions) != 6 || len(answers) != 6 {
		t.Fatalf("the page has %d questions and %d answers, want 6", len(questions), len(answers))
	}
	api := gqltest.New(t, tree.serve(t))
	id := api.Must(`{ products(first: 1) { nodes { id } } }`, nil).Text("products.nodes.0.id")
	for _, q := range questions {
		if got := ask(api, q.text, id); !sameJSON(t, got, answers[q.label]) {
			t.Errorf("%s\nanswers %s\nwant %s", q.text, got, answers[q.label])
		}
	}
}

// block is a fenced block: ```language file, ```language action file, or ```language label.
type block struct{ language, action, file, label, text string }

func blocks(page string) (list []block) {
	fences := regexp.MustCompile("(?ms)^```(\\w+)([^\n]*)\n(.*?)^```$")
	for _, m := range fences.FindAllStringSubmatch(page, -1) {
		b := block{language: m[1], text: m[3]}
		switch words := strings.Fields(m[2]); {
		case len(words) == 2:
			b.action, b.file = words[0], words[1]
		case len(words) == 1 && b.language == "diff":
			b.file = words[0]
		case len(words) == 1:
			b.label = words[0]
		}
		list = append(list, b)
	}
	return list
}

type tree struct {
	dir string
	env []string
}

// copyOfTree copies the tree, without hidden files, databases and node_modules.
func copyOfTree(t *testing.T) *tree {
	dir := t.TempDir()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (strings.HasPrefix(name, ".") || name == "node_modules"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, path[len(".."):]), 0o755)
		case !d.Type().IsRegular() || strings.HasPrefix(name, "forge.db"):
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path[len(".."):]), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	// Packages that were built in another folder are then not built again, and debuggers need
	// nothing.
	return &tree{dir: dir, env: append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath -ldflags=-w")}
}

func (tr *tree) write(t *testing.T, b block) {
	path := filepath.Join(tr.dir, b.file)
	_, err := os.Stat(path)
	flags := os.O_WRONLY | os.O_APPEND | os.O_CREATE
	switch exists := err == nil; {
	case b.action == "new" && exists:
		t.Fatalf("%s is new, and exists already", b.file)
	case b.action == "append" && !exists:
		t.Fatalf("%s is not there to append to", b.file)
	}
	file, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(b.text); err != nil {
		t.Fatal(err)
	}
}

// change applies a diff to a file. The lines before the change must be in the file exactly once. A
// line @@ separates one change from the next.
func (tr *tree) change(t *testing.T, b block) {
	path := filepath.Join(tr.dir, b.file)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for place := range strings.SplitSeq(b.text, "@@\n") {
		var before, after string
		for line := range strings.Lines(place) {
			if line[0] != '+' {
				before += line[1:]
			}
			if line[0] != '-' {
				after += line[1:]
			}
		}
		if n := strings.Count(text, before); n != 1 {
			t.Fatalf("%s has these lines %d times, want once:\n%s", b.file, n, before)
		}
		text = strings.Replace(text, before, after, 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs the commands of a block: the lines that start with a $.
func (tr *tree) run(t *testing.T, b block) {
	for line := range strings.Lines(b.text) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !ok {
			continue
		}
		words := strings.Fields(command)
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Dir, cmd.Env = tr.dir, tr.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}

// serve builds and starts the server of the tree, and returns its address.
func (tr *tree) serve(t *testing.T) string {
	tr.run(t, block{text: "$ go build -o forge ."})
	return serve(t, filepath.Join(tr.dir, "forge"), tr.dir, tr.env)
}

// ask returns the data of the answer, or the code and field of the first error.
func ask(api *gqltest.Client, query, product string) []byte {
	return askWith(api, query, gqltest.Vars{"product": product})
}

// askWith is ask with other variables.
func askWith(api *gqltest.Client, query string, vars gqltest.Vars) []byte {
	answer := api.Do(query, vars)
	if len(answer.Errors) > 0 {
		field, _ := answer.Extension("field").(string)
		return fmt.Appendf(nil, `{"code": %q, "field": %q}`, answer.Code(), field)
	}
	return []byte(answer.RawData())
}

func sameJSON(t *testing.T, got []byte, want string) bool {
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	return reflect.DeepEqual(a, b)
}
