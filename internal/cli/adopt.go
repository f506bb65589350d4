package cli

import (
	"context"

	"github.com/urfave/cli/v3"
)

// adoptCommand does not use a runner: it needs no settings, and its address is an argument.
func adoptCommand(p program) *cli.Command {
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
			p.cmd = cmd
			return adopting(ctx, p)
		},
	}
}
