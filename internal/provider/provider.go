// Package provider signs people in with their accounts at providers, such as Google, by OpenID
// Connect, and at GitHub.
//
// A page begins with a verifier that it keeps, and sends the browser to Start with the verifier's
// challenge. Start sends the browser on to the provider, with a state that is good once and bound
// to the browser by a cookie. The provider sends it back to Callback, which asks the provider who
// has signed in, and sends the browser to the page with a code. The page exchanges the code and the
// verifier for a session, by SignIn, or for an identity of the account that is signed in already,
// by FinishLink. Nothing about an account is stored before. See docs/adr/0028-providers.md.
package provider

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/onetime"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Options are what Providers need.
type Options struct {
	File     *File
	DB       *database.DB
	Accounts session.Accounts
	Sessions *session.Sessions
	// URL is the origin at which browsers reach this server, if the file does not say it.
	URL string
	// Page is the path of a page of this server that browsers may come back to, beside those of the
	// file. It is empty if there is none.
	Page string
	// Passkeys says that people can sign in with a passkey.
	Passkeys bool
	// Local allows the pages of this machine as well, on any port.
	Local   bool
	Proxies []netip.Prefix // whose X-Forwarded-For is believed
	Log     *slog.Logger
}

// Providers signs people in with accounts at providers. It is safe for concurrent use. A nil
// *Providers has none.
type Providers struct {
	Options
	base  *url.URL
	all   []*provider // in the order of the file
	pages pages
	limit *limiter
}

// provider is one of the providers.
type provider struct {
	*Config
	connector
	running chan struct{} // has a value for each browser that waits for the provider
}

// New returns the providers of a file.
func New(o Options) *Providers {
	if o.File.PublicURL != "" {
		o.URL = o.File.PublicURL
	}
	base, err := url.Parse(o.URL)
	if err != nil {
		panic(err) // Read has checked the one of the file, and the other one is the server's own
	}
	p := &Providers{Options: o, base: base, pages: o.File.pages, limit: newLimiter()}
	p.pages.local = o.Local
	if o.Page != "" {
		p.pages.web = append(slices.Clip(p.pages.web), base.ResolveReference(&url.URL{Path: o.Page}))
	}
	client := newClient(requestTime)
	for _, c := range o.File.Providers {
		var to connector = &openID{Config: c, client: client}
		if c.preset.rest {
			to = &gitHub{c, client}
		}
		p.all = append(p.all, &provider{c, to, make(chan struct{}, maxRunning)})
	}
	return p
}

// Offer is a provider that people can sign in with.
type Offer struct {
	Name     string
	StartURL string // for a browser, with the parameters returnTo and challenge
}

// Offers returns the providers that people can sign in with.
func (p *Providers) Offers() (all []Offer) {
	if p == nil {
		return nil
	}
	for _, one := range p.all {
		all = append(all, Offer{one.Name, p.url(one, "start")})
	}
	return all
}

// find returns the provider with a name, or nil.
func (p *Providers) find(name string) *provider {
	if i := slices.IndexFunc(p.all, func(one *provider) bool { return one.Name == name }); i >= 0 {
		return p.all[i]
	}
	return nil
}

// url returns the address of a route of a provider.
func (p *Providers) url(one *provider, route string) string {
	return p.base.JoinPath("auth", one.Name, route).String()
}

// kind returns the kind of the credentials of a provider, which is also the method by which its
// people sign in.
func (c *Config) kind() string { return kindPrefix + c.Name }

const kindPrefix = "provider:"

// These are the purposes and the lives of tokens.
const (
	linkPurpose, linkLife   = "provider link", 5 * time.Minute
	statePurpose, stateLife = "provider state", 10 * time.Minute
	codePurpose, codeLife   = "provider code", time.Minute
)

// wish is what a page wants: to be at ReturnTo when somebody has signed in at the provider.
type wish struct {
	Provider, ReturnTo, Challenge string
}

// sent is what a state stands for: a browser that was sent to a provider.
type sent struct {
	wish
	Nonce, Verifier string
	Browser         []byte // the hash of the cookie that it has
}

// proved is what a code stands for: somebody has signed in at a provider.
type proved struct {
	wish
	Person Person
}

// check returns the provider of a wish, or what is wrong with it. Fields are paths of arguments.
func (p *Providers) check(w wish) (*provider, error) {
	one := p.find(w.Provider)
	switch {
	case one == nil:
		return nil, apperr.BadInput("provider", "there is no such provider")
	case !p.pages.allow(w.ReturnTo):
		return nil, apperr.BadInput("returnTo", "this page may not be returned to: AUTH_PROVIDERS_FILE lists those that may")
	case !challengeForm.MatchString(w.Challenge):
		return nil, apperr.BadInput("challenge", "challenge is not the SHA-256 of a verifier in Base64 for URLs, 43 characters (RFC 7636, S256)")
	}
	return one, nil
}

var (
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	verifierForm  = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
)

// send keeps that a browser is sent to a provider, for an account that wants to link what it comes
// back with, or for uuid.Nil. It returns the address of the provider, the state, and the secret for
// the browser's cookie.
func (p *Providers) send(ctx context.Context, one *provider, w wish, account uuid.UUID) (address, state, secret string, err error) {
	s := sent{wish: w, Nonce: random(), Verifier: oauth2.GenerateVerifier()}
	state, secret = random(), random()
	s.Browser = hashed(secret)
	address, err = one.address(ctx, authorization{p.url(one, "callback"), state, s.Nonce, s.Verifier})
	if err != nil {
		return "", "", "", err
	}
	err = p.inUnit(ctx, func(ctx context.Context) error { return onetime.Put(ctx, statePurpose, state, account, s, stateLife) })
	return address, state, secret, err
}

// exchange uses a code, and returns the provider and the person that it stands for. The error is
// UNAUTHENTICATED if the code is not good, or if the verifier is not the one of the page that
// began.
func (p *Providers) exchange(ctx context.Context, code, verifier string) (*provider, *onetime.Token, *proved, error) {
	token, err := onetime.Use(ctx, codePurpose, code)
	if errors.Is(err, onetime.ErrInvalid) {
		return nil, nil, nil, errCode
	}
	if err != nil {
		return nil, nil, nil, err
	}
	var who proved
	if err := token.Data(&who); err != nil {
		return nil, nil, nil, fmt.Errorf("read what a code stands for: %w", err)
	}
	one := p.find(who.Provider)
	challenge := base64.RawURLEncoding.EncodeToString(hashed(verifier))
	if one == nil || !verifierForm.MatchString(verifier) || subtle.ConstantTimeCompare([]byte(challenge), []byte(who.Challenge)) != 1 {
		return nil, nil, nil, errCode
	}
	return one, token, &who, nil
}

var errCode = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this code is not good, or no longer, or another page began: sign in again"}

// inUnit calls do in a unit of work of its own. It tries again after conflicts with others.
func (p *Providers) inUnit(ctx context.Context, do func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		u := unit.New(p.DB, unit.Write)
		err := do(system(unit.NewContext(ctx, u)))
		if err == nil {
			err = u.Commit(ctx)
		}
		again := err != nil && u.Transient() && attempt < 3
		u.Rollback()
		if !again {
			return err
		}
	}
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }

// random returns a text with 256 random bits.
func random() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

func hashed(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
