// Package cli holds the commands of the program.
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
	"forge/internal/progress"
	"forge/internal/read/binding"
	"forge/internal/settings"
	"forge/internal/usage"
)

// Main runs the command line of this process, and returns the exit status that Run returns. After
// the first SIGINT or SIGTERM, the process ends in an orderly way. A second one ends it at once.
func Main(app application.Application) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return Run(ctx, app, os.Args, os.Environ(), os.Stdout, os.Stderr)
}

// Run runs the command line args until it is done or ctx ends. It returns the exit status: 0 for
// success, 2 for a mistake in the arguments or settings, and 1 for any other failure. With status
// 2, nothing was done. An error is printed to stderr as one line. If the application cannot be
// served, there is a line for each reason.
func Run(ctx context.Context, app application.Application, args, environ []string, stdout, stderr io.Writer) int {
	err := commands(program{app: app, out: stdout, stderr: stderr, args: args, environ: environ}).Run(ctx, args)
	if err == nil {
		return 0
	}
	if status, ok := errors.AsType[exitError](err); ok {
		return int(status)
	}
	if mismatch, ok := errors.AsType[*binding.MismatchError](err); ok {
		fmt.Fprintln(stderr, "forge:", mismatch)
		return 1
	}
	if lines, ok := treeLines(err); ok {
		fmt.Fprintln(stderr, "forge:", lines)
		return 1
	}
	fmt.Fprintln(stderr, "forge:", strings.Join(strings.Fields(err.Error()), " "))
	if _, ok := errors.AsType[*usage.Error](err); ok {
		return 2
	}
	return 1
}

// exitError is the exit status of another process that has said why.
type exitError int

// Error returns the status.
func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// program is what an action works with. Settings, cmd and log are set once they are known.
type program struct {
	*settings.Settings
	app         application.Application
	cmd         *cli.Command
	out, stderr io.Writer
	log         *slog.Logger
	args        []string // of the whole command line
	environ     []string // in the form of os.Environ
}

// action does the work of a command.
type action func(context.Context, program) error

// runner makes a function for the cli library from an action. That function loads the settings
// before it calls the action.
type runner func(action) cli.ActionFunc

func commands(p program) *cli.Command {
	app, environ, stdout, stderr := p.app, p.environ, p.out, p.stderr
	do := func(action action) cli.ActionFunc {
		return func(ctx context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			s, err := settings.Load(cmd, environ)
			if err != nil {
				return err
			}
			s.Pool.Schemas = app.Schemas()
			p := p
			p.Settings, p.cmd, p.log = s, cmd, s.Logger(stderr)
			return action(progress.NewContext(ctx, stderr, p.log), p)
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
			devCommand(do),
			migrateCommand(do),
			seedCommand(do, app.Demo),
			newTreeCommand(do),
			dbCommand(do),
			backupCommand(do),
			userCommand(do),
			webhookCommand(do),
			healthcheckCommand(do),
			checkCommand(app, environ, stdout),
			doctorCommand(app, environ, stdout),
			schemaCommand(do),
			adoptCommand(p),
			docsCommand(app, stdout, stderr),
			settingsCommand(stdout),
			completionCommand(stdout),
		},
		HideHelpCommand:               true,
		CustomRootCommandHelpTemplate: usage.Screen(groups),
		Writer:                        usage.Help(stdout), // only help texts are written there
		ErrWriter:                     stderr,
	}
	root.Commands = append(root.Commands, treeCommands(p)...)
	_ = root.Walk(func(cmd *cli.Command) error {
		cmd.OnUsageError = usage.Explain
		return nil
	})
	return root
}

// groups says where the help of the program lists the commands.
var groups = []usage.Group{
	{Title: "Serve", Commands: []string{"serve", "dev", "seed", "settings"}},
	{Title: "Look", Commands: []string{"doctor", "check", "schema", "db", "healthcheck"}},
	{Title: "Change", Commands: []string{"user", "webhook", "migrate", "backup"}},
	{Title: "Build", Commands: []string{"new", "scaffold", "add", "adopt"}},
}

// opener opens the database of the settings, as one of the functions of package bootstrap does.
type opener func(context.Context, *settings.Settings) (*database.DB, error)

// withDatabase opens the database, calls f, and closes the database.
func (p program) withDatabase(ctx context.Context, open opener, f func(*database.DB) error) error {
	db, err := open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer db.Close()
	return f(db)
}
