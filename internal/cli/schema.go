package cli

import (
	"context"
	"forge/internal/application"
	"io"

	"github.com/urfave/cli/v3"
)

func schemaCommand(do runner) *cli.Command {
	return &cli.Command{Name: "schema", Usage: "print the API's schema (SDL)", Action: do(printSchema)}
}

// printSchema prints the schema. It returns an error if the schema, the entities and the resolvers
// do not fit together.
func printSchema(_ context.Context, p program) error {
	if err := p.app.API(application.Services{}).Check(); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, p.app.SDL)
	return err
}
