package password

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"forge/internal/entity"
)

// Least and Most are the smallest and the largest number of characters in a password.
const (
	Least = 8
	Most  = 128
)

//go:embed common/passwords.txt
var list string

// common returns the sorted passwords of the file, without the first line, which is a comment.
var common = sync.OnceValue(func() []string {
	return strings.Split(strings.TrimSuffix(list, "\n"), "\n")[1:]
})

// Common reports whether a password is among those that attackers try first. Upper and lower case,
// and the Unicode form of letters, make no difference. The list only has passwords of at least
// Least characters.
func Common(password string) bool {
	_, found := slices.BinarySearch(common(), entity.Fold(password))
	return found
}
