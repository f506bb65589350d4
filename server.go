// Forge is a GraphQL server on SQLite or PostgreSQL. Package graph says what it serves.
package main

import (
	_ "embed"
	"os"

	"forge/graph"
	"forge/internal/cli"
)

//go:embed schema.graphqls
var sdl string

// version is the version of the release. It does not change while the program runs. A build can set
// another one: go build -ldflags "-X main.version=v1.2.3".
var version = "0.1.0"

func main() {
	os.Exit(cli.Main(graph.Application(sdl, version)))
}
