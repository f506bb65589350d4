package provider

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// Person is somebody at a provider.
type Person struct {
	Issuer, Subject string // together they tell the person from all others
	Email           string
	Verified        bool   // the provider has verified the email
	Username        string // as the provider calls the person in public, or ""
}

// authorization is one way from this server to a provider and back.
type authorization struct {
	redirect string // where the provider sends the browser
	state    string
	nonce    string
	verifier string // of PKCE
}

// connector speaks the protocol of a provider. Its errors say at which step something went wrong,
// and have no text of the provider in them.
type connector interface {
	// address returns where to send a browser.
	address(ctx context.Context, a authorization) (string, error)
	// fits returns an error if the issuer that a browser came back with is another one (RFC 9207).
	// It is "" if the browser came back with none.
	fits(ctx context.Context, issuer string) error
	// person exchanges a code, and returns who has signed in.
	person(ctx context.Context, a authorization, code string) (*Person, error)
}

// openID is a provider that speaks OpenID Connect.
type openID struct {
	*Config
	client *http.Client
	found  atomic.Pointer[discovered]
	flight singleflight.Group
}

// discovered is what a provider says of itself.
type discovered struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	issuer   string // may have {tenantid} in it
	style    oauth2.AuthStyle
	says     bool // browsers come back with the issuer
}

// tenantID stands for the ID of a tenant in the issuer of Microsoft's accounts of all tenants.
const tenantID = "{tenantid}"

// discover returns what the provider says of itself. It asks once for all that wait.
func (o *openID) discover() (*discovered, error) {
	if d := o.found.Load(); d != nil {
		return d, nil
	}
	d, err, _ := o.flight.Do("", func() (any, error) {
		d, err := o.ask()
		if err == nil {
			o.found.Store(d)
		}
		return d, err
	})
	if err != nil {
		return nil, err
	}
	return d.(*discovered), nil
}

// ask asks the provider what it says of itself. It has no context, because several requests may
// wait for the answer. The client has a deadline.
func (o *openID) ask() (*discovered, error) {
	ctx := through(context.Background(), o.client)
	want := o.Issuer
	if o.preset.tenant {
		// Microsoft names another issuer than the one that it is asked at, unless there is one
		// tenant.
		for _, all := range []string{"common", "organizations"} {
			want = strings.Replace(want, "/"+all+"/", "/"+tenantID+"/", 1)
		}
		ctx = oidc.InsecureIssuerURLContext(ctx, want)
	}
	p, err := oidc.NewProvider(ctx, o.Issuer)
	if err != nil {
		return nil, step("discovery", err)
	}
	var said struct {
		Issuer  string   `json:"issuer"`
		Auth    string   `json:"authorization_endpoint"`
		Token   string   `json:"token_endpoint"`
		Keys    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		Says    bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := p.Claims(&said); err != nil || said.Issuer != want {
		return nil, &Failure{Step: "discovery", Reason: "another issuer"}
	}
	for _, address := range []string{said.Auth, said.Token, said.Keys} {
		if base, _, _ := strings.Cut(address, "?"); !isWeb(base) {
			return nil, &Failure{Step: "discovery", Reason: "an address without https"}
		}
	}
	style := oauth2.AuthStyleInHeader
	if o.preset.signed || len(said.Methods) > 0 && !slices.Contains(said.Methods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	verifier := p.Verifier(&oidc.Config{ClientID: o.ClientID, SkipIssuerCheck: strings.Contains(want, tenantID)})
	return &discovered{p, verifier, want, style, said.Says}, nil
}

func isWeb(address string) bool {
	_, err := webURL(address)
	return err == nil
}

// oauth returns the provider for package oauth2. secret may be "".
func (o *openID) oauth(d *discovered, a authorization, secret string) *oauth2.Config {
	endpoint := d.provider.Endpoint()
	endpoint.AuthStyle = d.style
	return &oauth2.Config{ClientID: o.ClientID, ClientSecret: secret, Endpoint: endpoint, RedirectURL: a.redirect, Scopes: o.Scopes}
}

func (o *openID) address(_ context.Context, a authorization) (string, error) {
	d, err := o.discover()
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier)}
	if o.preset.formPost {
		options = append(options, oauth2.SetAuthURLParam("response_mode", "form_post"))
	}
	return o.oauth(d, a, "").AuthCodeURL(a.state, options...), nil
}

func (o *openID) fits(_ context.Context, issuer string) error {
	d, err := o.discover()
	if err != nil {
		return err
	}
	before, after, many := strings.Cut(d.issuer, tenantID)
	switch {
	case issuer == "" && !d.says, issuer == d.issuer:
		return nil
	case many && len(issuer) > len(before)+len(after) && strings.HasPrefix(issuer, before) && strings.HasSuffix(issuer, after):
		return nil // the token says which tenant
	}
	return &Failure{Step: "callback", Reason: "another issuer"}
}

