package sourcetree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/internal/tree"
	"forge/internal/usage"
)

// Main runs a command line of the commands below. It returns the exit status: 0 for success, 2 for
// a mistake in the arguments, and 1 for any other failure. Unless it is 0, nothing was changed.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return MainIn(ctx, "", args, stdout, stderr)
}

// MainIn is Main for the application in a directory.
func MainIn(ctx context.Context, dir string, args []string, stdout, stderr io.Writer) int {
	root := &cli.Command{Name: "forge", Usage: "change the source of an application", Commands: Commands(dir, stdout), Action: usage.NeedsCommand,
		HideHelpCommand: true, Writer: usage.Help(stdout), ErrWriter: stderr}
	_ = root.Walk(func(cmd *cli.Command) error {
		cmd.OnUsageError = usage.Explain
		return nil
	})
	err := root.Run(ctx, args)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "forge:", err)
	if _, ok := errors.AsType[*usage.Error](err); ok {
		return 2
	}
	return 1
}

// Commands returns the commands that change the source of the application in a directory, or in the
// working directory if dir is "".
func Commands(dir string, out io.Writer) []*cli.Command {
	o := Options{Dir: dir, Out: out}
	return tree.Commands(tree.Actions{Scaffold: o.scaffold, AddField: o.addField, AddEdge: o.addEdge})
}

func (o Options) scaffold(ctx context.Context, cmd *cli.Command) error {
	o = o.with(cmd)
	o.Entities, o.Check, o.Unindexed = cmd.Args().Slice(), cmd.Bool("check"), cmd.Bool("unindexed")
	if o.Check && (o.DryRun || len(o.Entities) > 0) {
		return usage.Errorf("scaffold --check is about the whole schema; it takes no entity, and no --dry-run")
	}
	return Scaffold(ctx, o)
}

// with returns the options with what the flags say.
func (o Options) with(cmd *cli.Command) Options {
	o.DryRun, o.WithoutGenerators = cmd.Bool("dry-run"), cmd.Bool("no-generate")
	return o
}

func (o Options) addField(ctx context.Context, cmd *cli.Command) error {
	of, name, typed, err := target(cmd, "field", "NAME:TYPE")
	if err != nil {
		return err
	}
	return AddField(ctx, o.with(cmd), Field{Entity: of, Name: name, Type: typed, Values: cmd.StringSlice("values"), Min: cmd.String("min"),
		Max: cmd.String("max"), Length: cmd.Int("length"), Optional: cmd.Bool("optional"), Unique: cmd.Bool("unique"), Index: cmd.Bool("index"),
		Default: cmd.String("default"), Comment: cmd.String("comment"), Shown: cmd.String("shown")})
}

func (o Options) addEdge(ctx context.Context, cmd *cli.Command) error {
	of, name, to, err := target(cmd, "edge", "NAME:ENTITY")
	if err != nil {
		return err
	}
	return AddEdge(ctx, o.with(cmd),
		Edge{Entity: of, Name: name, To: to, Inverse: cmd.String("inverse"), Kind: cmd.String("kind"), Required: cmd.Bool("required")})
}

// target returns the entity, the name, and what follows the colon.
func target(cmd *cli.Command, what, form string) (of, name, rest string, err error) {
	args := cmd.Args().Slice()
	if len(args) == 2 {
		name, rest, _ = strings.Cut(args[1], ":")
		of = args[0]
	}
	if name == "" || rest == "" {
		return "", "", "", usage.Errorf("add %s takes ENTITY %s", what, form)
	}
	return of, name, rest, nil
}

// Lines returns the text of an error of the commands that takes several lines, and false for other
// errors.
func Lines(err error) (string, bool) {
	_, refused := errors.AsType[*RefusedError](err)
	_, checked := errors.AsType[*CheckError](err)
	_, failed := errors.AsType[*exec.ExitError](err)
	if refused || checked || failed {
		return err.Error(), true
	}
	return "", false
}
