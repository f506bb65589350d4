// Visits counts how often somebody who follows a query through the code has to go to another file,
// from the HTTP request to SQL and back.
//
//	go run ./test/visits          prints the counts
//	go run ./test/visits -list    also prints each visit: the file, and the functions entered
//
// It builds the program with an added call at the start of each hand-written function, and runs it
// on a temporary PostgreSQL. It sends the same nested query until the server has cached it, and
// traces the next one.
//
// A visit begins when a function is entered that is in another file than the function before. A
// function that is called again from the same function is not counted again, so that the count does
// not depend on the number of rows. Goroutines that the request did not start are left out.
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
	"strings"
	"syscall"
	"time"

	"forge/internal/pgtemp"
)

const query = `{"query":"{ users(first: 20) { edges { node { id username heroes(first: 10) { edges { node { id name team { name } } } } } } } }"}`

// tracer is the source of a package that is added to the program. On SIGUSR1 it begins to write
// each function that is entered to the file descriptor 3: its file, its name, its caller, and its
// goroutine. The next SIGUSR1 ends this.
const tracer = `package visits

import ("fmt"; "os"; "os/signal"; "runtime"; "strings"; "sync"; "sync/atomic"; "syscall")

var (on atomic.Bool; mu sync.Mutex; known = map[string]bool{}; out = os.NewFile(3, "trace"))

func init() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	go func() { for range c { on.Store(!on.Load()) } }()
}

func Enter(file, name string) {
	if !on.Load() { return }
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	caller := ""
	for { f, more := frames.Next(); if strings.HasPrefix(f.Function, "forge/") || strings.HasPrefix(f.Function, "main.") { caller = f.Function; break }; if !more { break } }
	mu.Lock()
	defer mu.Unlock()
	fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", file, name, caller, goroutine())
}

// goroutine returns the number of the goroutine. The first time, it adds "serves" for one that
// serves a connection, and the number of the goroutine that started it.
func goroutine() string {
	line := make([]byte, 64)
	number := strings.Fields(string(line[:runtime.Stack(line, false)]))[1]
	if known[number] { return number + "\t\t" }
	known[number] = true
	space := make([]byte, 64<<10)
	stack := string(space[:runtime.Stack(space, false)])
	serves, starter := "", ""
	if strings.Contains(stack, "net/http.(*conn).serve(") { serves = "serves" }
	if _, after, ok := strings.Cut(stack, " in goroutine "); ok { starter = strings.Fields(after)[0] }
	return number + "\t" + serves + "\t" + starter
}
`

func main() {
	list := flag.Bool("list", false, "print each visit")
	flag.Parse()
	log.SetFlags(0)
	steps, err := trace(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	print(os.Stdout, steps, *list)
}

// step is one entry into a function.
type step struct{ file, function, caller string }

func print(w io.Writer, steps []step, list bool) {
	files, functions := map[string]bool{}, map[step]bool{}
	for _, s := range steps {
		files[s.file], functions[step{s.file, s.function, ""}] = true, true
	}
	visits := visitsOf(steps, func(s step) step { return s })
	for i, v := range visits {
		if list {
			fmt.Fprintf(w, "%d\t%s\t%s\n", i+1, v.file, strings.Join(v.functions, " "))
		}
	}
	once := visitsOf(steps, func(s step) step { return step{s.file, s.function, ""} })
	fmt.Fprintf(w, "%d visits, in %d files and %d functions; %d if a function that was read is not read again\n",
		len(visits), len(files), len(functions), len(once))
}

// visit is one visit of a file, with the functions that are entered in it, one after the other.
type visit struct {
	file      string
	functions []string
}

// visitsOf returns the visits for the steps. It leaves out a step if like returns the same for an
// earlier one.
func visitsOf(steps []step, like func(step) step) (visits []visit) {
	seen := map[step]bool{}
	for _, s := range steps {
		if seen[like(s)] {
			continue
		}
		seen[like(s)] = true
		if len(visits) == 0 || visits[len(visits)-1].file != s.file {
			visits = append(visits, visit{file: s.file})
		}
		last := &visits[len(visits)-1]
		last.functions = append(last.functions, s.function)
	}
	return visits
}

// trace builds and runs the program, and returns what functions a cached query enters, in order.
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
	// Only running the program has a time limit. Building it may take long with an empty cache.
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cluster, err := pgtemp.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer cluster.Stop()
	return run(ctx, program, cluster.URL("postgres"))
}

// build builds the program, with a call of the tracer added to each function.
func build(ctx context.Context, dir, program string) error {
	output, err := exec.CommandContext(ctx, "go", "list", "-deps", "-f", `{{.Dir}}{{"\t"}}{{.ImportPath}}{{range .GoFiles}}{{"\t"}}{{.}}{{end}}`, ".").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	replace := map[string]string{}
	root := ""
	for line := range strings.Lines(string(output)) {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if !strings.HasPrefix(parts[1]+"/", "forge/") {
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

// instrument returns the source of a file, with a call of the tracer added to each function. It
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

// run runs the program on a database, and returns the steps of a query that the server has cached.
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
	cmd.Env = append(os.Environ(), "DATABASE_URL="+database, "ADDR="+addr, "LOG_LEVEL=warn", "SLOW_OPERATION=0")
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
	for range 2 { // the first signal switches the trace on, the second off
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

// parse returns the steps of the traced request: those in the goroutine that serves it, and in
// goroutines started from there.
func parse(text string) []step {
	var steps []step
	request := map[string]bool{} // whether a goroutine, by its number, works for the request
	for line := range strings.Lines(text) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) != 6 {
			continue
		}
		goroutine, serves, starter := parts[3], parts[4] != "", parts[5]
		if request[goroutine] = request[goroutine] || serves || request[starter]; request[goroutine] {
			steps = append(steps, step{parts[0], parts[1], parts[2]})
		}
	}
	return steps
}
