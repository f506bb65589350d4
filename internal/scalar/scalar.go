// Package scalar holds the scalars of the API beside GraphQL's own: how a value is read from an
// argument, and how it is written into an answer. Both gqlgen, for the inputs of mutations, and the
// read engine, for conditions, read arguments with these functions. So both accept the same values,
// and refuse others with the same message.
//
// A function Unmarshal returns the value of an argument, or an error that says what is allowed. It
// bounds the value before any work is done with it. A function Marshal returns what gqlgen writes.
// A function Append appends the same JSON.
package scalar

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/message"
)

// InvalidError says why a value is none of a scalar's.
type InvalidError struct{ text message.Text }

// Error returns the message for the client.
func (e *InvalidError) Error() string { return e.text.String() }

// Text returns the message in a form that can be translated.
func (e *InvalidError) Text() message.Text { return e.text }

func invalid(format string, args ...any) error { return &InvalidError{message.New(format, args...)} }

// quoted returns a value as a message shows it, cut if it is long.
func quoted(value any) string {
	const most = 40
	text := fmt.Sprint(value)
	if len(text) > most {
		cut := most
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// written returns a marshaler that writes finished JSON.
func written(json []byte) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(json) })
}

const hexDigits = "0123456789abcdef"

// AppendText appends a text as a JSON string. It escapes only the characters that RFC 8259
// requires, and leaves other UTF-8 as it is.
func AppendText[T string | []byte](b []byte, text T) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	return append(append(b, text[start:]...), '"')
}
