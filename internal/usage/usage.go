// Package usage holds the errors about the way Forge was started: a setting, flag or command that
// does not exist, or a value that is not allowed.
package usage

import (
	"fmt"
	"math"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Error is a message for the person who started Forge. The program has done nothing when it returns
// one.
type Error struct{ message string }

// Error returns the message.
func (e *Error) Error() string { return e.message }

// Errorf returns an Error with a formatted message.
func Errorf(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Nearest returns the known name that is most like name. Names that begin like it
// come first, and of these and of all others the one with the fewest letters to change. Nearest
// returns "" if more than half of the letters would have to change.
func Nearest(name string, known []string) (nearest string) {
	const first = 1 << 20 // more than any distance
	name = strings.ToLower(name)
	least := math.MaxInt
	for _, k := range known {
		lower := strings.ToLower(k)
		distance := levenshtein.ComputeDistance(name, lower)
		switch {
		case len(name) > 1 && (strings.HasPrefix(lower, name) || strings.HasPrefix(name, lower)):
			distance -= first
		case distance > max(len(name), len(lower))/2:
			continue
		}
		if distance < least {
			nearest, least = k, distance
		}
	}
	return nearest
}

// nearestOf returns the end of an error message. It names the nearest known name, if there is one,
// and says where all are listed. form is the format of the name.
func nearestOf(name string, known []string, form string) string {
	if nearest := Nearest(name, known); nearest != "" {
		return fmt.Sprintf("; the nearest is "+form+", and --help and forge settings list all", nearest)
	}
	return "; --help and forge settings list all"
}
