package docs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestExtending does in a copy of the tree what extending.md says, and asks the result what it asks.
func TestExtending(t *testing.T) {
	if testing.Short() {
		t.Skip("copies and builds the whole tree")
	}
	page, err := os.ReadFile("extending.md")
	if err != nil {
		t.Fatal(err)
	}
	tree := copyOfTree(t)
	tree.env = append(os.Environ(), "DEV_DATABASE_URL="+dbtest.EmptyPostgres(t))
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
			} else {
				questions = append(questions, b)
			}
		}
	}
	if len(questions) != 4 || len(answers) != 4 {
		t.Fatalf("the page has %d questions and %d answers, want 4", len(questions), len(answers))
	}
	url := tree.serve(t)
	product := ask(t, url, `{ products(first: 1) { nodes { id } } }`, "")
	id := regexp.MustCompile(`product_\w+`).FindString(string(product))
	for _, q := range questions {
		if got := ask(t, url, q.text, id); !sameJSON(t, got, answers[q.label]) {
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

// copyOfTree copies what is not hidden and not somebody's database or dependencies.
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
	return &tree{dir: dir}
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

// change replaces the lines of a diff that are not new by those that are not old. They must stand in the file once. A line @@ parts
// one place from the next.
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

// run runs the commands of a block, the lines that start with a $.
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

// serve builds and starts the server of the tree, and returns the address of its API.
func (tr *tree) serve(t *testing.T) string {
	tr.run(t, block{text: "$ go build -o forge ."})
	return serve(t, filepath.Join(tr.dir, "forge"), tr.env)
}

// serve starts the program on a database in memory, and returns the address of its API.
func serve(t *testing.T, program string, env []string) string {
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir, cmd.Env = filepath.Dir(program), append(env, "ADDR=127.0.0.1:0", "DATABASE_URL=sqlite::memory:")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	address := regexp.MustCompile(`http://\S+/graphql`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url := address.FindString(lines.Text()); url != "" {
			return url
		}
	}
	t.Fatalf("the server did not tell its address:\n%s", &log)
	return ""
}

// ask returns the data of the answer, or the code and field of the first error.
func ask(t *testing.T, url, query, product string) []byte {
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"product": product}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code, Field string } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Errors) > 0 {
		e := answer.Errors[0].Extensions
		return fmt.Appendf(nil, `{"code": %q, "field": %q}`, e.Code, e.Field)
	}
	return answer.Data
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
