package usage

import (
	"context"
	"strings"

	"github.com/urfave/cli/v3"
)

// Explain turns an error of the cli library about a command line into an Error. It is meant for
// Command.OnUsageError.
func Explain(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	// The library has no type for this error.
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return Errorf("%s", err)
	}
	name = strings.TrimLeft(name, "-")
	return Errorf("there is no flag --%s%s", name, nearestOf(name, flagsOf(cmd), "--%s"))
}

// flagsOf returns the names of the flags that a command takes, with those of its parents.
func flagsOf(cmd *cli.Command) (names []string) {
	for _, c := range cmd.Lineage() {
		for _, flag := range c.Flags {
			names = append(names, flag.Names()[0])
		}
	}
	return names
}

// NeedsCommand is the action of a command that only has subcommands. It always returns an error.
func NeedsCommand(_ context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		return NothingLeft(cmd)
	}
	return Errorf("%s needs one of %s", cmd.Name, strings.Join(commandsOf(cmd), ", "))
}

// NothingLeft returns an error if the command line has words after cmd that it does not take.
func NothingLeft(cmd *cli.Command) error {
	word, known := cmd.Args().First(), commandsOf(cmd)
	switch {
	case !cmd.Args().Present():
		return nil
	case word == "on" || word == "off":
		return Errorf("%q is not a command; a flag that may stand alone takes its value behind =, as in --demo=%s", word, word)
	case len(known) == 0:
		return Errorf("%s takes no more, and there is %q", cmd.Name, word)
	default:
		return Errorf("there is no command %q%s", word, nearestOf(word, known, "%q"))
	}
}

func commandsOf(cmd *cli.Command) (names []string) {
	for _, c := range cmd.Commands {
		names = append(names, c.Name)
	}
	return names
}
