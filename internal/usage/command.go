package usage

import (
	"context"
	"strings"

	"github.com/urfave/cli/v3"
)

// Explain turns an error of the cli library about a command line into an *Error. It is used as
// Command.OnUsageError.
func Explain(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	// The library exports no types for these errors, so their text is compared.
	if _, quoted, missing := strings.Cut(err.Error(), "Required flag"); missing {
		_, names, _ := strings.Cut(quoted, `"`)
		names, _, _ = strings.Cut(names, `"`)
		return Errorf("%s needs --%s", strings.Join(cmd.Path()[1:], " "), strings.ReplaceAll(names, ", ", " and --"))
	}
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return Errorf("%s", err)
	}
	name = strings.TrimLeft(name, "-")
	return Errorf("there is no flag --%s%s", name, nearestOf(name, flagsOf(cmd), "--%s"))
}

// flagsOf returns the names of the flags of a command and of its parents.
func flagsOf(cmd *cli.Command) (names []string) {
	for _, c := range cmd.Lineage() {
		for _, flag := range c.Flags {
			names = append(names, flag.Names()[0])
		}
	}
	return names
}

// NeedsCommand is the action of a command that only has subcommands. It always returns an *Error.
func NeedsCommand(_ context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		return NothingLeft(cmd)
	}
	return Errorf("%s needs one of %s", cmd.Name, strings.Join(commandsOf(cmd), ", "))
}

// NothingLeft returns an error if words follow the command that it does not accept.
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
