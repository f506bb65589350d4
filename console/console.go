// Package console serves a page on which people look at rows and change them. It knows no entity:
// everything comes from the schema of the API. README.md says how dist/ is built.
package console

import (
	"embed"
	"net/http"
	"strings"

	"forge/internal/webpage"
)

//go:embed all:dist
var dist embed.FS

// Path is where the page is. All that it loads, apart from the API, is below it.
const Path = "/console"

// policy lets the page load files only from this server, and send requests only to it. Nothing may
// stand inline. Pictures may also come from a file that the person has chosen.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Config is what the page learns about its server. Everybody who opens the page can read it.
type Config struct {
	SignIn   bool              `json:"signIn"`   // whether it is necessary to sign in
	Cookie   bool              `json:"cookie"`   // whether a session outlives a reload, in a cookie
	Accounts []webpage.Account `json:"accounts"` // demo users that the page offers to sign in with
	Passkeys bool              `json:"passkeys"` // whether people can sign in with passkeys
	Codes    bool              `json:"codes"`    // whether people can have a code sent by mail to sign in with
	// Storage is the origin of another server that files are on, such as https://s3.example.com, or
	// several with blanks between them. If it is empty, files are on this server.
	Storage string `json:"-"`
}

// policy returns the policy of the page. Files may also be loaded from their storage, and be sent
// to it.
func (c Config) policy() string {
	if c.Storage == "" {
		return policy
	}
	return strings.NewReplacer("connect-src 'self'", "connect-src 'self' "+c.Storage, "img-src 'self'", "img-src 'self' "+c.Storage).Replace(policy)
}

// Handler returns the handler of the console. It serves the page at /console, its assets below
// /console/assets/, its configuration at /console/config.json, and the licences of everything in it
// at /console/licenses.md. It answers as webpage.Page does.
func Handler(cfg Config) http.Handler {
	files := webpage.MustRead(dist, Path+"/")
	files[Path] = files[Path+"/"]
	// Caches must not keep the configuration, because another server with other users may run at
	// this address later.
	files[Path+"/config.json"] = webpage.MustJSON(cfg, "no-store")
	return webpage.Page{Files: files, Policy: cfg.policy()}
}
