// Visits counts the file visits of a query. A reader may follow the query through the code, from
// the HTTP request to SQL and back. The count is how often the reader has to go to another file.
//
//	go run ./test/visits          prints the counts
//	go run ./test/visits -list    also prints each visit: the file, and the functions entered there
//
// Visits builds the program with an added call at the start of each hand-written function. It runs
// the program on a temporary PostgreSQL, sends the same nested query until the server has cached
// everything about it, and then traces the query once more. A visit begins where a function is
// entered that is in another file than the function entered before it. A call of the same function
// from the same function counts only once, so that the result does not depend on the number of
// rows.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"forge/internal/pgtemp"
)

const query = `{"query":"{ users(first: 20) { edges { node { id username heroes(first: 10) { edges { node { id name team { name } } } } } } } }"}`

// tracer is the package that is added to the program. At the signal SIGUSR1, it begins or ends the
// trace. It then writes a line for each function that is entered to the file descriptor 3: the
// file, the name of the function, and its caller.
const tracer = `package visits

import ("fmt"; "os"; "os/signal"; "runtime"; "strings"; "sync"; "sync/atomic"; "syscall")

var (on atomic.Bool; mu sync.Mutex; out = os.NewFile(3, "trace"))

func init() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	go func() { for range c { on.Store(!on.Load()); mu.Lock(); fmt.Fprintf(out, "on\t%v\n", on.Load()); mu.Unlock() } }()
}

func Enter(file, name string) {
	if !on.Load() { return }
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	caller := ""
	for { f, more := frames.Next(); if strings.HasPrefix(f.Function, "forge") || strings.HasPrefix(f.Function, "main.") { caller = f.Function; break }; if !more { break } }
	mu.Lock()
	defer mu.Unlock()
	fmt.Fprintf(out, "%s\t%s\t%s\n", file, name, caller)
}
`

func main() {
	list := flag.Bool("list", false, "print each visit")
	flag.Parse()
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	steps, err := trace(ctx)
	if err != nil {
		log.Fatal(err)
	}
	print(os.Stdout, steps, *list)
}

// step is one entry into a function.
type step struct{ file, function, caller string }

func print(w io.Writer, steps []step, list bool) {
	seen, files, functions := map[step]bool{}, map[string]bool{}, map[string]bool{}
	visits, last := 0, ""
	for _, s := range steps {
		if seen[s] {
			continue
		}
		seen[s], files[s.file], functions[s.file+s.function] = true, true, true
		if s.file != last {
			visits, last = visits+1, s.file
			if list {
				fmt.Fprintf(w, "\n%d\t%s\t", visits, s.file)
			}
		}
		if list {
			fmt.Fprintf(w, " %s", s.function)
		}
	}
	fmt.Fprintf(w, "\n%d visits, in %d files and %d functions\n", visits, len(files), len(functions))
}

// trace returns the functions that a cached query enters, in their order.
func trace(ctx context.Context) ([]step, error) {
	dir, err := os.MkdirTemp("", "visits")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "forge")
	if err := build(ctx, dir, program); err != nil {
		return nil, err
	}
	cluster, err := pgtemp.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer cluster.Stop()
	return run(ctx, program, cluster.URL("postgres"))
}

// build builds the program with an added call of the tracer in each function.
func build(ctx context.Context, dir, program string) error {
	output, err := exec.CommandContext(ctx, "go", "list", "-deps", "-f", `{{.Dir}}{{"\t"}}{{.ImportPath}}{{range .GoFiles}}{{"\t"}}{{.}}{{end}}`, ".").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	replace := map[string]string{}
	root := ""
	for line := range strings.Lines(string(output)) {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if parts[1] != "forge" && !strings.HasPrefix(parts[1], "forge/") {
			continue
		}
		root = parts[0] // the program's own package comes last
		for _, name := range parts[2:] {
			file := filepath.Join(parts[0], name)
			if strings.HasSuffix(name, ".resolvers.go") {
				// These files only call other functions, and the program checks their source.
				continue
			}
			text, err := instrument(file, strings.TrimPrefix(parts[1]+"/"+name, "forge/"))
			if err != nil {
				return err
			}
			if text == nil {
				continue
			}
			copied := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
			if err := os.WriteFile(copied, text, 0o600); err != nil {
				return err
			}
			replace[file] = copied
		}
	}
	copied := filepath.Join(dir, "visits.go")
	replace[filepath.Join(root, "internal", "visits", "visits.go")] = copied
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(copied, []byte(tracer), 0o600), os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// instrument returns the source of a file with an added call of the tracer in each function. It
// returns nil for generated code, and for a file without functions.
func instrument(file, name string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.ParseComments)
	if err != nil || ast.IsGenerated(parsed) {
		return nil, err
	}
	inserts := map[int]string{set.Position(parsed.Name.End()).Offset: `; import visits "forge/internal/visits"`}
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || f.Name.Name == "init" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			var body *ast.BlockStmt
			switch n := n.(type) {
			case *ast.FuncDecl:
				body = n.Body
			case *ast.FuncLit:
				body = n.Body
			default:
				return true
			}
			inserts[set.Position(body.Lbrace).Offset+1] = fmt.Sprintf(" visits.Enter(%q, %q);", name, f.Name.Name)
			return true
		})
	}
	if len(inserts) == 1 {
		return nil, nil // the import would not be used
	}
	var out []byte
	for i := 0; i <= len(text); i++ {
		out = append(out, inserts[i]...)
		if i < len(text) {
			out = append(out, text[i])
		}
	}
	return out, nil
}

// run starts the program with a database, and returns the trace of a query that the server has
// cached.
func run(ctx context.Context, program, database string) ([]step, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	cmd := exec.CommandContext(ctx, program, "--migrate", "--demo")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+database, "ADDR="+addr, "LOG_LEVEL=warn")
	cmd.ExtraFiles = []*os.File{writer}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	writer.Close()
	traced := make(chan []byte)
	go func() {
		text, _ := io.ReadAll(reader)
		traced <- text
	}()
	asked := ask(ctx, "http://"+addr+"/graphql", cmd.Process)
	err = errors.Join(asked, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	return parse(string(<-traced)), err
}

// ask sends the query until the server has cached it, and once more while it is traced.
func ask(ctx context.Context, url string, process *os.Process) error {
	var err error
	for known := 0; known < 5; {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if err = post(ctx, url); err == nil {
			known++
		}
		time.Sleep(100 * time.Millisecond)
	}
	for range 2 { // switches the trace on, and then off
		if err := process.Signal(syscall.SIGUSR1); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		if err := post(ctx, url); err != nil {
			return err
		}
	}
	return nil
}

func post(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(query))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), `"errors"`) {
		return fmt.Errorf("%s: %.300s: %w", response.Status, body, err)
	}
	return nil
}

// parse returns the steps of the request. Before it, there may be steps of other work in the
// program, which are left out.
func parse(text string) []step {
	var steps []step
	for line := range strings.Lines(text) {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if len(parts) == 3 {
			steps = append(steps, step{parts[0], parts[1], parts[2]})
		}
	}
	first := slices.IndexFunc(steps, func(s step) bool { return strings.Contains(s.file, "httpserver") })
	return steps[max(first, 0):]
}
