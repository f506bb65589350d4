//go:build source

package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/internal/adopt"
	"forge/internal/application"
	"forge/internal/devloop"
	"forge/internal/newtree"
	"forge/internal/settings"
	"forge/internal/sourcetree"
	"forge/internal/usage"
)

// The actions in files with the build tag source are not in a server: source_elsewhere.go.

// treeLines returns the text of an error that takes several lines, and false for other errors.
func treeLines(err error) (string, bool) { return sourcetree.Lines(err) }

// treeCommands returns the commands that change the source.
func treeCommands(p program) []*cli.Command { return sourcetree.Commands("", p.out) }

func develop(ctx context.Context, p program) error {
	if p.Production {
		return usage.Errorf("dev is not allowed with %s=production", p.NameOf("FORGE_ENV"))
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return devloop.Run(ctx, devloop.Options{
		Root: ".", Program: program, Environ: settings.Environ(p.cmd, p.environ), Out: p.out, In: os.Stdin, DevURL: p.cmd.String("dev-url"),
	})
}

func newTree(ctx context.Context, p program) error {
	o := newtree.Options{Dir: p.cmd.StringArg("DIR"), Module: p.cmd.String("module"), Bare: p.cmd.Bool("bare"), Log: p.out}
	if err := newtree.Make(ctx, ".", o); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "%s is made. Next: cd %[1]s, git init, and README.md there.\n", o.Dir)
	return err
}

// adopting makes entities of the tables at the address that is its argument.
func adopting(ctx context.Context, p program) error {
	address := p.cmd.StringArg("ADDRESS")
	if address == "" {
		return usage.Errorf("adopt needs the address of a database: postgres://user:password@host/database or sqlite:PATH")
	}
	module, err := exec.CommandContext(ctx, "go", "list", "-m").Output()
	if err != nil {
		return fmt.Errorf("find out the module: %w; this is done at the top of a source tree", err)
	}
	o := adopt.Options{Address: address, Tables: p.cmd.StringArgs("TABLE"), Schemas: p.cmd.StringSlice("schema"), Readers: p.cmd.String("readers")}
	tree := adopt.Tree{
		Module: strings.TrimSpace(string(module)), SDL: p.app.SDL,
		Entities: p.app.API(application.Services{}).Entities, DevURL: p.cmd.String("dev-url"),
		Generate: func(ctx context.Context, names []string) error {
			return sourcetree.Scaffold(ctx, sourcetree.Options{Entities: names, Unindexed: p.cmd.Bool("unindexed"), Out: p.out})
		},
	}
	return adopt.Run(ctx, o, tree, p.out)
}
