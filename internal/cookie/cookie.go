// Package cookie keeps the tokens of sessions in cookies, which the scripts of a page cannot read.
package cookie

import (
	"context"
	"net/http"
	"time"

	"forge/internal/apperr"
)

// Options say what is in cookies.
type Options struct {
	Access bool          // whether access tokens are in a cookie, as well as refresh tokens
	Life   time.Duration // how long a refresh token is valid
}

// Cookies says what is in cookies. A nil *Cookies uses none.
type Cookies struct{ options Options }

// New returns Cookies with the given options.
func New(o Options) *Cookies { return &Cookies{o} }

// A Request is a request whose answer may set cookies.
type Request struct {
	Writer http.ResponseWriter
	*http.Request
	// Trusted says that no page of a foreign origin has sent the request. If it is false, no cookie
	// is read, and none is set.
	Trusted bool
	// Plain says that the cookies are not limited to HTTPS, which a server in development on this
	// machine does not have.
	Plain bool
}

// Jar holds the cookies of a request, and sets those of its answer.
type Jar struct {
	of      *Cookies
	request Request
}

// Of returns the cookies of a request.
func (c *Cookies) Of(r Request) *Jar { return &Jar{c, r} }

type jarKey struct{}

// NewContext returns a context that carries the jar.
func NewContext(ctx context.Context, j *Jar) context.Context {
	return context.WithValue(ctx, jarKey{}, j)
}

// Header is the request header with which a client that is no browser asks for all tokens in the
// answer. Its value is TokensInAnswer. A browser cannot do so: it adds headers that say so.
const (
	Header         = "Forge-Session"
	TokensInAnswer = "token"
)

var (
	errStream = &apperr.Error{Code: apperr.CodeForbidden, Message: "this server keeps tokens in cookies, which a stream cannot set: " +
		"send this operation by POST, with Accept: application/json"}
	errForeign = &apperr.Error{Code: apperr.CodeForbidden, Message: "this server keeps tokens in cookies, which the origin of this page may not use: " +
		"name the origin in CORS_ORIGINS"}
)

// Jar returns the jar in which the tokens of the request of ctx are. It returns nil if they are in
// the answer, and not in cookies. It returns FORBIDDEN if the request may not use cookies.
func (c *Cookies) Jar(ctx context.Context) (*Jar, error) {
	if c == nil {
		return nil, nil
	}
	j, ok := ctx.Value(jarKey{}).(*Jar)
	switch {
	case !ok:
		return nil, errStream
	case j.wantsTokens():
		return nil, nil
	case !j.request.Trusted:
		return nil, errForeign
	}
	return j, nil
}

// wantsTokens reports whether the request is from a client that is no browser, and that wants all
// tokens in the answer. Scripts can neither set nor remove the headers by which a browser is known.
func (j *Jar) wantsTokens() bool {
	h := j.request.Header
	return h.Get(Header) == TokensInAnswer && h.Get("Origin") == "" && h.Get("Sec-Fetch-Site") == ""
}

// These are the names of the cookies. A browser accepts a name with the prefix only from the host
// itself, over HTTPS: no other host of the same domain can set such a cookie.
const (
	prefix  = "__Host-"
	refresh = "forge-refresh"
	access  = "forge-access"
)

// Refresh returns the refresh token of the request, or "" if there is none.
func (j *Jar) Refresh() string { return j.value(refresh) }

// Access returns the access token of the request. It returns "" if there is none, or if access
// tokens are not in cookies.
func (j *Jar) Access() string {
	if !j.of.options.Access {
		return ""
	}
	return j.value(access)
}

// value returns the value of a cookie. It returns "" if the cookie is there more than once: then
// somebody else has set one of them, and nobody knows which.
func (j *Jar) value(name string) string {
	if !j.request.Trusted {
		return ""
	}
	found := j.request.CookiesNamed(j.name(name))
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// Set has the answer set the tokens of a session.
func (j *Jar) Set(refreshToken, accessToken string, accessExpires time.Time) {
	j.set(refresh, refreshToken, j.of.options.Life)
	if j.of.options.Access {
		j.set(access, accessToken, time.Until(accessExpires))
	}
}

// Clear has the answer remove the tokens.
func (j *Jar) Clear() {
	j.set(refresh, "", -1)
	if j.of.options.Access {
		j.set(access, "", -1)
	}
}

// set has the answer set a cookie for a time, or remove it if the time is negative.
func (j *Jar) set(name, value string, life time.Duration) {
	age := -1
	if life >= 0 {
		age = max(1, int(life.Seconds()))
	}
	http.SetCookie(j.request.Writer, &http.Cookie{Name: j.name(name), Value: value, Path: "/", MaxAge: age,
		Secure: !j.request.Plain, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// name returns the name of a cookie as the browser has it.
func (j *Jar) name(name string) string {
	if j.request.Plain {
		return name
	}
	return prefix + name
}
