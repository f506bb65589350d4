package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"forge/internal/server"
)

func serveCommand(do runner) *cli.Command {
	return &cli.Command{Name: "serve", Usage: "answer requests until SIGTERM or Ctrl+C", Action: do(serve)}
}

func serve(ctx context.Context, p program) error {
	return server.New(p.app, p.Settings, p.environ, p.out, p.log).Run(ctx)
}
