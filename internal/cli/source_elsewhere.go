//go:build !source

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"forge/internal/tree"
	"forge/internal/usage"
)

// These commands work on a source tree. Their libraries would take a third of the time to build a
// server, and of its size. So a program that is built without -tags source builds one with it.
var (
	adopting      action = inSource
	develop       action = inSource
	newTree       action = inSource
	migrateBegin  action = inSource
	migrateDiff   action = inSource
	migrateFold   action = inSource
	migrateHash   action = inSource
	migrateLint   action = inSource
	migrateNew    action = inSource
	migrateVerify action = inSource
)

func treeLines(error) (string, bool) { return "", false }

// treeCommands returns the commands that change the source. go tool forge has them as well, which
// takes less time to build.
func treeCommands(p program) []*cli.Command {
	do := func(ctx context.Context, cmd *cli.Command) error {
		p.cmd = cmd
		if err := p.needSource(); err != nil {
			return err
		}
		at := slices.Index(p.args, cmd.Path()[1])
		return exitOf(p.call(ctx, "go", append([]string{"tool", "forge"}, p.args[at:]...)...))
	}
	return tree.Commands(tree.Actions{Scaffold: do, AddField: do, AddEdge: do})
}

// needSource returns a *usage.Error if the working directory is not the top of a source tree, or if
// there is no Go.
func (p program) needSource() error {
	name := strings.Join(p.cmd.Path()[1:], " ")
	if _, err := os.Stat("go.mod"); err != nil {
		return usage.Errorf("%s works on a source tree, and there is no go.mod here; at the top of the tree, run: %s", name, goRun(p.args))
	}
	if _, err := exec.LookPath("go"); err != nil {
		return usage.Errorf("%s builds a part of the source tree, and there is no Go here; install it from https://go.dev/dl/, and run: %s", name, goRun(p.args))
	}
	return nil
}

// exitOf returns an exitError if a process has failed that has said why, and other errors as they
// are.
func exitOf(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exitError(exit.ExitCode())
	}
	return err
}

// inSource builds the program of the working directory with the commands for source trees, runs
// the same command line with it, and returns an exitError if that fails. It returns a *usage.Error
// if the working directory is not the top of a source tree, or if there is no Go.
func inSource(ctx context.Context, p program) error {
	if err := p.needSource(); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path == "" {
		return usage.Errorf("this program does not say what it is built of; run: %s", goRun(p.args))
	}
	dir, err := os.MkdirTemp("", "forge-source-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "forge")
	if err := p.call(ctx, "go", "build", "-tags=source", "-ldflags=-w", "-o", program, info.Path); err != nil {
		return fmt.Errorf("build the source tree: %w", err)
	}
	return exitOf(p.call(ctx, program, p.args[1:]...))
}

// goRun returns the command line that runs args from source.
func goRun(args []string) string {
	return strings.Join(append([]string{"go run ."}, args[min(1, len(args)):]...), " ")
}

// call runs a program with the input and outputs of this one. When ctx ends, it is told to stop.
func (p program) call(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.environ, os.Stdin, p.out, p.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	return cmd.Run()
}
