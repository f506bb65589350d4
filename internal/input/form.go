package graph

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

// form reads the arguments of a mutation into the shape in which they are stored, and keeps the first fault that it finds.
type form struct {
	path  string // of the input object: "input", "input.5"
	fault *apperr.Error
}

// at returns the path of the argument name.
func (f *form) at(name string) string { return f.path + "." + name }

// refuse finds fault with the argument name; the message goes on after it.
func (f *form) refuse(name, format string, args ...any) {
	if f.fault == nil {
		f.fault = apperr.BadInput(f.at(name), name+" "+format, args...)
	}
}

// given returns the value of an argument that may be left out, but not be null; ok is false if there is none.
func given[T any](f *form, name string, argument graphql.Omittable[*T]) (value T, ok bool) {
	v, ok := argument.ValueOK()
	if !ok {
		return value, false
	}
	if v == nil {
		f.refuse(name, "cannot be null; leave it out to keep it as it is")
		return value, false
	}
	return *v, true
}

// setOrClear hands on an argument's value, or that it has none.
func setOrClear[T any](value *T, set func(T), clear func()) {
	if value == nil {
		clear()
	} else {
		set(*value)
	}
}

// text returns s without the blanks around it, if 1 to most characters are left.
func (f *form) text(name, s string, most int) string {
	s = f.plain(name, s, most)
	if s == "" {
		f.refuse(name, "must not be blank")
	}
	return s
}

// optional is like text, but null and blanks stand for none.
func (f *form) optional(name string, s *string, most int) *string {
	if s == nil {
		return nil
	}
	if text := f.plain(name, *s, most); text != "" {
		return &text
	}
	return nil
}

func (f *form) plain(name, s string, most int) string {
	s = strings.TrimSpace(s)
	f.characters(name, s)
	if n := utf8.RuneCountInString(s); n > most {
		f.refuse(name, "has %d characters; at most %d are allowed", n, most)
	}
	return s
}

// characters refuses what is no text, or has characters that a line of text does not have.
func (f *form) characters(name, s string) {
	switch {
	case !utf8.ValidString(s):
		f.refuse(name, "is not valid UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		f.refuse(name, "has a control character, such as a line break; only text is allowed")
	}
}

// username returns a username in the form in which it is stored.
func (f *form) username(name, s string) string {
	s = strings.TrimSpace(s)
	f.characters(name, s)
	enforced, err := username.Enforce(s)
	if err != nil && s != "" {
		f.refuse(name, "%s", err)
	}
	if strings.Contains(enforced, "@") { // an email counts more than a username when somebody signs in
		f.refuse(name, "may not have an @ in it: an email belongs in the field for it")
	}
	return f.text(name, enforced, username.Most)
}

const (
	emailLength = 254
	// Characters may become two or three without regard to case; the column takes twice as many.
	emailKeyLength = 2 * emailLength
)

// email returns a mail address and the key by which it is unique, or nil for none.
func (f *form) email(name string, s *string) (address, key *string) {
	address = f.optional(name, s, emailLength)
	if address == nil {
		return nil, nil
	}
	if f.fault != nil {
		return nil, nil
	}
	parsed, err := email.Parse(*address)
	if err != nil {
		f.refuse(name, "%s", err)
	}
	k := email.Key(parsed)
	if utf8.RuneCountInString(parsed) > emailLength || utf8.RuneCountInString(k) > emailKeyLength {
		f.refuse(name, "is too long; at most %d characters are allowed", emailLength)
	}
	return &parsed, &k
}

// password returns a password as it is, blanks and all, or nil for none.
func (f *form) password(name string, s *string) *string {
	if s == nil {
		return nil
	}
	f.characters(name, *s)
	if n := utf8.RuneCountInString(*s); n < password.Least || n > password.Most {
		f.refuse(name, "must have %d to %d characters; this one has %d", password.Least, password.Most, n)
		return s // to normalize a megabyte takes a second
	}
	if password.Common(*s) {
		f.refuse(name, "is one of the commonest passwords, which are guessed first; choose another")
	}
	return s
}

// atLeast returns n if it is not below least.
func (f *form) atLeast(name string, n, least int32) int32 {
	if n < least {
		f.refuse(name, "is %d; it must be from %d to %d", n, least, math.MaxInt32)
	}
	return n
}

// key returns id if it belongs to an entity of the given prefix.
func (f *form) key(name string, id ids.ID, prefix string) ids.ID {
	if err := wantPrefix(f.at(name), id, prefix); err != nil && f.fault == nil {
		f.fault = err
	}
	return id
}

// wantPrefix refuses an ID that belongs to another kind of entity than the argument at path is about.
func wantPrefix(path string, id ids.ID, prefix string) *apperr.Error {
	if id.Prefix == prefix {
		return nil
	}
	return apperr.BadInput(path, "%s is an ID of another kind; one that begins with %s_ is wanted here", id, prefix)
}
