package usage

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v3"
)

// The help of a command names the command that lists the settings, and does not list them. The
// library has its templates in variables.
func init() {
	for _, template := range []*string{&cli.CommandHelpTemplate, &cli.SubcommandHelpTemplate} {
		*template = strings.Replace(*template, `{{template "visiblePersistentFlagTemplate" .}}`, settingsListed, 1)
	}
}

// WithSettings returns the template of help that also lists all settings.
func WithSettings() string {
	return strings.Replace(cli.CommandHelpTemplate, settingsListed, `{{template "visiblePersistentFlagTemplate" .}}`, 1)
}

// settingsListed stands in help in the place of the settings.
const settingsListed = "\n   {{.Root.Name}} settings lists them."

// HelpWidth is the largest width of a line of help, in columns. Only a line with a single long word
// may be wider.
const HelpWidth = 100

// Help returns a writer that breaks the long lines of the cli library's help and writes them to
// out. The description of an option begins on a new line. In other lines, text after a gap stays in
// its column.
func Help(out io.Writer) io.Writer { return &help{out: out} }

type help struct {
	out  io.Writer
	part []byte // the last line as far as it has been written
}

// Write writes all lines that are complete.
func (h *help) Write(p []byte) (int, error) {
	h.part = append(h.part, p...)
	for {
		line, rest, ended := bytes.Cut(h.part, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		if _, err := io.WriteString(h.out, wrapped(string(line))); err != nil {
			return 0, err
		}
		h.part = rest
	}
}

const optionIndent = 8

// wrapped breaks a line of help into lines that are not too long.
func wrapped(line string) string {
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

// filled returns first followed by words, broken into lines of at most HelpWidth columns. indent is
// the number of spaces before all lines except the first.
func filled(first string, indent int, words string) string {
	var b strings.Builder
	line := first
	empty := true // whether the line has no word yet
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
