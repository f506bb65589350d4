package site

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"path"
	"strings"
)

// deepest is how many folders deep an address may be for a page to be shown there. Each folder
// makes each link of the page longer.
const deepest = 8

// missing returns the page that is shown where there is none, at a depth of folders. near is the
// address of a page that may be meant, or empty. It returns an error if the depth is too large.
func (s *Site) missing(depth int, near string) ([]byte, error) {
	if depth > deepest {
		return nil, errors.New("too deep")
	}
	root := strings.Repeat("../", depth)
	body := "<h1>There is no such page</h1>\n"
	if near != "" {
		body += `<p>Perhaps you want <a href="` + template.HTMLEscapeString(root+near) + `">` + template.HTMLEscapeString(near) + "</a>.</p>\n"
	}
	body += `<p>The search above finds what all pages have. Or begin at the <a href="` + root + `index.html">first page</a>.</p>` + "\n"
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, map[string]any{
		"Site": s.book.byName[readme].title, "Title": "There is no such page", "Root": root, "Links": s.links,
		"Sections": s.book.navigation, "Body": template.HTML(body),
	})
	return out.Bytes(), err
}

// notFound answers 404, with a page.
func (s *Site) notFound(w http.ResponseWriter, method, name string) {
	page, err := s.missing(strings.Count(name, "/"), s.near(name))
	if err != nil {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", contentTypes[".html"])
	w.WriteHeader(http.StatusNotFound)
	if method != http.MethodHead {
		_, _ = w.Write(page) // a write fails if the client is gone
	}
}

// near returns the address of the page whose file, or whose name alone, an address has, such as
// settings.html of settings.md and of x/settings. It returns "" if there is none.
func (s *Site) near(name string) string {
	name = strings.TrimSuffix(name, "/index.html")
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".md"), ".html") + ".html"
	for _, address := range []string{name, path.Base(name)} {
		if s.files[address] != nil {
			return address
		}
	}
	return ""
}
