package password

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"forge/internal/entity"
)

// Least and Most bound the characters of a password.
const (
	Least = 8
	Most  = 128
)

//go:embed common/passwords.txt
var list string

// common returns the passwords of the file, sorted. The file's first line is a description.
var common = sync.OnceValue(func() []string {
	return strings.Split(strings.TrimSuffix(list, "\n"), "\n")[1:]
})

// Common reports whether a password is on the list of those that attackers try first, regardless of
// case and Unicode form. The list has no passwords shorter than Least.
func Common(password string) bool {
	_, found := slices.BinarySearch(common(), entity.Fold(password))
	return found
}
