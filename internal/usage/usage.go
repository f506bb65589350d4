// Package usage has the errors in how Forge was started: a setting, a flag or a command that does
// not exist or has a value that is not allowed.
package usage

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Error is a sentence for whoever started Forge. The program has done nothing yet.
type Error struct{ message string }

// Error returns the sentence.
func (e *Error) Error() string { return e.message }

// Errorf returns an Error with a formatted sentence.
func Errorf(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Nearest returns the known name that is most like name: one that begins with it, or else the one
// with the fewest letters to change. It returns "" if more than half of the letters would have to
// change.
func Nearest(name string, known []string) (nearest string) {
	name = strings.ToLower(name)
	least := -1
	for _, k := range known {
		lower := strings.ToLower(k)
		distance := levenshtein.ComputeDistance(name, lower)
		switch {
		case len(name) > 1 && (strings.HasPrefix(lower, name) || strings.HasPrefix(name, lower)):
			distance = 0
		case distance > max(len(name), len(lower))/2:
			continue
		}
		if least < 0 || distance < least {
			nearest, least = k, distance
		}
	}
	return nearest
}

// nearestOf returns the end of an error: the known name that is nearest, if there is one, and that
// --help lists all. form formats the name.
func nearestOf(name string, known []string, form string) string {
	if nearest := Nearest(name, known); nearest != "" {
		return fmt.Sprintf("; the nearest is "+form+", and --help lists all", nearest)
	}
	return "; --help lists all"
}
