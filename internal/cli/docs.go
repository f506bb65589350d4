package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/httpserver"
	"forge/internal/site"
	"forge/internal/usage"
)

// docsCommand does not use a runner: it needs no settings.
func docsCommand(app application.Application, stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "docs",
		Usage: "serve the pages about this program, with a reference of its API, until Ctrl+C",
		Description: "They are a part of the program, and need no other server. With --out, the site is written to a folder instead: any web server can serve it, " +
			"below any path. The exit status is 0, 2 after a mistake in the arguments, and 1 after any other failure.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "address", Local: true, Value: "127.0.0.1:8081", Usage: "where to listen: HOST:PORT, with port 0 for any that is free"},
			&cli.StringFlag{Name: "out", Local: true, Usage: "write the site to this folder, and serve nothing"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			pages, err := site.New(site.Options{Pages: app.Docs, SDL: app.SDL})
			if err != nil {
				return err
			}
			if dir := cmd.String("out"); dir != "" {
				return pages.Write(dir)
			}
			return serveDocs(ctx, pages, cmd.String("address"), stdout, slog.New(slog.NewTextHandler(stderr, nil)))
		},
	}
}

// docsLimits are the limits of connections to the pages.
var docsLimits = httpserver.Connection{
	MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
	WriteTimeout: 30 * time.Second, StallTimeout: 10 * time.Second, IdleTimeout: time.Minute,
}

// serveDocs serves a site until ctx ends.
func serveDocs(ctx context.Context, pages *site.Site, address string, stdout io.Writer, log *slog.Logger) error {
	l, err := httpserver.Listen(address)
	if err != nil {
		return usage.Errorf("--address=%q: %v", address, err)
	}
	defer l.Close()
	fmt.Fprintf(stdout, "The pages are at %s/\nCtrl+C ends it.\n", httpserver.URL(l))
	return httpserver.Serve(ctx, l, pages, nil, docsLimits, log, 0)
}
