// Package terminal says what a person sees of an output.
package terminal

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
)

// Is reports whether a stream is a terminal.
func Is(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && (isatty.IsTerminal(file.Fd()) || isatty.IsCygwinTerminal(file.Fd()))
}

// Colours reports whether colours are welcome in out: it is a terminal that has some, and the
// environment has no NO_COLOR (https://no-color.org).
func Colours(out io.Writer, environ []string) bool { return Is(out) && wanted(environ) }

func wanted(environ []string) bool {
	return !slices.ContainsFunc(environ, func(entry string) bool {
		value, set := strings.CutPrefix(entry, "NO_COLOR=")
		return set && value != "" || entry == "TERM=dumb"
	})
}

// Bold returns a text that a terminal shows in bold.
func Bold(text string) string { return "\x1b[1m" + text + "\x1b[0m" }

// Link returns a text that a terminal shows as an address.
func Link(text string) string { return "\x1b[4;36m" + text + "\x1b[0m" }
