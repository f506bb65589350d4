package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/usage"
)

func dbCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "db", Usage: "look at the database", Action: usage.NeedsCommand,
		Commands: []*cli.Command{{
			Name: "activity", Action: do(activity),
			Usage: "print this program's sessions on PostgreSQL by state, and how old the oldest transaction in each is",
		}},
	}
}

func activity(ctx context.Context, p program) error {
	return p.withDatabase(ctx, bootstrap.Look, func(db *database.DB) error { return db.Activity(ctx, p.out) })
}
