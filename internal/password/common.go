package password

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"forge/internal/entity"
)

// What a password has at least and at most, in characters.
const (
	Least = 8
	Most  = 128
)

//go:embed common/passwords.txt
var commonest string

// common returns the passwords of the file, sorted. Its first line says what it is.
var common = sync.OnceValue(func() []string {
	return strings.Split(strings.TrimSuffix(commonest, "\n"), "\n")[1:]
})

// Common reports whether a password is on the list of those that are guessed first, whatever its case or the form of its
// letters. The list has none with fewer than Least characters.
func Common(password string) bool {
	_, found := slices.BinarySearch(common(), entity.Fold(password))
	return found
}
