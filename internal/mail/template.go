package mail

import (
	"bytes"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"golang.org/x/text/language"
)

// Values are what a template can show.
type Values struct {
	Link  string        // where to go on; "" if the mail has no link
	Code  string        // a code to type; "" if the mail has none
	Email string        // the address that the mail is about; "" if it is about none
	What  string        // what was changed, in a mail that tells of a change
	Life  time.Duration // how long the link or the code is good
}

// Minutes returns Life in minutes.
func (v Values) Minutes() int { return int(v.Life / time.Minute) }

// Hours returns Life in hours.
func (v Values) Hours() int { return int(v.Life / time.Hour) }

// Templates are the texts of mails, in one or more languages.
//
// LANGUAGE/NAME.txt has the subject in its first line, after "Subject: ", then an empty line, and
// the plain text. LANGUAGE/NAME.html has what layout.html calls "body".
type Templates struct {
	languages []language.Tag
	matcher   language.Matcher
	plain     map[string]*texttemplate.Template // by LANGUAGE/NAME
	html      map[string]*htmltemplate.Template
}

// fallback is the language that all templates have to be there in.
const fallback = "en"

// NewTemplates reads templates. A file that own has counts instead of the one in files; own may be
// nil. It returns an error if one of the names is not there in English, or if a template cannot be
// used.
func NewTemplates(files, own fs.FS, names ...string) (*Templates, error) {
	t := &Templates{plain: map[string]*texttemplate.Template{}, html: map[string]*htmltemplate.Template{}}
	all := overlay{own, files}
	languages := []string{fallback}
	for _, layer := range all {
		if layer == nil {
			continue
		}
		entries, err := fs.ReadDir(layer, ".")
		if err != nil {
			return nil, fmt.Errorf("read the templates of mails: %w", err)
		}
		for _, e := range entries {
			if _, err := language.Parse(e.Name()); e.IsDir() && err == nil && !slices.Contains(languages, e.Name()) {
				languages = append(languages, e.Name())
			}
		}
	}
	for _, name := range languages {
		t.languages = append(t.languages, language.Make(name))
		if err := t.read(all, name, names); err != nil {
			return nil, err
		}
	}
	t.matcher = language.NewMatcher(t.languages)
	return t, nil
}

// read reads the templates of a language, and tries each.
func (t *Templates) read(all overlay, lang string, names []string) error {
	for _, name := range names {
		key := path.Join(lang, name)
		plain, err := all.read(key + ".txt")
		if errors.Is(err, fs.ErrNotExist) && lang != fallback {
			continue // it is shown in English
		}
		html, err2 := all.read(key + ".html")
		layout, err3 := all.read("layout.html")
		if err := errors.Join(err, err2, err3); err != nil {
			return fmt.Errorf("read the template %s of mails: %w", key, err)
		}
		if t.plain[key], err = texttemplate.New(key).Option("missingkey=error").Parse(plain); err != nil {
			return fmt.Errorf("read a template of mails: %w", err)
		}
		if t.html[key], err = htmltemplate.New("layout").Parse(layout); err == nil {
			_, err = t.html[key].New("body").Parse(html)
		}
		if err == nil {
			_, err = t.Render(name, lang, Values{Link: "https://app.example/#token", Code: "123456", Email: "ada@example.com", What: "password", Life: time.Hour})
		}
		if err != nil {
			return fmt.Errorf("try the template %s of mails: %w", key, err)
		}
	}
	return nil
}

// Language returns the language of the templates that somebody with the header Accept-Language
// likes best.
func (t *Templates) Language(header string) string {
	if len(header) > 1000 {
		header = ""
	}
	_, i := language.MatchStrings(t.matcher, header)
	return t.languages[i].String()
}

// Render returns the mail that a template makes in a language, without its addresses.
func (t *Templates) Render(name, lang string, v Values) (*Message, error) {
	key := path.Join(lang, name)
	if t.plain[key] == nil {
		key = path.Join(fallback, name)
	}
	if t.plain[key] == nil {
		return nil, Rejected{fmt.Errorf("there is no template %s of mails", name)}
	}
	var plain, html bytes.Buffer
	if err := errors.Join(t.plain[key].Execute(&plain, v), t.html[key].Execute(&html, v)); err != nil {
		return nil, Rejected{fmt.Errorf("use a template of mails: %w", err)}
	}
	subject, text, ok := strings.Cut(plain.String(), "\n")
	subject, found := strings.CutPrefix(subject, "Subject: ")
	if !ok || !found || strings.TrimSpace(subject) == "" {
		return nil, Rejected{fmt.Errorf("the template %s.txt of mails does not begin with a line like Subject: Hello", key)}
	}
	return &Message{Subject: strings.TrimSpace(subject), Text: strings.TrimLeft(text, "\r\n"), HTML: html.String()}, nil
}

// overlay has files of several places. The first that has a file counts.
type overlay []fs.FS

func (o overlay) read(name string) (string, error) {
	for _, layer := range o {
		if layer == nil {
			continue
		}
		text, err := fs.ReadFile(layer, name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(text), err
		}
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}
