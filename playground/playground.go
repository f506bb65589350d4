// Package playground serves GraphiQL with everything that it needs. A browser that opens the page
// sends requests to no other server. README.md says how dist/ is built.
package playground

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"forge/internal/webpage"
)

//go:embed all:dist
var dist embed.FS

// examples are the tabs of a first visit: one for each .graphql file, in the order of their names,
// with the .json file of the same name, if there is one, as its variables.
//
//go:embed examples
var examples embed.FS

// policy lets the page load files only from this server, and send requests only to it. Inline
// styles are allowed, because the editor writes the colours of its theme into the page. Inline
// scripts are not.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Config is what the page learns about its server. Everybody who opens the page can read it.
type Config struct {
	SignIn   bool      `json:"signIn"`   // whether it is possible to sign in
	Accounts []Account `json:"accounts"` // demo users that the page offers to sign in with
	// Build is empty, unless somebody works on the source: then the page asks for it again and
	// again, and reloads when it is another one.
	Build string `json:"build,omitempty"`
	// Explain says that the page may ask for the statements of a query, and for their plans.
	Explain bool   `json:"explain,omitempty"`
	Links   []Link `json:"links,omitempty"` // other pages of the server
}

// Link leads to another page of the server.
type Link struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// Account is a demo user.
type Account = webpage.Account

// Handler returns the handler of the playground. It serves the page at /, its assets below
// /assets/, its configuration at /config.json, its first tabs at /examples.json, and the licences
// of everything in it at /licenses.md. It answers 404 for any other path, and 405 for any method
// except GET and HEAD. Clients that do not accept gzip get the files without compression.
func Handler(cfg Config) http.Handler {
	files := webpage.MustRead(dist, "/")
	// Caches must not keep the configuration, because another server with other users may run at
	// this address later.
	files["/config.json"] = webpage.MustJSON(cfg, "no-store")
	files["/examples.json"] = mustExamples()
	return webpage.Page{Files: files, Policy: policy}
}

// example is a tab of the page.
type example struct {
	Query     string  `json:"query"`
	Variables *string `json:"variables"`
}

// mustExamples returns the tabs of a first visit as a file of the page. It panics if an embedded
// file cannot be read.
func mustExamples() webpage.File {
	all := []example{}
	names, err := fs.Glob(examples, "examples/*.graphql")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		query, err := examples.ReadFile(name)
		if err != nil {
			panic(err)
		}
		e := example{Query: strings.TrimSpace(string(query))}
		if text, err := examples.ReadFile(strings.TrimSuffix(name, "graphql") + "json"); err == nil {
			e.Variables = new(strings.TrimSpace(string(text)))
		}
		all = append(all, e)
	}
	return webpage.MustJSON(all, "no-cache")
}
