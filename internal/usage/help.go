package usage

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// HelpWidth is how many columns help takes at most, where no word alone is longer.
const HelpWidth = 100

// Help returns a writer that breaks long lines of cli's help, which it writes to out. What an option means begins on a line of
// its own; of other lines what follows a gap stays below itself.
func Help(out io.Writer) io.Writer { return &help{out: out} }

type help struct {
	out  io.Writer
	part []byte // of a line that has no end yet
}

// Write writes the lines that p completes.
func (h *help) Write(p []byte) (int, error) {
	h.part = append(h.part, p...)
	for {
		line, rest, ended := bytes.Cut(h.part, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		if _, err := io.WriteString(h.out, broken(string(line))); err != nil {
			return 0, err
		}
		h.part = rest
	}
}

const optionIndent = 8

// broken returns a line in as many as it takes.
func broken(line string) string {
	text := strings.TrimLeft(line, " ")
	start := len(line) - len(text)
	head, rest, gap := strings.Cut(text, "  ")
	body := strings.TrimLeft(rest, " ")
	switch {
	case gap && strings.HasPrefix(text, "-"):
		return line[:start] + head + "\n" + filled(strings.Repeat(" ", optionIndent), optionIndent, body)
	case utf8.RuneCountInString(line) <= HelpWidth:
		return line + "\n"
	case gap:
		at := len(line) - len(body)
		return filled(line[:at], at, body)
	default:
		return filled(line[:start], start, text)
	}
}

// filled writes words behind first, in lines of HelpWidth that begin with so many blanks.
func filled(first string, indent int, words string) string {
	var b strings.Builder
	line := first
	empty := true // but for the blanks
	for word := range strings.FieldsSeq(words) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > HelpWidth {
			b.WriteString(line + "\n")
			line, empty = strings.Repeat(" ", indent), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return b.String() + line + "\n"
}
