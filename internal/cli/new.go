package cli

import "github.com/urfave/cli/v3"

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
