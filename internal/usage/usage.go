// Package usage holds errors about how Forge was started: a setting, a flag or a command that is not there or not
// allowed.
package usage

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Error is a sentence for whoever started Forge. Nothing was done.
type Error struct{ message string }

// Error returns the sentence.
func (e *Error) Error() string { return e.message }

// Errorf returns an Error.
func Errorf(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Nearest returns the known name that is written most like name: one that begins like it, or takes the fewest changes
// of a letter. It returns "" if none is near: half of the letters would have to change.
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

// nearestOf returns the part of a sentence that names the nearest of what is known, and where all is listed.
func nearestOf(name string, known []string, form string) string {
	if nearest := Nearest(name, known); nearest != "" {
		return fmt.Sprintf("; the nearest is "+form+", and --help lists all", nearest)
	}
	return "; --help lists all"
}
