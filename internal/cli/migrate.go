package cli

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/migrator"
	"forge/internal/usage"
)

func migrateCommand(do runner) *cli.Command {
	return &cli.Command{
		Name:   "migrate",
		Usage:  "change the schema of the database, or show it",
		Action: usage.NeedsCommand,
		Description: "V is a version: its number, or the name of its file. up and down change nothing, and say why, if the database is newer than this " +
			"program, if a file that it was migrated with has changed or is missing, if a new file is older than what is applied, or if the schema " +
			"was changed by hand.",
		Commands: []*cli.Command{
			{
				Name: "up", Action: do(migrateUp),
				Usage: "apply all pending migrations",
				Description: "Each is applied once, however many processes do this at once. On PostgreSQL a statement waits for a lock for 3s at a time, or what " +
					"--lock-timeout says here, and its migration is tried again, 10 times in all; statements may take as long as they need.",
				Flags: []cli.Flag{versionFlag("to", "the last one to apply (default: the newest)"), fromDiskFlag()},
			},
			{
				Name: "down", Action: do(migrateDown),
				Usage:     "undo the last N migrations (1)",
				Arguments: []cli.Argument{&cli.StringArg{Name: "N", UsageText: "[N]"}},
				Flags: []cli.Flag{&cli.BoolFlag{Name: "yes", Local: true, HideDefault: true,
					Usage: "also if that loses data; without it, what would be lost is named and nothing is done"}},
			},
			{
				Name: "status", Action: do(migrateStatus),
				Usage: "list all migrations, whether they are applied and unchanged, and how the schema differs from what they left",
				Description: "The exit status is 0 whatever there is to say, and 1 if the database cannot be read. With --json: " +
					"state (ok, pending, or refused if up and down would change nothing), reason, " +
					"versions (each with version, name, state, appliedAt, checksum, begun), drift (compared, reason, lines).",
				Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Local: true, HideDefault: true, Usage: "for scripts"}},
			},
			{
				Name: "sql", Action: do(migrateSQL),
				Usage:       "print what up would do as a script, for the kind of database and without it",
				Description: "The script records the versions in the database as well. Its first line says how to run it.",
				Flags: []cli.Flag{
					versionFlag("from", "the version that the database has (default: none; with --down the newest)"),
					versionFlag("to", "the version that it is to have (default: the newest; with --down none)"),
					&cli.BoolFlag{Name: "down", Usage: "print what down would do", HideDefault: true, Local: true},
				},
			},
			beginCommand(do),
			foldCommand(do),
			diffCommand(do),
			newCommand(do),
			hashCommand(do),
			lintCommand(do),
			verifyCommand(do),
		},
	}
}

func versionFlag(name, meaning string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: meaning, Local: true, HideDefault: true}
}

func migrateUp(ctx context.Context, p program) error {
	to, err := p.version("to", math.MaxInt64)
	if err != nil {
		return err
	}
	return p.withDatabase(ctx, bootstrap.OpenToMigrate, func(db *database.DB) error {
		if err := bootstrap.MayMigrate(p.Settings, db); err != nil {
			return err
		}
		if err := p.application().Migrator(db.Dialect).UpTo(ctx, db.DB, to, p.lockTimeout(), p.log); err != nil {
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
	return p.withDatabase(ctx, bootstrap.OpenExisting, func(db *database.DB) error {
		if err := bootstrap.MayMigrate(p.Settings, db); err != nil {
			return err
		}
		if err := p.app.Migrator(db.Dialect).Down(ctx, db.DB, n, p.cmd.Bool("yes"), p.lockTimeout(), p.log); err != nil {
			return err
		}
		return p.printStatus(ctx, db)
	})
}

func migrateStatus(ctx context.Context, p program) error {
	return p.withDatabase(ctx, bootstrap.Look, func(db *database.DB) error {
		if !p.cmd.Bool("json") {
			return p.printStatus(ctx, db)
		}
		report, err := p.app.Migrator(db.Dialect).Status(ctx, db.DB)
		if err != nil {
			return err
		}
		return report.WriteJSON(p.out)
	})
}

func (p program) printStatus(ctx context.Context, db *database.DB) error {
	report, err := p.application().Migrator(db.Dialect).Status(ctx, db.DB)
	if err != nil {
		return err
	}
	return report.Write(p.out)
}

func migrateSQL(_ context.Context, p program) error {
	from, err := p.version("from", 0)
	if err != nil {
		return err
	}
	to, err := p.version("to", 0)
	if err != nil {
		return err
	}
	down := p.cmd.Bool("down")
	if from != 0 && to != 0 && (from > to) != down && from != to {
		return usage.Errorf("--from=%q --to=%q: there is no way; --down goes to an older version, and without it the way is to a newer one",
			p.cmd.String("from"), p.cmd.String("to"))
	}
	return p.app.Migrator(p.Dialect()).SQL(p.out, from, to, down)
}

// version returns the number of the version that a flag names. It returns other if the flag is not
// set.
func (p program) version(flag string, other int64) (int64, error) {
	if !p.cmd.IsSet(flag) {
		return other, nil
	}
	v, err := p.app.Migrator(p.Dialect()).Find(p.cmd.String(flag))
	if err != nil {
		return 0, usage.Errorf("--%s=%s", flag, err)
	}
	return v.Number, nil
}

// lockTimeout returns how long a migration waits for a lock. Only the flag --lock-timeout changes
// it. The variable LOCK_TIMEOUT is for requests: a request that waits holds up nobody, but a
// migration that waits holds up requests.
func (p program) lockTimeout() time.Duration {
	if p.NameOf("LOCK_TIMEOUT") == "--lock-timeout" {
		return p.Pool.LockTimeout
	}
	return migrator.LockTimeout
}
