// Command forge has the commands that change the source of an application. They also belong to the
// application's own program, as in go run . scaffold. This one needs no generated code:
//
//	go tool forge scaffold
package main

import (
	"context"
	"os"

	"forge/internal/sourcetree"
)

func main() { os.Exit(sourcetree.Main(context.Background(), os.Args, os.Stdout, os.Stderr)) }
