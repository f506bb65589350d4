package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"forge/internal/newtree"
)

func newTreeCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "new", Action: do(newTree),
		Usage: "make the folder DIR, a copy of this source tree to build an application on",
		Description: "The copy has its own module path and no git history. Its README.md says what to do next. With --bare it has users, who can sign in, " +
			"and else nothing of the demo. DIR must not exist or be empty; unless the exit status is 0, it is as it was.",
		Arguments: []cli.Argument{&cli.StringArg{Name: "DIR", UsageText: "DIR"}},
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "module", Local: true, Usage: "the path by which Go code imports the packages of the copy, such as example.com/shop; required"},
			&cli.BoolFlag{Name: "bare", Local: true, HideDefault: true, Usage: "without the entities of the demo, their tests and their data"},
		},
	}
}

func newTree(ctx context.Context, p program) error {
	o := newtree.Options{Dir: p.cmd.StringArg("DIR"), Module: p.cmd.String("module"), Bare: p.cmd.Bool("bare"), Log: p.out}
	if err := newtree.Make(ctx, ".", o); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "%s is made. Next: cd %[1]s, git init, and README.md there.\n", o.Dir)
	return err
}
