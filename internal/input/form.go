// Package input reads the arguments of mutations, and says why one cannot be accepted.
package input

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/email"
	"forge/internal/ids"
	"forge/internal/password"
	"forge/internal/username"
)

// Form reads the arguments of a mutation into the form in which they are stored. It keeps the first
// error that it finds.
type Form struct {
	Path string // of the input object: "input", "input.5"
	err  *apperr.Error
}

// at returns the path of an argument.
func (f *Form) at(name string) string { return f.Path + "." + name }

// Err returns the first error, or nil.
func (f *Form) Err() error {
	if f.err == nil {
		return nil
	}
	return f.err
}

// Fault returns the first error, or nil, as what it is.
func (f *Form) Fault() *apperr.Error { return f.err }

// Refuse reports an error about an argument. The message starts with the name of the argument.
func (f *Form) Refuse(name, format string, args ...any) {
	if f.err == nil {
		f.err = apperr.BadInput(f.at(name), name+" "+format, args...)
	}
}

// Value returns the value of an argument that may be left out, but must not be null. ok is false if
// there is none.
func Value[T any](f *Form, name string, argument graphql.Omittable[*T]) (value T, ok bool) {
	v, ok := argument.ValueOK()
	if !ok {
		return value, false
	}
	if v == nil {
		f.Refuse(name, "cannot be null; leave it out to keep it as it is")
		return value, false
	}
	return *v, true
}

// SetOrClear calls set with the value of an argument, or clear if it is null.
func SetOrClear[T any](value *T, set func(T), clear func()) {
	if value == nil {
		clear()
	} else {
		set(*value)
	}
}

// Text returns a text without the blanks around it. It must have 1 to most characters.
func (f *Form) Text(name, s string, most int) string {
	s = f.plain(name, s, most)
	if s == "" {
		f.Refuse(name, "must not be blank")
	}
	return s
}

// Optional is like Text, but null and blanks stand for no text.
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

// characters refuses texts that are not UTF-8, or have characters that a line does not have.
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
	if strings.Contains(enforced, "@") { // whoever signs in with an @ means an email
		f.Refuse(name, "may not have an @ in it: an email belongs in the field for it")
	}
	return f.Text(name, enforced, most)
}

// Email returns a mail address, and the key by which it is unique, or nil for none. The address
// must have at most that many characters.
func (f *Form) Email(name string, s *string, most int) (address, key *string) {
	address = f.Optional(name, s, most)
	if address == nil {
		return nil, nil
	}
	if f.err != nil {
		return nil, nil
	}
	parsed, err := email.Parse(*address)
	if err != nil {
		f.Refuse(name, "%s", err)
	}
	// A character may become two or three without regard to case; the key's column takes twice as
	// many.
	k := email.Key(parsed)
	if utf8.RuneCountInString(parsed) > most || utf8.RuneCountInString(k) > 2*most {
		f.Refuse(name, "is too long; at most %d characters are allowed", most)
	}
	return &parsed, &k
}

// Password returns a password as it is, with blanks around it, or nil for none.
func (f *Form) Password(name string, s *string) *string {
	if s == nil {
		return nil
	}
	f.characters(name, *s)
	if n := utf8.RuneCountInString(*s); n < password.Least || n > password.Most {
		f.Refuse(name, "must have %d to %d characters; this one has %d", password.Least, password.Most, n)
		return s // to normalize a megabyte takes a second
	}
	if password.Common(*s) {
		f.Refuse(name, "is one of the commonest passwords, which are guessed first; choose another")
	}
	return s
}

// AtLeast returns n. It must not be less than least.
func (f *Form) AtLeast(name string, n, least int32) int32 {
	if n < least {
		f.Refuse(name, "is %d; it must be from %d to %d", n, least, math.MaxInt32)
	}
	return n
}

// ID returns id. It must be that of an entity with the prefix.
func (f *Form) ID(name string, id ids.ID, prefix string) ids.ID {
	if err := WantPrefix(f.at(name), id, prefix); err != nil && f.err == nil {
		f.err = err
	}
	return id
}

// WantPrefix returns an error if the ID in the argument at a path is one of another kind of entity.
func WantPrefix(path string, id ids.ID, prefix string) *apperr.Error {
	if id.Prefix == prefix {
		return nil
	}
	return apperr.BadInput(path, "%s is an ID of another kind; one that begins with %s_ is wanted here", id, prefix)
}
