package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/doctor"
	"forge/internal/settings"
	"forge/internal/tree"
	"forge/internal/usage"
)

// doctorCommand does not use a runner, because a runner fails if the settings cannot be loaded.
// Here, that is the first finding of the report.
func doctorCommand(app application.Application, environ []string, stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look at settings and database, and say in plain words what is wrong and what to do",
		Description: "It changes nothing, and gives each check 5s. The exit status is 1 if something fails, and else 0; warnings do not count. With --json: " +
			"state (ok, warn or fail), findings (each with check, state, message, advice; the state may also be skipped).",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Local: true, HideDefault: true, Usage: "for scripts"},
			&cli.BoolFlag{Name: "engine", Local: true, HideDefault: true, Usage: "try, in place of the other checks, each feature of PostgreSQL that Forge needs; nothing is left behind"},
			&cli.IntFlag{Name: "processes", Local: true, Value: 1, Usage: "how many run with these settings on this database"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			if n := cmd.Int("processes"); n < 1 || n > 10_000 {
				return usage.Errorf("--processes=%d is not allowed; allowed: a whole number from 1 to 10000", n)
			}
			report, err := examine(ctx, app, cmd, environ)
			if err != nil {
				return err
			}
			write := report.Write
			if cmd.Bool("json") {
				write = report.WriteJSON
			}
			if err := write(stdout); err != nil {
				return err
			}
			if report.State() == doctor.Fail {
				return errors.New("something is wrong")
			}
			return nil
		},
	}
}

// checkCommand does not use a runner either: all settings that are wrong are told at once.
func checkCommand(app application.Application, environ []string, stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "check",
		Usage:       "say all that does not fit together in schema.graphqls, ent/schema, graph/access.go and the settings",
		Description: "It needs no database. The exit status is 1 if something does not fit, and else 0.",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			s, mistakes := settings.LoadAll(cmd, environ)
			report := append(doctor.Unreadable(mistakes...), doctor.New(app, s, 1).Check(ctx)...)
			for _, old := range tree.Stale("") {
				report = append(report, doctor.Finding{Check: "generated", State: doctor.Warn, Message: old})
			}
			if err := report.Write(stdout); err != nil {
				return err
			}
			if report.State() == doctor.Fail {
				return errors.New("something does not fit")
			}
			return nil
		},
	}
}

func examine(ctx context.Context, app application.Application, cmd *cli.Command, environ []string) (doctor.Report, error) {
	s, err := settings.Load(cmd, environ)
	if _, mistake := errors.AsType[*usage.Error](err); mistake {
		return doctor.Unreadable(err), nil
	}
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	s.Pool.Schemas = app.Schemas()
	d := doctor.New(app, s, cmd.Int("processes"))
	if cmd.Bool("engine") {
		return d.Engine(ctx), nil
	}
	return d.Examine(ctx), nil
}
