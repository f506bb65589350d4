// Package input checks the arguments of mutations, and returns them in the form in which they are
// stored.
package input

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"forge/internal/apperr"
	"forge/internal/email"
	"forge/internal/ids"
	"forge/internal/password"
	"forge/internal/username"
)

// Form checks the arguments of one input object, and collects the errors: one for each argument.
type Form struct {
	Path   string         // the path of the input object, such as "input" or "input.5"
	Errors *apperr.Errors // where the errors go, if several forms have one list; else nil

	last string // the argument that the last error is about
}

// at returns the path of an argument.
func (f *Form) at(name string) string {
	if f.Path == "" {
		return name
	}
	return f.Path + "." + name
}

// Err returns nil if there is no error, and otherwise all errors as one, as apperr.Errors.Err does.
func (f *Form) Err() error {
	if f.Errors == nil {
		return nil
	}
	return f.Errors.Err()
}

// Add adds an error, unless the last one is about the same argument.
func (f *Form) Add(err *apperr.Error) {
	if f.Errors == nil {
		f.Errors = new(apperr.Errors)
	}
	if err.Field == "" || err.Field != f.last {
		f.Errors.Add(err)
	}
	f.last = err.Field
}

// Refuse adds an error about an argument, unless the last one is about the same. The message begins
// with the name of the argument, for which format has no verb.
func (f *Form) Refuse(name, format string, args ...any) {
	if f.refused(name) {
		return
	}
	if f.Errors != nil && f.Errors.Full() {
		f.Errors.Skip() // without the cost of a message
		f.last = f.at(name)
		return
	}
	shown := name[strings.LastIndexByte(name, '.')+1:]
	f.Add(apperr.BadInput(f.at(name), "%s "+format, append([]any{shown}, args...)...))
}

// refused reports whether the last error is about an argument.
func (f *Form) refused(name string) bool { return f.last != "" && f.last == f.at(name) }

// Text returns a text without the white space around it. The text must then have 1 to most
// characters.
func (f *Form) Text(name, s string, most int) string {
	s = f.plain(name, s, most)
	if s == "" {
		f.Refuse(name, "must not be blank")
	}
	return s
}

// Optional is like Text, but returns nil if the text is null or blank.
func (f *Form) Optional(name string, s *string, most int) *string {
	if s == nil {
		return nil
	}
	if text := f.plain(name, *s, most); text != "" {
		return &text
	}
	return nil
}

func (f *Form) plain(name, s string, most int) string {
	s = strings.TrimSpace(s)
	f.characters(name, s)
	if n := utf8.RuneCountInString(s); n > most {
		f.Refuse(name, "has %d characters; at most %d are allowed", n, most)
	}
	return s
}

// characters refuses a text that is not UTF-8 or has a control character.
func (f *Form) characters(name, s string) {
	switch {
	case !utf8.ValidString(s):
		f.Refuse(name, "is not valid UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		f.Refuse(name, "has a control character, such as a line break; only text is allowed")
	}
}

// Username returns a username in the form in which it is stored. It must have 1 to most characters.
func (f *Form) Username(name, s string, most int) string {
	s = strings.TrimSpace(s)
	f.characters(name, s)
	enforced, err := username.Enforce(s, most)
	if err != nil && s != "" {
		f.Refuse(name, "%s", err)
	}
	if strings.Contains(enforced, "@") { // someone who signs in with an @ means an email
		f.Refuse(name, "may not have an @ in it: an email belongs in the field for it")
	}
	return f.Text(name, enforced, most)
}

// Email returns a mail address, or nil if the argument is null or blank. most is the largest number
// of characters in the address. email.Key of it, by which addresses are unique, has at most twice
// as many.
func (f *Form) Email(name string, s *string, most int) *string {
	address := f.Optional(name, s, most)
	if address == nil || f.refused(name) {
		return nil
	}
	parsed, err := email.Parse(*address)
	if err != nil {
		f.Refuse(name, "%s", err)
	}
	if utf8.RuneCountInString(parsed) > most || utf8.RuneCountInString(email.Key(parsed)) > 2*most {
		f.Refuse(name, "is too long; at most %d characters are allowed", most)
	}
	return &parsed
}

// Password returns a password unchanged, with any white space around it, or nil if the argument is
// null. The password must have an allowed length and must not be a common one.
func (f *Form) Password(name string, s *string) *string {
	if s == nil {
		return nil
	}
	f.characters(name, *s)
	if n := utf8.RuneCountInString(*s); n < password.Least || n > password.Most {
		f.Refuse(name, "must have %d to %d characters; this one has %d", password.Least, password.Most, n)
		return s // longer texts are not looked up: normalizing a megabyte takes a second
	}
	if password.Common(*s) {
		f.Refuse(name, "is one of the commonest passwords, which are guessed first; choose another")
	}
	return s
}

// AtLeast returns n, which must not be less than least.
func (f *Form) AtLeast(name string, n, least int32) int32 {
	if n < least {
		f.Refuse(name, "is %d; it must be from %d to %d", n, least, math.MaxInt32)
	}
	return n
}

// ID returns id, which must be the ID of an entity with the prefix whose keys are UUIDs.
func (f *Form) ID(name string, id ids.ID, prefix string) ids.ID {
	if err := WantPrefix(f.at(name), id, prefix); err != nil {
		f.Add(err)
	}
	return id
}

// WantPrefix returns an error for the argument at path, unless its ID has the prefix of the wanted
// entity, whose keys are UUIDs.
func WantPrefix(path string, id ids.ID, prefix string) *apperr.Error {
	return WantID(path, id, prefix, ids.UUID)
}

// WantID returns an error for the argument at path, unless its ID has the prefix of the wanted
// entity, and a key of the form that the entity has.
func WantID(path string, id ids.ID, prefix string, of ids.Form) *apperr.Error {
	if id.Prefix != prefix {
		return apperr.BadInput(path, "%s is an ID of another kind; one that begins with %s_ is wanted here", id, prefix)
	}
	if _, ok := id.Key(of); !ok {
		return apperr.BadInput(path, "%s", ids.Malformed(id).Wanted(prefix, of))
	}
	return nil
}

// Decimal refuses a number that a column of type numeric(precision, scale) cannot hold as it is.
// PostgreSQL would round it to the scale.
func (f *Form) Decimal(name string, d decimal.Decimal, precision, scale int32) {
	if d.Exponent() < -scale && !d.Equal(d.Truncate(scale)) {
		f.Refuse(name, "has more than %d digits after its point", scale)
	} else if whole := d.Truncate(0); !whole.IsZero() && int32(whole.NumDigits())+whole.Exponent() > precision-scale {
		f.Refuse(name, "has more than %d digits before its point", precision-scale)
	}
}
