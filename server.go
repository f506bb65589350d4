// Forge is a GraphQL server for users, their heroes and orders, teams, and products, on SQLite or PostgreSQL.
package main

import (
	_ "embed"
	"os"

	"forge/graph"
	"forge/internal/cli"
)

//go:embed schema.graphqls
var sdl string

// version is that of the release. A build may have another one:
// go build -ldflags "-X main.version=v1.2.3". It never changes at run time.
var version = "0.1.0"

func main() {
	os.Exit(cli.Main(graph.Application(sdl, version)))
}
