package cli

import (
	"context"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
)

func devCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "dev", Action: do(develop),
		Usage: "serve, and after each save generate, migrate, build and serve anew, in a source tree",
		Description: "The server that runs goes on until the next one is built; if the files do not build, or do not fit together, it says why and waits " +
			"for the next save. A change in ent/schema becomes a migration called dev, which is applied to the database of the settings; migrate fold " +
			"makes one of all of these before they are committed. The playground reloads by itself. Not in production.",
		Flags: []cli.Flag{devURLFlag()},
	}
}

// fromDiskFlag is for dev, which writes a migration and applies it without another build.
func fromDiskFlag() cli.Flag {
	return &cli.BoolFlag{Name: "from-disk", Local: true, Hidden: true, Usage: "read the migrations from the folder migrate"}
}

// application returns the application, with the migrations that the flags say.
func (p program) application() application.Application {
	app := p.app
	if p.cmd.Bool("from-disk") {
		app.Migrations = os.DirFS("migrate")
	}
	return app
}

// whileOpen returns a context that ends when in does: when the process that has the other end ends.
func whileOpen(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in)
	}()
	return ctx
}
