// Package devloop serves an application while somebody works on its source tree. After each save it
// generates code, plans and applies the migration, builds the program and starts it anew. The
// server that runs goes on until the next one is ready to start.
package devloop

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"forge/internal/sourcetree"
	"forge/internal/usage"
)

// Options say what to serve.
type Options struct {
	Root    string   // the top of the source tree
	Program string   // serves until the first build is there, which takes longest; "" if nothing does
	Environ []string // the environment with the settings of the server
	Out     io.Writer
	In      *os.File // the terminal, for questions about renames
	// DevURL is a PostgreSQL to plan migrations on. If it is empty, one is started.
	DevURL string
}

// loop is a running Run.
type loop struct {
	Options
	module  string // the path of the tree's module
	dir     string // holds the programs that were built
	program string // the last one that was built, or ""
	starts  int
	server  *server // nil if none runs
	done    prints  // of the files for which all is done
	tried   prints  // of the files for which all was tried
}

// Run serves the tree until ctx ends. It returns an error if the folder is not the top of a source
// tree, or if its files cannot be watched. What is wrong with the tree is printed, and tried again
// after the next save.
func Run(ctx context.Context, o Options) error {
	module, err := moduleAt(o.Root)
	if err != nil {
		return err
	}
	saves, err := watch(ctx, o.Root)
	if err != nil {
		return fmt.Errorf("dev: watch the files: %w", err)
	}
	dir, err := os.MkdirTemp("", "forge-dev-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l := &loop{Options: o, module: module, dir: dir}
	defer l.stop()
	stopPlanner := l.startPlanner(ctx)
	defer stopPlanner()
	if o.Program != "" {
		l.serve(ctx, o.Program)
	}
	l.say("the first build takes longest; the next ones only compile what has changed")
	for {
		l.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-saves:
		case <-l.serverEnded():
			l.say("the server has ended; it is started again after the next save")
			l.server, l.tried = nil, prints{}
			select {
			case <-ctx.Done():
				return nil
			case <-saves:
			}
		}
	}
}

// moduleAt returns the path of the module at root. It returns an error if that is not the top of an
// application's source tree.
func moduleAt(root string) (string, error) {
	for _, name := range []string{"go.mod", "schema.graphqls", "gqlgen.yml", "ent/generate.go", "migrate"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			return "", usage.Errorf("dev is run at the top of a source tree, and there is no %s here", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("dev: %w", err)
	}
	return modfile.ModulePath(text), nil
}

// say prints a line.
func (l *loop) say(format string, args ...any) {
	fmt.Fprintf(l.Out, "dev: "+format+"\n", args...)
}

// round does what the files need since the last round. What fails is printed, and the server that
// runs goes on.
func (l *loop) round(ctx context.Context) {
	unlock, err := sourcetree.Lock(ctx, l.Root, func() { l.say("waiting for a command that changes the tree") })
	if err != nil {
		l.say("%s", err)
		return
	}
	defer unlock()
	now, err := l.prints()
	if err != nil {
		l.say("%s", err)
		return
	}
	if now == l.tried {
		return // a file was saved as it was, or one that plays no part
	}
	r := &round{loop: l, seen: now, began: time.Now()}
	err = r.run(ctx)
	l.tried = r.seen
	switch {
	case ctx.Err() != nil:
	case err == nil:
		l.done = r.seen
		l.say("ready after %.1fs (%s)", time.Since(r.began).Seconds(), strings.Join(r.times, ", "))
	default:
		l.say("%s", err)
		if l.server != nil {
			l.say("the last good build goes on serving")
		}
	}
}

// stop ends the server.
func (l *loop) stop() {
	if l.server != nil {
		l.server.stop()
	}
}

// serve starts a program as the server, in the place of the one that runs.
func (l *loop) serve(ctx context.Context, program string) {
	l.stop()
	l.starts++
	l.server = start(ctx, program, fmt.Sprint(l.starts), l.Options)
}

// serverEnded returns a channel that is closed when the server ends by itself. It is nil if there
// is none.
func (l *loop) serverEnded() <-chan struct{} {
	if l.server == nil {
		return nil
	}
	return l.server.ended
}
