package message

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// shipped are the translations of the framework's own messages.
//
//go:embed messages/*.json
var shipped embed.FS

// Language is a language that messages are shown in. A nil Language is English.
type Language struct {
	tag   string
	forms map[string]string
}

// form returns the translation of a key, or the key.
func (l *Language) form(key string) string {
	if l != nil {
		if form, ok := l.forms[key]; ok {
			return form
		}
	}
	return key
}

// Tag returns the tag of the language, such as "de".
func (l *Language) Tag() string {
	if l == nil {
		return language.English.String()
	}
	return l.tag
}

// Catalogue holds the messages in all languages. A nil Catalogue has English alone.
type Catalogue struct {
	languages []*Language
	matcher   language.Matcher
}

// Load returns a catalogue of the framework's translations and of those of an application, which
// are files such as messages/de.json or messages/pt-BR.json in own: JSON objects with the
// translation of each key. A translation of the application comes before one of the framework. own
// may be nil.
//
// Load returns an error if a file cannot be read, is not named after a language, or if a
// translation does not have the same arguments as its key.
func Load(own fs.FS) (*Catalogue, error) {
	c := &Catalogue{}
	forms := map[string]map[string]string{}
	for _, files := range []fs.FS{shipped, own} {
		if files == nil {
			continue
		}
		if err := add(forms, files); err != nil {
			return nil, err
		}
	}
	tags := []language.Tag{language.English} // what the matcher falls back to
	english := language.English.String()
	c.languages = []*Language{{english, forms[english]}}
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		if name != english {
			tags = append(tags, language.Make(name))
			c.languages = append(c.languages, &Language{name, forms[name]})
		}
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// add adds the translations in files, by the tags of their languages.
func add(forms map[string]map[string]string, files fs.FS) error {
	names, err := fs.Glob(files, "messages/*.json")
	if err != nil {
		return fmt.Errorf("look for messages: %w", err)
	}
	for _, name := range names {
		tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
		if err != nil {
			return fmt.Errorf("messages in %s: the file must be named after a language, such as de.json", name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("messages in %s: %w", name, err)
		}
		var found map[string]string
		if err := json.Unmarshal(text, &found); err != nil {
			return fmt.Errorf("messages in %s: %w", name, err)
		}
		for key, form := range found {
			of := verbs(key)
			stray := len(of) > 0 && strings.Contains(verb.ReplaceAllString(form, ""), "%")
			if stray || !slices.Equal(of, verbs(form)) {
				return fmt.Errorf("messages in %s: %q needs the arguments of %q, each once at least; %%[2]s names the second", name, form, key)
			}
		}
		if forms[tag.String()] == nil {
			forms[tag.String()] = map[string]string{}
		}
		maps.Copy(forms[tag.String()], found)
	}
	return nil
}

var verb = regexp.MustCompile(`%(?:%|(?:\[(\d+)\])?([-+# 0]*[\d.]*[a-zA-Z]))`)

// verbs returns the verbs of a format, each with the place of its argument, in the order of these.
func verbs(format string) (list []string) {
	place := 0
	for _, of := range verb.FindAllStringSubmatch(format, -1) {
		if of[2] == "" {
			continue // %%
		}
		place++
		if of[1] != "" {
			place, _ = strconv.Atoi(of[1])
		}
		list = append(list, fmt.Sprintf("%03d%s", place, of[2]))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Header is the request header that names the languages that a client prefers.
const Header = "Accept-Language"

// longest is how many bytes of an Accept-Language header are read. Browsers send less than a
// hundred.
const longest = 256

// Match returns the language that fits an Accept-Language header best. It is English if none fits,
// or if the header is not well formed. Of a long header, only the first languages count.
func (c *Catalogue) Match(accept string) *Language {
	if c == nil {
		return nil
	}
	if len(accept) > longest {
		accept = accept[:max(0, strings.LastIndexByte(accept[:longest], ','))]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return c.languages[0]
	}
	_, place, _ := c.matcher.Match(tags...)
	return c.languages[place]
}
