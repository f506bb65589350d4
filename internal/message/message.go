// Package message holds the sentences that people read in errors, and their translations.
//
// The key of a message in a catalogue is its English text, in which %s and the like stand for what
// differs from one time to the next.
package message

import "fmt"

// Text is a message in English that can be translated.
type Text struct {
	// Format is the key of the message. The verbs of package fmt in it stand for Args.
	Format string
	// Args are the arguments. One that is a Text, or an error whose message is a key, is translated
	// with the message.
	Args []any
}

// New returns a message. Without arguments, format is the message as it is.
func New(format string, args ...any) Text { return Text{format, args} }

// String returns the message in English.
func (t Text) String() string { return t.In(nil) }

// Error returns the message in English, so that a Text can be an error.
func (t Text) Error() string { return t.In(nil) }

// In returns the message in a language. It is in English if l is nil, or has no such message.
func (t Text) In(l *Language) string {
	format := l.form(t.Format)
	if len(t.Args) == 0 {
		return format
	}
	args := make([]any, len(t.Args))
	for i, arg := range t.Args {
		switch arg := arg.(type) {
		case Text:
			args[i] = arg.In(l)
		case interface{ Text() Text }:
			args[i] = arg.Text().In(l)
		case error:
			args[i] = l.form(arg.Error())
		default:
			args[i] = arg
		}
	}
	return fmt.Sprintf(format, args...)
}
