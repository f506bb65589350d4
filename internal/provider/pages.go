package provider

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// pages are the pages that browsers may be sent to when they come back from a provider.
type pages struct {
	web   []*url.URL
	exact []string // addresses of apps
	local bool     // and all pages of this machine
}

// newPages returns the pages that a list allows. An entry is one of:
//
//   - an origin, such as https://app.example.com, for all of its pages;
//   - an address with a path, for this path; if the path ends with /, for all below it;
//   - an address of an app's own scheme, such as com.example.app:/signed-in, for it alone.
//
// The error says which entry is none of these.
func newPages(list []string) (p pages, err error) {
	for _, entry := range list {
		u, err := url.Parse(entry)
		switch {
		case err != nil || !plain(entry):
			return p, fmt.Errorf("%q in returnTo is not an address", entry)
		case u.Scheme == "https" || u.Scheme == "http":
			if _, err := webURL(entry); err != nil {
				return p, fmt.Errorf("%q in returnTo %w", entry, err)
			}
			p.web = append(p.web, u)
		case u.Scheme == "" || slices.Contains(dangerous, u.Scheme):
			return p, fmt.Errorf("%q in returnTo is neither a page of the web nor an address of an app", entry)
		default:
			p.exact = append(p.exact, entry)
		}
	}
	return p, nil
}

// dangerous are schemes that browsers treat in a special way.
var dangerous = []string{"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "ws", "wss"}

// allow reports whether a browser may be sent to an address. It refuses all that browsers could
// read in another way than package url does.
func (p pages) allow(address string) bool {
	if !plain(address) || len(address) > maxReturnTo {
		return false
	}
	if slices.Contains(p.exact, address) {
		return true
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" || !strings.HasPrefix(address, u.Scheme+"://"+u.Host) || !clean(u.Path) {
		return false
	}
	if p.local && (u.Scheme == "http" || u.Scheme == "https") && isLoopback(u.Hostname()) {
		return true
	}
	return slices.ContainsFunc(p.web, func(entry *url.URL) bool { return covers(entry, u) })
}

// covers reports whether an entry of the list allows the address of a page.
func covers(entry, u *url.URL) bool {
	if u.Scheme != entry.Scheme || u.Host != entry.Host {
		return false
	}
	return entry.Path == "" || u.Path == entry.Path || strings.HasSuffix(entry.Path, "/") && strings.HasPrefix(u.Path, entry.Path)
}

// maxReturnTo is the length of the longest address that a browser is sent to.
const maxReturnTo = 2000

// plain reports whether an address has only characters of ASCII that can be seen, no fragment, and
// no backslash, which browsers take for a slash.
func plain(address string) bool {
	for _, c := range []byte(address) {
		if c <= ' ' || c > '~' || c == '\\' || c == '#' {
			return false
		}
	}
	return address != ""
}

// clean reports whether a path goes nowhere but down.
func clean(p string) bool {
	return p == "" || strings.TrimSuffix(p, "/") == strings.TrimSuffix(path.Clean(p), "/")
}
