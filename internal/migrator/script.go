package migrator

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
)

// A Script is a parsed migration file. goose runs the file, but does not say which statements it
// found and on which lines. So Forge parses the file as well, by the same rules.
type Script struct {
	Checksum string // the checksum of the whole file; it is stored with the version
	Outside  bool   // the file is marked NO TRANSACTION, so it runs outside of one
	Baseline bool   // the file is marked as a baseline; see adopted
	Up, Down []Statement
}

// A Statement is one statement of a script, with its position in the file.
type Statement struct {
	Text         string
	Line, Column int // both from 1
}

// section returns the statements of the down section if down is true, and of the up section
// otherwise.
func (s Script) section(down bool) []Statement {
	if down {
		return s.Down
	}
	return s.Up
}

// ReadScript reads and parses the file of a version.
func ReadScript(files fs.FS, v Version) (Script, error) {
	text, err := fs.ReadFile(files, v.File())
	if err != nil {
		return Script{}, err
	}
	s, err := ParseScript(string(text))
	if err != nil {
		return Script{}, fmt.Errorf("migrate: %s, %w", v.File(), err)
	}
	s.Checksum = checksum(text)
	s.Baseline = strings.HasPrefix(string(text), BaselineMark)
	return s, nil
}

// checksum returns the SHA-256 of a file in hexadecimal.
func checksum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// ParseScript parses the text of a migration file. A statement ends at the end of a line with a
// semicolon. Between the marks StatementBegin and StatementEnd, it ends at the second mark. An
// error names the line.
func ParseScript(text string) (Script, error) {
	var s Script
	var section *[]Statement // the section that the line belongs to
	var open *Statement      // the statement that the line continues, or nil
	block := false           // whether the line is between StatementBegin and StatementEnd
	end := func() {
		if open != nil {
			open.Text = strings.TrimSpace(open.Text)
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
				section = &s.Up
			case "DOWN":
				section = &s.Down
			case "STATEMENTBEGIN":
				block = true
			case "STATEMENTEND":
				block = false
				end()
			case "NO TRANSACTION":
				s.Outside = true
			default:
				return Script{}, fmt.Errorf("line %d: the mark %q is not allowed; allowed: "+
					"Up, Down, StatementBegin, StatementEnd, NO TRANSACTION", number, trimmed)
			}
			if open != nil {
				return Script{}, fmt.Errorf("line %d: the statement that begins here has no end: "+
					"a semicolon at the end of a line, or the mark StatementEnd", open.Line)
			}
			continue
		}
		switch {
		case open != nil:
		case trimmed == "" || strings.HasPrefix(trimmed, "--"):
			continue // an empty line or a comment between statements
		case section == nil:
			return Script{}, fmt.Errorf("line %d: this stands before the mark \"-- +goose Up\"", number)
		default:
			indent := len(line) - len(strings.TrimLeft(line, " \t"))
			open = &Statement{Line: number, Column: indent + 1}
		}
		open.Text += line + "\n"
		if !block && endsStatement(line) {
			end()
		}
	}
	switch {
	case open != nil || block:
		return Script{}, fmt.Errorf("line %d: the last statement has no end: "+
			"a semicolon at the end of a line, or the mark StatementEnd", number)
	case section == nil:
		return Script{}, fmt.Errorf("line 1: the mark \"-- +goose Up\" is missing")
	}
	return s, nil
}

// mark returns the word of a goose mark, in upper case: "UP" for the line "-- +goose Up". ok is
// false if the line is not a mark.
func mark(line string) (word string, ok bool) {
	before, after, found := strings.Cut(line, "+goose")
	if !found || strings.TrimSpace(before) != "--" {
		return "", false
	}
	return strings.ToUpper(strings.TrimSpace(after)), true
}

// endsStatement reports whether a line ends with a semicolon, not counting a comment.
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
