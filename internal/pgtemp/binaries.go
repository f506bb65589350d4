package pgtemp

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// ErrNoPostgres is the error of Start if no PostgreSQL server is found.
var ErrNoPostgres = errors.New("no PostgreSQL found: initdb, postgres and pg_ctl are neither on PATH nor where " +
	"packages put them; install it (Debian and Ubuntu: apt-get install postgresql, Fedora: dnf install " +
	"postgresql-server, macOS: brew install postgresql@17)")

// needed are the programs that a directory must contain to be used.
var needed = []string{"initdb", "postgres", "pg_ctl"}

// packaged are the directories where packages install the programs. Many of them are not on PATH.
var packaged = []string{
	"/usr/lib/postgresql/*/bin",                      // Debian, Ubuntu
	"/usr/pgsql-*/bin",                               // the PostgreSQL project's RPMs
	"/usr/libexec/postgresql*",                       // Alpine
	"/opt/homebrew/opt/postgresql*/bin",              // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",                 // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin", // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/Library/PostgreSQL/*/bin", // EDB's installer on macOS
	"/opt/PostgreSQL/*/bin",     // EDB's installer on Linux
	"/usr/local/pgsql/bin",      // built from source
}

// findBinaries returns the directory of the PostgreSQL to use, which has the given programs as
// well. A directory on PATH comes first, and a newer version comes before an older one.
func findBinaries(also ...string) (string, error) {
	return search(filepath.SplitList(os.Getenv("PATH")), packaged, append(also, needed...))
}

func search(path, patterns, programs []string) (string, error) {
	var found []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	slices.SortStableFunc(found, func(a, b string) int { return slices.Compare(numbers(b), numbers(a)) })
	for _, dir := range append(slices.Clone(path), found...) {
		if hasAll(dir, programs) {
			return dir, nil
		}
	}
	return "", ErrNoPostgres
}

func hasAll(dir string, programs []string) bool {
	for _, name := range programs {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`\d+`)

// numbers returns the numbers in a path. They sort version 9.6 before version 15.
func numbers(path string) []int {
	var ns []int
	for _, d := range digits.FindAllString(path, -1) {
		n, err := strconv.Atoi(d)
		if err != nil {
			break
		}
		ns = append(ns, n)
	}
	return ns
}
