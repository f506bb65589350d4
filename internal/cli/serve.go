package cli

import (
	"context"
	"os"

	"github.com/urfave/cli/v3"

	"forge/internal/server"
)

func serveCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "answer requests until SIGTERM or Ctrl+C", Action: do(serve),
		Flags: []cli.Flag{
			fromDiskFlag(),
			&cli.StringFlag{Name: "build", Local: true, Hidden: true,
				Usage: "what dev calls this build: the playground reloads when it is another one, and the server ends when its standard input does"},
		},
	}
}

func serve(ctx context.Context, p program) error {
	s := server.New(p.application(), p.Settings, p.environ, p.out, p.log)
	if s.Build = p.cmd.String("build"); s.Build != "" {
		ctx = whileOpen(ctx, os.Stdin)
	}
	return s.Run(ctx)
}
