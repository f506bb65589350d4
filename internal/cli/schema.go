package cli

import (
	"context"
	"io"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
)

func schemaCommand(do doer) *cli.Command {
	return &cli.Command{Name: "schema", Usage: "print the API's schema (SDL)", Action: do(printSchema)}
}

// printSchema prints the schema, unless no server would answer it.
func printSchema(_ context.Context, p program) error {
	if err := p.app.API(application.Services{}).Check(); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, p.app.SDL)
	return err
}
