package main

import (
	"context"
	"strconv"

	"github.com/urfave/cli/v3"

	"forge/internal/database"
	"forge/internal/usage"
	"forge/migrate"
)

func migrateCommand(do func(action) cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name:   "migrate",
		Usage:  "change the schema of the database, or show it",
		Action: usage.NeedsCommand,
		Commands: []*cli.Command{
			{
				Name: "up", Action: do(migrateUp),
				Usage: "apply all pending migrations",
			},
			{
				Name: "down", Action: do(migrateDown),
				Usage:     "undo the last N migrations (1), and lose the data they made room for",
				Arguments: []cli.Argument{&cli.StringArg{Name: "N", UsageText: "[N]"}},
			},
			{
				Name: "status", Action: do(migrateStatus),
				Usage: "list all migrations and whether they are applied",
			},
			{
				Name: "sql", Action: do(migrateSQL),
				Usage: "print the statements of all migrations, for the kind of database and without it",
				Flags: []cli.Flag{&cli.BoolFlag{Name: "down", Usage: "print those that undo them", HideDefault: true, Local: true}},
			},
			diffCommand(do),
		},
	}
}

func migrateUp(ctx context.Context, p program) error {
	return p.withDatabase(ctx, func(db *database.DB) error {
		if err := migrate.Up(ctx, db.DB, db.Dialect, p.log); err != nil {
			return err
		}
		return p.printStatus(ctx, db)
	})
}

func migrateDown(ctx context.Context, p program) error {
	n := 1
	if arg := p.cmd.StringArg("N"); arg != "" {
		var err error
		if n, err = strconv.Atoi(arg); err != nil || n < 1 {
			return usage.Errorf("N=%q is not allowed; allowed: how many migrations to undo, from 1", arg)
		}
	}
	return p.withDatabase(ctx, func(db *database.DB) error {
		if err := migrate.Down(ctx, db.DB, db.Dialect, n, p.log); err != nil {
			return err
		}
		return p.printStatus(ctx, db)
	})
}

func migrateStatus(ctx context.Context, p program) error {
	return p.withDatabase(ctx, func(db *database.DB) error { return p.printStatus(ctx, db) })
}

func (p program) printStatus(ctx context.Context, db *database.DB) error {
	states, err := migrate.Status(ctx, db.DB, db.Dialect)
	if err != nil {
		return err
	}
	return migrate.WriteStatus(p.out, states)
}

func migrateSQL(_ context.Context, p program) error {
	return migrate.SQL(p.out, p.Dialect(), p.cmd.Bool("down"))
}
