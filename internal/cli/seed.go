package cli

import (
	"context"
	"strconv"

	"github.com/urfave/cli/v3"

	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/usage"
)

func seedCommand(do runner, data demo.Data) *cli.Command {
	return &cli.Command{
		Name: "seed", Usage: "fill an empty database with demo data", Action: do(fill),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "scale", Value: strconv.Itoa(data.Scale), Local: true, Usage: "how much: " + data.About},
			&cli.BoolFlag{Name: "passwords", Local: true,
				Usage: "let everybody sign in as an administrator and as a user, with the passwords of a first start in development; not in production"},
		},
	}
}

func fill(ctx context.Context, p program) error {
	arg := p.cmd.String("scale")
	scale, err := strconv.Atoi(arg)
	if err != nil || scale < 1 || scale > p.app.Demo.MaxScale {
		return usage.Errorf("--scale=%q is not allowed; allowed: a whole number from 1 to %d", arg, p.app.Demo.MaxScale)
	}
	passwords := p.cmd.Bool("passwords")
	if passwords && p.Production {
		return usage.Errorf("--passwords is not allowed with %s=production: everybody knows these passwords", p.NameOf("FORGE_ENV"))
	}
	return p.withDatabase(ctx, bootstrap.Open, func(db *database.DB) error {
		if p.Migrate {
			if err := bootstrap.Schema(ctx, p.Settings, p.app, db, p.log); err != nil {
				return err
			}
		}
		return bootstrap.Seed(ctx, p.Settings, p.app, db, scale, passwords)
	})
}
