package sourcetree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v3"

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
	return []*cli.Command{scaffoldCommand(o), addCommand(o)}
}

func scaffoldCommand(o Options) *cli.Command {
	return &cli.Command{
		Name: "scaffold", ArgsUsage: "[ENTITY…]",
		Usage: "add the standard part of entities to schema.graphqls and graph/access.go, in a source tree",
		Description: "For the entities named, or all that schema.graphqls does not show: types, conditions, orders, aggregates, inputs and root fields, and who may call " +
			"them, by the entity's policy. Of a named entity that is shown, it adds the fields and edges that its type lacks. What is there is left as it is. " +
			"Then it generates code. It works from ent/schema alone: where generated code does not compile, run go tool forge scaffold. " +
			"The exit status is 0, 2 after a mistake in the arguments, and 1 after any other failure; unless it is 0, nothing was changed.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "unindexed", Local: true, Usage: "also find and sort rows where no index helps, which reads whole tables"},
			&cli.BoolFlag{Name: "check", Local: true, Usage: "say what of schema.graphqls does not fit ent/schema, and change nothing; the exit status is 1 if something does not"},
		}, flags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			o := o.with(cmd)
			o.Entities, o.Check, o.Unindexed = cmd.Args().Slice(), cmd.Bool("check"), cmd.Bool("unindexed")
			if o.Check && (o.DryRun || len(o.Entities) > 0) {
				return usage.Errorf("scaffold --check is about the whole schema; it takes no entity, and no --dry-run")
			}
			return Scaffold(ctx, o)
		},
	}
}

func addCommand(o Options) *cli.Command {
	return &cli.Command{Name: "add", Usage: "add a field or an edge to an entity, in all places of a source tree", Action: usage.NeedsCommand,
		Commands: []*cli.Command{addFieldCommand(o), addEdgeCommand(o)}}
}

// generated ends the descriptions of commands that generate code.
const generated = " Then it generates code; migrate diff plans the migration. Where generated code does not compile, run go tool forge add. " +
	"The exit status is 0, 2 after a mistake in the arguments, and 1 after any other failure; unless it is 0, nothing was changed."

// flags returns the flags that all commands have.
func flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dry-run", Local: true, Usage: "print a diff, and change nothing"},
		&cli.BoolFlag{Name: "no-generate", Local: true, Usage: "leave the generated code as it is; go generate ./... makes it anew"},
	}
}

// with returns the options with what the flags say.
func (o Options) with(cmd *cli.Command) Options {
	o.DryRun, o.WithoutGenerators = cmd.Bool("dry-run"), cmd.Bool("no-generate")
	return o
}

func addFieldCommand(o Options) *cli.Command {
	return &cli.Command{
		Name: "field", ArgsUsage: "ENTITY NAME:TYPE",
		Usage: "add a column to an entity, such as: add field Book pages:int --min=1",
		Description: "It writes the column, who sees it, its CHECK and its indexes to ent/schema, and to schema.graphqls the field, the inputs that set it, and the conditions " +
			"and orders that an index serves. TYPE is one of " + strings.Join(FieldTypes(), ", ") + "." + generated,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "min", Local: true, Usage: "the smallest number"},
			&cli.StringFlag{Name: "max", Local: true, Usage: "the largest number"},
			&cli.IntFlag{Name: "length", Local: true, Usage: "the most characters of a text; an empty text is then not allowed"},
			&cli.StringSliceFlag{Name: "values", Local: true, Usage: "the values of the type enum, with commas between them"},
			&cli.StringFlag{Name: "default", Local: true, Usage: "the value of rows that are not given one"},
			&cli.StringFlag{Name: "comment", Local: true, Usage: "a sentence about the field, which the API shows"},
			&cli.StringFlag{Name: "shown", Local: true, Value: "all", Usage: "who sees it: all, owners or nobody"},
			&cli.BoolFlag{Name: "optional", Local: true, Usage: "rows may be without a value"},
			&cli.BoolFlag{Name: "unique", Local: true, Usage: "no two rows have the same value"},
			&cli.BoolFlag{Name: "index", Local: true, Usage: "rows are found and put in order by it"},
		}, flags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			of, name, typed, err := target(cmd, "field", "NAME:TYPE")
			if err != nil {
				return err
			}
			return AddField(ctx, o.with(cmd), Field{Entity: of, Name: name, Type: typed, Values: cmd.StringSlice("values"), Min: cmd.String("min"),
				Max: cmd.String("max"), Length: cmd.Int("length"), Optional: cmd.Bool("optional"), Unique: cmd.Bool("unique"), Index: cmd.Bool("index"),
				Default: cmd.String("default"), Comment: cmd.String("comment"), Shown: cmd.String("shown")})
		},
	}
}

func addEdgeCommand(o Options) *cli.Command {
	return &cli.Command{
		Name: "edge", ArgsUsage: "ENTITY NAME:ENTITY",
		Usage: "add a relation between two entities, such as: add edge Book author:Person --inverse=books",
		Description: "It writes the edges of both entities, the column and the index of the key, and who sees them, to ent/schema, and to schema.graphqls the fields, " +
			"the conditions over related rows, and the inputs that relate rows." + generated,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "inverse", Local: true, Required: true, Usage: "the name of the edge in the other direction"},
			&cli.StringFlag{Name: "kind", Local: true, Value: ToOne, Usage: strings.Join(EdgeKinds(), ", ") + "; to-one leads to many in the other direction"},
			&cli.BoolFlag{Name: "required", Local: true, Usage: "each row leads to one"},
		}, flags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			of, name, to, err := target(cmd, "edge", "NAME:ENTITY")
			if err != nil {
				return err
			}
			return AddEdge(ctx, o.with(cmd),
				Edge{Entity: of, Name: name, To: to, Inverse: cmd.String("inverse"), Kind: cmd.String("kind"), Required: cmd.Bool("required")})
		},
	}
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
