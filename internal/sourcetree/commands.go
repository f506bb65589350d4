package sourcetree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/urfave/cli/v3"

	"forge/internal/usage"
)

// Main runs a command line of the commands below. It returns the exit status: 0 for success, 2 for a
// mistake in the arguments, and 1 for any other failure. Unless it is 0, nothing was changed.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cli.Command{Name: "forge", Usage: "change the source of an application", Commands: Commands(stdout), Action: usage.NeedsCommand,
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

// Commands returns the commands that change the source of the application in the working directory.
func Commands(out io.Writer) []*cli.Command {
	return []*cli.Command{scaffoldCommand(out)}
}

func scaffoldCommand(out io.Writer) *cli.Command {
	return &cli.Command{
		Name: "scaffold", ArgsUsage: "[ENTITY…]",
		Usage: "add the standard part of entities to schema.graphqls and graph/access.go, in a source tree",
		Description: "For the entities named, or all that schema.graphqls does not show: types, conditions, orders, aggregates, inputs and root fields, and who may call " +
			"them, by the entity's policy. Of a named entity that is shown, it adds the fields and edges that its type lacks. What is there is left as it is. " +
			"Then it generates code. It works from ent/schema alone: where generated code does not compile, run go tool forge scaffold. " +
			"The exit status is 0, 2 after a mistake in the arguments, and 1 after any other failure; unless it is 0, nothing was changed.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Local: true, Usage: "print a diff, and change nothing"},
			&cli.BoolFlag{Name: "check", Local: true, Usage: "say what of schema.graphqls does not fit ent/schema, and change nothing; the exit status is 1 if something does not"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			o := Options{Entities: cmd.Args().Slice(), DryRun: cmd.Bool("dry-run"), Check: cmd.Bool("check"), Out: out}
			if o.Check && (o.DryRun || len(o.Entities) > 0) {
				return usage.Errorf("scaffold --check is about the whole schema; it takes no entity, and no --dry-run")
			}
			return Scaffold(ctx, o)
		},
	}
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
