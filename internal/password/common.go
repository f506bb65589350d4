package password

import (
	_ "embed"
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

var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonest) {
		set[strings.TrimSpace(line)] = true
	}
	return set
})

// Common reports whether a password is among the 10,000 commonest, without regard to case: those that are guessed first.
func Common(password string) bool { return common()[entity.Fold(password)] }