func (o *openID) person(ctx context.Context, a authorization, code string) (*Person, error) {
	d, err := o.discover()
	if err != nil {
		return nil, err
	}
	secret, err := o.secret()
	if err != nil {
		return nil, err
	}
	ctx = through(ctx, o.client)
	token, err := o.oauth(d, a, secret).Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, step("token", err)
	}
	raw, _ := token.Extra("id_token").(string)
	checked, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, &Failure{Step: "id_token", Reason: "not valid", Cause: err}
	}
	var c claims
	if err := checked.Claims(&c); err != nil {
		return nil, &Failure{Step: "id_token", Reason: "not valid", Cause: err}
	}
	if err := o.check(d, checked, &c, a.nonce, token.AccessToken); err != nil {
		return nil, err
	}
	if c.Email == "" && d.provider.UserInfoEndpoint() != "" {
		if err := o.look(ctx, d, token, &c); err != nil {
			return nil, err
		}
	}
	return o.from(d, &c), nil
}

// claims are the claims of a person that are used.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Party    string `json:"azp"`
	Tenant   string `json:"tid"`
	Email    string `json:"email"`
	Verified truth  `json:"email_verified"`
	Owned    truth  `json:"xms_edov"` // Microsoft: the tenant owns the domain of the email
	Username string `json:"preferred_username"`
	Nickname string `json:"nickname"`
	Name     string `json:"name"`
}

// truth is true for true, "true", 1 and "1". Apple sends texts, and Microsoft all of these.
type truth bool

func (t *truth) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `true`, `"true"`, `1`, `"1"`:
		*t = true
	default:
		*t = false
	}
	return nil
}

// check checks what go-oidc does not: the nonce, the party that the token is for, the tenant, and
// that the tokens belong together.
func (o *openID) check(d *discovered, token *oidc.IDToken, c *claims, nonce, access string) error {
	reason := ""
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		reason = "another nonce"
	case c.Party != "" && c.Party != o.ClientID, c.Party == "" && len(token.Audience) > 1:
		reason = "for another client"
	case c.Subject == "" || len(c.Subject) > 255:
		reason = "no subject"
	case strings.Contains(d.issuer, tenantID) && (uuid.Validate(c.Tenant) != nil || c.Issuer != strings.Replace(d.issuer, tenantID, c.Tenant, 1)):
		reason = "another issuer"
	case token.AccessTokenHash != "" && token.VerifyAccessToken(access) != nil:
		reason = "for another access token"
	default:
		return nil
	}
	return &Failure{Step: "id_token", Reason: reason}
}

// look asks the provider about the person, if the token does not have the email.
func (o *openID) look(ctx context.Context, d *discovered, token *oauth2.Token, c *claims) error {
	if !isWeb(d.provider.UserInfoEndpoint()) {
		return &Failure{Step: "userinfo", Reason: "an address without https"}
	}
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return step("userinfo", err)
	}
	var more claims
	if info.Subject != c.Subject || info.Claims(&more) != nil {
		return &Failure{Step: "userinfo", Reason: "another subject"}
	}
	c.Email, c.Verified, c.Owned = more.Email, more.Verified, more.Owned
	c.Username, c.Nickname, c.Name = orElse(c.Username, more.Username), orElse(c.Nickname, more.Nickname), orElse(c.Name, more.Name)
	return nil
}

// from returns the person that claims describe. No part of the email becomes the username: the
// username is for all to see.
func (o *openID) from(d *discovered, c *claims) *Person {
	verified := c.Verified
	if o.preset.tenant {
		verified = c.Owned // a tenant can have any other claim say what it likes
	}
	who := &Person{Issuer: d.issuer, Subject: c.Subject, Email: c.Email, Verified: bool(verified)}
	if strings.Contains(d.issuer, tenantID) {
		who.Issuer = c.Issuer
	}
	for _, name := range []string{c.Name, c.Nickname, c.Username} {
		if name != "" && !strings.Contains(name, "@") {
			who.Username = name
		}
	}
	return who
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// secret returns the secret of the client. Apple takes one that is signed with a key.
func (o *openID) secret() (string, error) {
	if o.key == nil {
		return o.ClientSecret, nil
	}
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": o.TeamID, "sub": o.ClientID, "aud": o.Issuer, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()})
	token.Header["kid"] = o.KeyID
	text, err := token.SignedString(o.key)
	if err != nil {
		return "", fmt.Errorf("sign a secret for a provider: %w", err)
	}
	return text, nil
}

// Failure says at which step of a sign-in a provider failed.
type Failure struct {
	Step, Reason string
	Cause        error // may have texts of the provider in it, so it is not shown
}

func (f *Failure) Error() string { return f.Step + ": " + f.Reason }

// step returns the Failure of a request to a provider.
func step(name string, err error) error {
	f := &Failure{Step: name, Reason: "refused, or not what was expected", Cause: err}
	var late interface{ Timeout() bool }
	answer, refused := errors.AsType[*oauth2.RetrieveError](err)
	_, malformed := errors.AsType[*json.SyntaxError](err)
	switch {
	case errors.Is(err, errTooLong):
		f.Reason = "the answer is too long"
	case errors.As(err, &late) && late.Timeout():
		f.Reason = "no answer in time"
	case malformed:
		f.Reason = "the answer is not JSON"
	case refused && slices.Contains(oauthErrors, answer.ErrorCode):
		f.Reason = answer.ErrorCode
	}
	return f
}

// oauthErrors are the errors of a token endpoint (RFC 6749, section 5.2).
var oauthErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}
