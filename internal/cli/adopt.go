package cli

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"

	"github.com/urfave/cli/v3"

	"forge/internal/adopt"
	"forge/internal/application"
	"forge/internal/sourcetree"
	"forge/internal/usage"
)

// adoptCommand does not use a runner: it needs no settings, and its address is an argument.
func adoptCommand(app application.Application, stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "adopt",
		Usage: "make entities of the tables of an existing database, in a source tree",
		Description: "ADDRESS is postgres://user:password@host/database or sqlite:PATH. It reads the tables, or those that are named, and writes ent/schema, schema.graphqls, " +
			"graph/access.go and a new history of migrations; then it prints what it left out, and why. It changes nothing in the database. The exit status is 0, " +
			"2 if the address, the names or the source tree do not allow it, and 1 after any other failure; unless it is 0, nothing was written.",
		Arguments: []cli.Argument{
			&cli.StringArg{Name: "ADDRESS", UsageText: "ADDRESS"},
			&cli.StringArgs{Name: "TABLE", UsageText: "[TABLE…]", Max: -1},
		},
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "schema", Local: true, Usage: "only the tables of this schema of PostgreSQL; may be given again"},
			&cli.StringFlag{Name: "readers", Local: true, Value: "administrators", Usage: "who may read all rows: administrators, signed-in or everyone"},
			&cli.BoolFlag{Name: "unindexed", Local: true, Usage: "also offer to find and to sort rows where no index helps, which reads whole tables"},
			devURLFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			address := cmd.StringArg("ADDRESS")
			if address == "" {
				return usage.Errorf("adopt needs the address of a database: postgres://user:password@host/database or sqlite:PATH")
			}
			module, err := exec.CommandContext(ctx, "go", "list", "-m").Output()
			if err != nil {
				return fmt.Errorf("find out the module: %w; this is done at the top of a source tree", err)
			}
			o := adopt.Options{Address: address, Tables: cmd.StringArgs("TABLE"), Schemas: cmd.StringSlice("schema"), Readers: cmd.String("readers")}
			tree := adopt.Tree{
				Module: string(slices.DeleteFunc(module, func(c byte) bool { return c == '\n' })), SDL: app.SDL,
				Entities: app.API(application.Services{}).Entities, DevURL: cmd.String("dev-url"),
				Generate: func(ctx context.Context, names []string) error {
					return sourcetree.Scaffold(ctx, sourcetree.Options{Entities: names, Unindexed: cmd.Bool("unindexed"), Out: stdout})
				},
			}
			return adopt.Run(ctx, o, tree, stdout)
		},
	}
}
