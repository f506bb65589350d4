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
// of a letter.
func Nearest(name string, known []string) (nearest string) {
	least := -1
	for _, k := range known {
		distance := levenshtein.ComputeDistance(name, k)
		if strings.HasPrefix(k, name) || strings.HasPrefix(name, k) {
			distance = 0
		}
		if least < 0 || distance < least {
			nearest, least = k, distance
		}
	}
	return nearest
}
