// Package idp is a provider of identities for tests: it speaks OpenID Connect, and OAuth 2 as
// GitHub does. A test can make it do everything wrong. It imports no other package of Forge.
package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// These are the client that a Provider knows.
const (
	ClientID = "the-client"
	Secret   = "secret-of-the-client"
)

// Provider is a provider. Its exported fields may be set between requests.
type Provider struct {
	URL string

	// Person has the claims of whoever signs in next.
	Person map[string]any
	// Emails is the answer of GitHub's API about the emails.
	Emails []map[string]any
	// Discovery and Claims change what the provider says of itself, and of the person.
	Discovery, Claims func(map[string]any)
	// Sign makes the ID token of claims; if nil, it is signed with ES256.
	Sign func(jwt.MapClaims) string
	// Token answers at the token endpoint, if it is not nil.
	Token http.HandlerFunc
	// CheckSecret checks the secret of the client; if nil, it has to be Secret.
	CheckSecret func(string) bool
	// Answer changes the parameters with which a browser is sent back.
	Answer func(url.Values)
	// UserInfo has what the provider says when it is asked about the person; if nil, Person.
	UserInfo map[string]any

	Requests []string // the paths that were asked for, and the forms that were sent
	mu       sync.Mutex
	key      *ecdsa.PrivateKey
	codes    map[string]url.Values // the parameters of the authorization, by code
}

// New starts a provider, which ends with the test.
func New(t testing.TB) *Provider {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("GET /login/oauth/authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /login/oauth/access_token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		info := p.UserInfo
		if info == nil {
			info = p.Person
		}
		p.tell(w, r, info)
	})
	mux.HandleFunc("GET /api/v3/user", func(w http.ResponseWriter, r *http.Request) { p.tell(w, r, p.Person) })
	mux.HandleFunc("GET /api/v3/user/emails", func(w http.ResponseWriter, r *http.Request) { p.tell(w, r, p.Emails) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = r.ParseForm()
		p.Requests = append(p.Requests, r.Method+" "+r.URL.Path+" "+r.Form.Encode())
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	said := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/userinfo",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	}
	if p.Discovery != nil {
		p.Discovery(said)
	}
	write(w, http.StatusOK, said)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	write(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig", "x": encode(point[1:33]), "y": encode(point[33:])}}})
}

// authorize signs the person in, and sends the browser back with a code.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	if asked.Get("client_id") != ClientID || asked.Get("response_type") != "code" || asked.Get("code_challenge_method") != "S256" {
		http.Error(w, "the request is not right", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.codes[code] = asked
	back := url.Values{"code": {code}, "state": {asked.Get("state")}}
	if p.Answer != nil {
		p.Answer(back)
	}
	if asked.Get("response_mode") == "form_post" {
		_ = form.Execute(w, map[string]any{"To": asked.Get("redirect_uri"), "Values": back})
		return
	}
	http.Redirect(w, r, asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// form is the page of a provider that sends browsers back by POST.
var form = template.Must(template.New("").Parse(`<form method="post" action="{{.To}}">
{{range $name, $values := .Values}}<input name="{{$name}}" value="{{index $values 0}}">
{{end}}</form>`))

// token exchanges a code. It checks the client, the address, and the verifier of PKCE.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if p.Token != nil {
		p.Token(w, r)
		return
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	check := p.CheckSecret
	if check == nil {
		check = func(secret string) bool { return secret == Secret }
	}
	if id != ClientID || !check(secret) {
		write(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "the words of the provider"})
		return
	}
	code := r.PostForm.Get("code")
	asked := p.codes[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if asked == nil || r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri") ||
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
		write(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "the words of the provider"})
		return
	}
	write(w, http.StatusOK, map[string]any{"access_token": accessToken, "token_type": "Bearer", "id_token": p.idToken(asked)})
}

const accessToken = "access-token-of-the-provider"

// idToken returns the ID token of the person.
func (p *Provider) idToken(asked url.Values) string {
	now := time.Now()
	c := jwt.MapClaims{"iss": p.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": asked.Get("nonce")}
	maps.Copy(c, p.Person)
	if p.Claims != nil {
		p.Claims(c)
	}
	if p.Sign != nil {
		return p.Sign(c)
	}
	return p.Signed(c)
}

// Signed returns a token of claims that is signed with the key of the provider.
func (p *Provider) Signed(c jwt.MapClaims) string {
	token := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	token.Header["kid"] = "one"
	text, err := token.SignedString(p.key)
	if err != nil {
		panic(err)
	}
	return text
}

// tell answers with v, if the request has the access token.
func (p *Provider) tell(w http.ResponseWriter, r *http.Request, v any) {
	if r.Header.Get("Authorization") != "Bearer "+accessToken {
		write(w, http.StatusUnauthorized, map[string]any{"message": "the words of the provider"})
		return
	}
	write(w, http.StatusOK, v)
}

// Reset makes the provider do everything right again.
func (p *Provider) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Person, p.Emails, p.UserInfo = nil, nil, nil
	p.Discovery, p.Claims, p.Sign, p.Token, p.CheckSecret, p.Answer = nil, nil, nil, nil, nil, nil
}
