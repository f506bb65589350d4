package devloop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"forge/internal/pgtemp"
)

// environ returns the environment of the go command. The packages that are compiled in each round
// are compiled without inlining, which takes half of the time for the generated ones, and without
// debug information, which the linker leaves out anyway. The compiler collects garbage only if it
// has a gigabyte.
func (l *loop) environ() []string {
	flags := os.Getenv("GOFLAGS") + " -buildvcs=false"
	for _, pkg := range []string{"ent", "graph", "graph/generated", "seed"} {
		flags += fmt.Sprintf(" '-gcflags=%s/%s=-l -dwarf=false'", l.module, pkg)
	}
	env := append(os.Environ(), "GOFLAGS="+strings.TrimSpace(flags))
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		env = append(env, "GOGC=off", "GOMEMLIMIT=1GiB")
	}
	return env
}

// command runs a command of Go's. The error has what it printed.
func (l *loop) command(ctx context.Context, name string, args ...string) error {
	cmd := l.prepare(ctx, name, args...)
	cmd.Env = l.environ()
	output, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(output))
	}
	return err
}

// output runs a command of the program, and returns what it printed.
func (l *loop) output(ctx context.Context, program string, args ...string) (string, error) {
	cmd := l.prepare(ctx, program, args...)
	output, err := cmd.CombinedOutput()
	return string(bytes.TrimSpace(output)), err
}

// ask runs a command of the program that may ask the person at the terminal. It stays in the
// process group of the terminal, which others may not read from.
func (l *loop) ask(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = l.Root, append(l.Environ, "DEV_DATABASE_URL="+l.DevURL)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = l.In, l.Out, l.Out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd.Run()
}

// prepare returns a command in a process group of its own. When ctx ends, all of the group do.
func (l *loop) prepare(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = l.Root, l.Environ
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// startPlanner starts a PostgreSQL to plan migrations on, unless there is one: to start one for
// each plan takes seconds. If none can be started, plans say so. The function that it returns stops
// it.
func (l *loop) startPlanner(ctx context.Context) (stop func()) {
	if l.DevURL != "" {
		return func() {}
	}
	cluster, err := pgtemp.Start(ctx)
	if err != nil {
		return func() {}
	}
	l.DevURL = cluster.URL("postgres")
	return func() {
		if err := cluster.Stop(); err != nil {
			l.say("%s", err)
		}
	}
}
