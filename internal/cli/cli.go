// Package cli holds the commands of a program that serves an application.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/read/binding"
	"forge/internal/settings"
	"forge/internal/usage"
)

// Main runs the command line of this process and returns the exit status; see Run. The first SIGINT
// or SIGTERM asks for an orderly end, and a second one ends the process at once.
func Main(app application.Application) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return Run(ctx, app, os.Args, os.Environ(), os.Stdout, os.Stderr)
}

// Run runs the command line args until it is done or ctx ends, and returns the exit status: 0; 2
// for a mistake in the arguments or settings, after which nothing was done; 1 for any other
// failure. An error is one line on stderr, or a line for each reason why the application cannot be
// served.
func Run(ctx context.Context, app application.Application, args, environ []string, stdout, stderr io.Writer) int {
	err := commands(app, environ, stdout, stderr).Run(ctx, args)
	if err == nil {
		return 0
	}
	if mismatch, ok := errors.AsType[*binding.MismatchError](err); ok {
		fmt.Fprintln(stderr, "forge:", mismatch)
		return 1
	}
	fmt.Fprintln(stderr, "forge:", strings.Join(strings.Fields(err.Error()), " "))
	if _, ok := errors.AsType[*usage.Error](err); ok {
		return 2
	}
	return 1
}

// program has everything that an action works with.
type program struct {
	*settings.Settings
	app     application.Application
	cmd     *cli.Command
	out     io.Writer
	log     *slog.Logger
	environ []string // as os.Environ returns it
}

// action is the work of a command.
type action func(context.Context, program) error

// runner turns an action into one of the cli library. It loads the settings first.
type runner func(action) cli.ActionFunc

func commands(app application.Application, environ []string, stdout, stderr io.Writer) *cli.Command {
	do := func(action action) cli.ActionFunc {
		return func(ctx context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			s, err := settings.Load(cmd, environ)
			if err != nil {
				return err
			}
			return action(ctx, program{s, app, cmd, stdout, s.Logger(stderr), environ})
		}
	}
	root := &cli.Command{
		Name:    "forge",
		Version: buildVersion(app.Version),
		Usage:   app.Usage,
		Description: "Without a command it serves. The environment variable in brackets stands in for an option that is not given. " +
			"The exit status is 0, 2 after a mistake in options or settings, and 1 after any other failure.",
		Flags:  settings.Flags(),
		Action: do(serve),
		Commands: []*cli.Command{
			serveCommand(do),
			migrateCommand(do),
			seedCommand(do, app.Demo),
			dbCommand(do),
			userCommand(do),
			healthcheckCommand(do),
			doctorCommand(app, environ, stdout),
			schemaCommand(do),
		},
		HideHelpCommand: true,
		Writer:          usage.Help(stdout), // nothing else goes there
		ErrWriter:       stderr,
	}
	_ = root.Walk(func(cmd *cli.Command) error {
		cmd.OnUsageError = usage.Explain
		return nil
	})
	return root
}

// opener opens the database of the settings for some purpose.
type opener func(context.Context, *settings.Settings) (*database.DB, error)

// withDatabase calls f with the open database of the settings.
func (p program) withDatabase(ctx context.Context, open opener, f func(*database.DB) error) error {
	db, err := open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer db.Close()
	return f(db)
}
