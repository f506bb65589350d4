package migrate

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
)

// A script is a migration file, taken apart by the rules of goose: it runs the
// file and tells nobody which statements it saw, or on which lines.
type script struct {
	checksum string // of the whole file, as stored with the version
	outside  bool   // marked NO TRANSACTION
	up, down []statement
}

// A statement of a script, and where in the file it begins.
type statement struct {
	text         string
	line, column int // both from 1
}

func (s script) section(down bool) []statement {
	if down {
		return s.down
	}
	return s.up
}

// scriptOf reads the file of a version.
func scriptOf(files fs.FS, v Version) (script, error) {
	text, err := fs.ReadFile(files, v.file())
	if err != nil {
		return script{}, err
	}
	s, err := parse(string(text))
	if err != nil {
		return script{}, fmt.Errorf("migrate: %s, %w", v.file(), err)
	}
	s.checksum = checksum(text)
	return s, nil
}

func checksum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// parse takes the text of a migration file apart. A statement ends with the
// line that ends with a semicolon, or with the mark StatementEnd.
func parse(text string) (script, error) {
	var s script
	var section *[]statement // that the line belongs to
	var open *statement      // that the line goes on with
	block := false           // between StatementBegin and StatementEnd
	end := func() {
		if open != nil {
			open.text = strings.TrimSpace(open.text)
			*section = append(*section, *open)
		}
		open = nil
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		if word, ok := mark(line); ok {
			switch word {
			case "UP":
				section = &s.up
			case "DOWN":
				section = &s.down
			case "STATEMENTBEGIN":
				block = true
			case "STATEMENTEND":
				block = false
				end()
			case "NO TRANSACTION":
				s.outside = true
			default:
				return script{}, fmt.Errorf("line %d: the mark %q is not allowed; allowed: "+
					"Up, Down, StatementBegin, StatementEnd, NO TRANSACTION", number, trimmed)
			}
			if open != nil {
				return script{}, fmt.Errorf("line %d: the statement that begins here has no end: "+
					"a semicolon at the end of a line, or the mark StatementEnd", open.line)
			}
			continue
		}
		switch {
		case open != nil:
		case trimmed == "" || strings.HasPrefix(trimmed, "--"):
			continue // between statements
		case section == nil:
			return script{}, fmt.Errorf("line %d: this stands before the mark \"-- +goose Up\"", number)
		default:
			indent := len(line) - len(strings.TrimLeft(line, " \t"))
			open = &statement{line: number, column: indent + 1}
		}
		open.text += line + "\n"
		if !block && endsStatement(line) {
			end()
		}
	}
	switch {
	case open != nil || block:
		return script{}, fmt.Errorf("line %d: the last statement has no end: "+
			"a semicolon at the end of a line, or the mark StatementEnd", number)
	case section == nil:
		return script{}, fmt.Errorf("line 1: the mark \"-- +goose Up\" is missing")
	}
	return s, nil
}

// mark returns what a line tells goose, in upper case: "-- +goose Up" is "UP".
func mark(line string) (word string, ok bool) {
	before, after, found := strings.Cut(line, "+goose")
	if !found || strings.TrimSpace(before) != "--" {
		return "", false
	}
	return strings.ToUpper(strings.TrimSpace(after)), true
}

// endsStatement reports whether a line has a semicolon at its end, or before a comment.
func endsStatement(line string) bool {
	last := ""
	for word := range strings.FieldsSeq(line) {
		if strings.HasPrefix(word, "--") {
			break
		}
		last = word
	}
	return strings.HasSuffix(last, ";")
}
