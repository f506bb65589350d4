package site

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// readme is the first page of a folder.
const readme = "README.md"

// book is all pages of a site.
type book struct {
	pages      []*page // by their names
	byName     map[string]*page
	files      map[string][]byte // other files, such as pictures
	navigation []section
	markdown   goldmark.Markdown
	outside    map[string]string // links out of the site: a page that has it, by the path from docs/
}

// page is a page that is parsed.
type page struct {
	name   string // the file, such as adr/0001-read-engine.md
	title  string
	source []byte
	tree   ast.Node
}

// section is a part of the navigation.
type section struct {
	Title   string
	Entries []entry
}

// entry is a page in the navigation. Its address is relative to the first page.
type entry struct{ Text, Address string }

// table aligns the cells of tables by attributes, because the policy of the site allows no styles
// in a page.
var table = extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))

// newBook parses pages, and resolves the links between them. files are what the site has beside
// pages.
func newBook(texts map[string]string, files map[string][]byte) *book {
	b := &book{byName: map[string]*page{}, files: files, outside: map[string]string{}}
	b.markdown = goldmark.New(
		goldmark.WithExtensions(table, extension.Strikethrough),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(codeRenderer{}, 100), util.Prioritized(linkRenderer{}, 100))))
	for name, source := range texts {
		p := &page{name: name, title: titleOf(source), source: []byte(source)}
		p.tree = b.markdown.Parser().Parse(text.NewReader(p.source), parser.WithContext(parser.NewContext(parser.WithIDs(&anchors{}))))
		b.pages, b.byName[name] = append(b.pages, p), p
	}
	slices.SortFunc(b.pages, func(a, b *page) int { return strings.Compare(a.name, b.name) })
	for _, p := range b.pages {
		b.resolve(p)
	}
	b.navigate()
	return b
}

// address returns where a page is, from the first page of the site.
func (p *page) address() string {
	if dir, base := path.Split(p.name); base == readme {
		return dir + "index.html"
	}
	return strings.TrimSuffix(p.name, ".md") + ".html"
}

// root returns the way from a page to the folder of the first page: "", "../" and so on.
func (p *page) root() string { return strings.Repeat("../", strings.Count(p.name, "/")) }

// from says what a page is made of.
func (p *page) from() string {
	if strings.HasPrefix(p.name, apiFolder) {
		return "schema.graphqls"
	}
	return "docs/" + p.name
}

// resolve rewrites the links of a page. A link to what is not in the site loses its destination.
func (b *book) resolve(p *page) {
	_ = ast.Walk(p.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Link:
			if entering {
				n.Destination = []byte(b.target(p, string(n.Destination)))
			}
		case *ast.Image:
			if entering {
				n.Destination = []byte(b.target(p, string(n.Destination)))
			}
		}
		return ast.WalkContinue, nil
	})
}

// target returns the address of a link, relative to the page that it is on. It returns "" if the
// link leads out of the site, into the source tree.
func (b *book) target(p *page, link string) string {
	for _, kept := range []string{"https://", "http://", "mailto:", "#"} {
		if strings.HasPrefix(link, kept) {
			return link
		}
	}
	file, anchor, found := strings.Cut(link, "#")
	if found {
		anchor = "#" + anchor
	}
	name := path.Join(path.Dir(p.name), file)
	if name == "../schema.graphqls" {
		name = apiFolder + readme
	}
	if b.byName[name] == nil && b.byName[path.Join(name, readme)] != nil {
		name = path.Join(name, readme)
	}
	if to := b.byName[name]; to != nil {
		return p.root() + to.address() + anchor
	}
	if b.files[name] != nil {
		return p.root() + name
	}
	b.outside[name] = p.name
	return ""
}

// navigate makes the navigation from the first page.
func (b *book) navigate() {
	first := b.byName[readme]
	_ = ast.Walk(first.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 2 {
				b.navigation = append(b.navigation, section{Title: plain(n, first.source)})
			}
		case *ast.Link:
			address := string(n.Destination)
			if last := len(b.navigation) - 1; last >= 0 && address != "" && !strings.ContainsAny(address, "#:") {
				b.navigation[last].Entries = append(b.navigation[last].Entries, entry{plain(n, first.source), address})
			}
		}
		return ast.WalkContinue, nil
	})
}

// neighbours returns the pages before and after a page in the navigation. They are nil where there
// is none.
func (b *book) neighbours(p *page) (previous, next *entry) {
	var all []entry
	for _, s := range b.navigation {
		all = append(all, s.Entries...)
	}
	i := slices.IndexFunc(all, func(e entry) bool { return e.Address == p.address() })
	if i > 0 {
		previous = &all[i-1]
	}
	if i >= 0 && i+1 < len(all) {
		next = &all[i+1]
	}
	return previous, next
}

// headingLink is a heading in the outline of a page.
type headingLink struct {
	Text, Anchor string
	Level        int
}

// outline returns the headings of the second and third level. It returns nil if there is only one.
func (p *page) outline() (all []headingLink) {
	for n := p.tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && (h.Level == 2 || h.Level == 3) {
			all = append(all, headingLink{plain(h, p.source), anchorOf(h), h.Level})
		}
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

func anchorOf(h *ast.Heading) string {
	if id, ok := h.AttributeString("id"); ok {
		return string(id.([]byte))
	}
	return ""
}

// plain returns the text in a node, without its form.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(source))
				if n.SoftLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			if entering {
				b.Write(n.Lines().Value(source))
			}
		default:
			if n.Type() == ast.TypeBlock && !entering {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// anchors makes the anchors of headings, as forges of code do: letters and digits in lower case,
// and hyphens for blanks.
type anchors struct{ seen map[string]int }

// Generate returns the anchor of a heading, which is the only one of that name on its page.
func (a *anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		default:
			return -1
		}
	}, strings.TrimSpace(string(value)))
	if a.seen == nil {
		a.seen = map[string]int{}
	}
	n := a.seen[id]
	a.seen[id]++
	if n > 0 {
		return []byte(id + "-" + string(rune('0'+n%10)))
	}
	return []byte(id)
}

// Put notes an anchor that a page gives by itself.
func (a *anchors) Put([]byte) {}
