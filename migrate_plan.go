package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"forge/internal/usage"
	"forge/migrate"
)

func diffCommand(do func(action) cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name: "diff", Action: do(migrateDiff),
		Usage:     "write the migration NAME for what has changed in ent/schema, in a source tree",
		Arguments: []cli.Argument{&cli.StringArg{Name: "NAME", UsageText: "NAME"}},
		Flags: []cli.Flag{&cli.StringFlag{Name: "dev-url", Local: true, Sources: cli.EnvVars("DEV_DATABASE_URL"),
			Usage: "a PostgreSQL to try statements on, postgres://…; without it one is started from installed programs"}},
	}
}

func migrateDiff(ctx context.Context, p program) error {
	name := p.cmd.StringArg("NAME")
	if name == "" {
		return usage.Errorf("migrate diff needs a name for what changes, such as add_reviews")
	}
	written, err := migrate.Diff(ctx, "migrate", name, p.cmd.String("dev-url"))
	if err != nil {
		return err
	}
	if written == nil {
		fmt.Fprintln(p.out, "ent/schema has not changed: nothing to write")
	}
	for _, path := range written {
		fmt.Fprintln(p.out, path)
	}
	return nil
}
