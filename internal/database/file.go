package database

import "strings"

// SQLiteFile returns the path and the mode ("", "ro" or "rw") that an address names; ok is false if it names no file, as
// PostgreSQL's and sqlite::memory: do.
func SQLiteFile(address string) (path, mode string, ok bool) {
	rest, ok := strings.CutPrefix(address, "sqlite:")
	path, query, _ := strings.Cut(rest, "?")
	return path, strings.TrimPrefix(query, "mode="), ok && path != memory
}

// memory is the path of a database that is no file.
const memory = ":memory:"
