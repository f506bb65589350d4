package usage

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// Complete returns the words that may stand in the place of the last one of a command line: the
// commands and options that begin like it. The command line is without the program's name. values
// has the arguments of commands, by the command's name.
func Complete(root *cli.Command, line []string, values map[string][]string) (words []string) {
	if len(line) == 0 {
		line = []string{""}
	}
	cmd, last := root, line[len(line)-1]
	for _, word := range line[:len(line)-1] {
		at := slices.IndexFunc(cmd.Commands, func(c *cli.Command) bool { return c.Name == word && !c.Hidden })
		if at >= 0 {
			cmd = cmd.Commands[at]
		}
	}
	var all []string
	if strings.HasPrefix(last, "-") {
		all = flagNames(cmd, root)
	} else {
		for _, c := range cmd.Commands {
			if !c.Hidden {
				all = append(all, c.Name)
			}
		}
		all = append(all, values[cmd.Name]...)
	}
	for _, word := range all {
		if strings.HasPrefix(word, last) {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// flagNames returns the long names of the options of a command, and of those that all have.
func flagNames(cmd, root *cli.Command) []string {
	names := []string{"--help"}
	for _, flags := range [][]cli.Flag{cmd.Flags, root.Flags} {
		for _, f := range flags {
			if v, ok := f.(cli.VisibleFlag); ok && v.IsVisible() && len(f.Names()[0]) > 1 {
				names = append(names, "--"+f.Names()[0])
			}
		}
	}
	return names
}
