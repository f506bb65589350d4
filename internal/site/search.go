package site

import (
	"encoding/json"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// passage is what a search finds: the part of a page below a heading.
type passage struct {
	Address string `json:"a"` // with the anchor of the heading
	Title   string `json:"t"` // the title of the page
	Heading string `json:"h"` // "" before the first heading below the title
	Text    string `json:"x"`
}

// index returns all passages of the site as JSON. It is searched in the browser.
func (b *book) index() []byte {
	all := []passage{}
	for _, p := range b.pages {
		all = append(all, p.passages()...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // texts alone can always be written
	}
	return text
}

// passages splits a page at its headings.
func (p *page) passages() (all []passage) {
	now := passage{Address: p.address(), Title: p.title}
	end := func() {
		now.Text = strings.Join(strings.Fields(now.Text), " ")
		if now.Text != "" || now.Heading != "" {
			all = append(all, now)
		}
	}
	for n := p.tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			if h.Level > 1 {
				end()
				now = passage{Address: p.address() + "#" + anchorOf(h), Title: p.title, Heading: plain(h, p.source)}
			}
			continue
		}
		now.Text += plain(n, p.source) + " "
	}
	end()
	return all
}
