// Package site makes a web site of the pages in docs/ and of the schema of an application. The
// site needs nothing from other servers, and works below any path.
package site

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Options says what a site is made of.
type Options struct {
	// Pages are Markdown files, and the pictures that they show. README.md is the first page. Its
	// headings of the second level, and the links below them, are the navigation.
	Pages fs.FS
	SDL   string // the schema that the reference of the API is made of
	Links []Link // what the head of each page links to, beside the site
}

// Link is a link with its text. Its address is relative to the first page of the site.
type Link struct{ Text, Address string }

// Site is a web site: its files by their paths, such as adr/index.html.
type Site struct {
	files map[string][]byte
	book  *book
	links []Link
}

//go:embed assets
var assets embed.FS

//go:embed page.html
var layout string

var pageTemplate = template.Must(template.New("page").Parse(layout))

// pictures are the endings of the files that pages show.
var pictures = []string{".png", ".svg"}

// New makes a site. It returns an error if a page cannot be read, if there is no README.md, or if
// the schema is not valid.
func New(o Options) (*Site, error) {
	s := &Site{files: map[string][]byte{}}
	texts, err := s.read(o.Pages)
	if err != nil {
		return nil, err
	}
	if err := addAPI(texts, o.SDL); err != nil {
		return nil, err
	}
	addIndexes(texts)
	b := newBook(texts, s.files)
	s.book, s.links = b, o.Links
	for _, p := range b.pages {
		if s.files[p.address()], err = b.html(p, o.Links); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	s.files["search.json"] = b.index()
	return s, nil
}

// read returns the texts of the pages by their names. It adds the pictures and the files of every
// site to s.
func (s *Site) read(pages fs.FS) (texts map[string]string, err error) {
	texts = map[string]string{}
	err = fs.WalkDir(pages, ".", func(name string, d fs.DirEntry, err error) error {
		isPage, isPicture := path.Ext(name) == ".md", slices.Contains(pictures, path.Ext(name))
		if err != nil || d.IsDir() || !isPage && !isPicture {
			return err
		}
		content, err := fs.ReadFile(pages, name)
		if isPage {
			texts[name] = string(content)
		} else {
			s.files[name] = content
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if texts[readme] == "" {
		return nil, fmt.Errorf("%s: %w", readme, fs.ErrNotExist)
	}
	return texts, fs.WalkDir(assets, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		s.files[name], err = assets.ReadFile(name)
		return err
	})
}

// addIndexes adds a page for each folder that has pages and no README.md: a list of its pages.
func addIndexes(texts map[string]string) {
	lists := map[string][]string{}
	for name, text := range texts {
		if dir := path.Dir(name); texts[path.Join(dir, readme)] == "" {
			lists[dir] = append(lists[dir], fmt.Sprintf("- [%s](%s)", titleOf(text), path.Base(name)))
		}
	}
	for dir, list := range lists {
		slices.SortFunc(list, func(a, b string) int {
			return strings.Compare(a[strings.LastIndex(a, "("):], b[strings.LastIndex(b, "("):])
		})
		title := strings.ToUpper(dir[:1]) + dir[1:]
		if dir == "adr" {
			title = "Decisions"
		}
		texts[path.Join(dir, readme)] = "# " + title + "\n\n" + strings.Join(list, "\n") + "\n"
	}
}

// titleOf returns the heading of the first level of a page.
func titleOf(text string) string {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			return strings.TrimSpace(title)
		}
	}
	return ""
}

// html returns a page as HTML.
func (b *book) html(p *page, links []Link) ([]byte, error) {
	var body bytes.Buffer
	if err := b.markdown.Renderer().Render(&body, p.source, p.tree); err != nil {
		return nil, err
	}
	previous, next := b.neighbours(p)
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, map[string]any{
		"Site": b.byName[readme].title, "Title": p.title, "Root": p.root(), "Links": links,
		"Sections": b.navigation, "Current": p.address(), "Previous": previous, "Next": next,
		"Outline": p.outline(), "Body": template.HTML(focusable(body.String())), "Source": p.from(),
	})
	return out.Bytes(), err
}

// focusable lets people scroll with the keyboard what may be wider than a page.
func focusable(body string) string {
	return strings.NewReplacer("<table>", `<div class="wide" tabindex="0"><table>`, "</table>", "</table></div>").Replace(body)
}

// Write writes all files of the site below a folder. It makes the folder if there is none.
func (s *Site) Write(dir string) error {
	for name, content := range s.files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
