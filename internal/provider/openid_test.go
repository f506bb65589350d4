package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/test/idp"
)

// connect returns a connection to a provider of tests.
func connect(p *idp.Provider, preset string) *openID {
	c := &Config{Name: "test", Issuer: p.URL, ClientID: idp.ClientID, ClientSecret: idp.Secret, Scopes: openIDScopes, preset: presets[preset]}
	return &openID{Config: c, client: newClient(requestTime)}
}

// TestDiscovery asks a provider that says something wrong of itself. Browsers are not sent to it.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(map[string]any){
		"another issuer":             func(said map[string]any) { said["issuer"] = "https://id.example.com" },
		"a script":                   func(said map[string]any) { said["authorization_endpoint"] = "javascript:alert(1)" },
		"an address without https":   func(said map[string]any) { said["authorization_endpoint"] = "http://id.example.com/authorize" },
		"a token endpoint in plain":  func(said map[string]any) { said["token_endpoint"] = "http://id.example.com/token" },
		"keys that come in plain":    func(said map[string]any) { said["jwks_uri"] = "http://id.example.com/keys" },
		"no address":                 func(said map[string]any) { delete(said, "authorization_endpoint") },
		"more than it should say":    func(said map[string]any) { said["x"] = strings.Repeat("x", 10<<20) },
		"a text instead of a list":   func(said map[string]any) { said["token_endpoint_auth_methods_supported"] = "x" },
		"a number instead of a text": func(said map[string]any) { said["issuer"] = 1 },
	} {
		p := idp.New(t)
		p.Discovery = change
		o := connect(p, "")
		address, err := o.address(t.Context(), authorization{state: "s"})
		if _, ok := errors.AsType[*Failure](err); !ok || address != "" {
			t.Errorf("%s: %q, %v", what, address, err)
		}
		p.Discovery = nil // it may mend itself
		if address, err = o.address(t.Context(), authorization{state: "s"}); !strings.HasPrefix(address, p.URL) {
			t.Errorf("after %s: %q, %v", what, address, err)
		}
	}
}

// TestDiscoveryOfTenant asks a provider with tenants, which may not name just any issuer either.
func TestDiscoveryOfTenant(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	p.Discovery = func(said map[string]any) { said["issuer"] = "https://id.example.com/{tenantid}/v2.0" }
	if _, err := connect(p, "microsoft").discover(); err == nil || err.Error() != "discovery: another issuer" {
		t.Error(err)
	}
}

// TestProviderHangs asks a provider that does not answer, one that redirects, and one that is away.
func TestProviderHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	other := idp.New(t)
	moved := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer moved.Close()
	away := httptest.NewServer(nil)
	away.Close()
	for address, want := range map[string]string{
		hangs.URL: "discovery: no answer in time",
		moved.URL: "discovery: refused, or not what was expected",
		away.URL:  "discovery: refused, or not what was expected",
	} {
		o := &openID{Config: &Config{Issuer: address}, client: newClient(100 * time.Millisecond)}
		if _, err := o.discover(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if len(other.Requests) > 0 {
		t.Errorf("a redirect was followed: %q", other.Requests)
	}
}

// TestIssuerOfCallback compares the issuer that a browser comes back with (RFC 9207).
func TestIssuerOfCallback(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	silent := connect(p, "")
	if silent.fits(t.Context(), "") != nil || silent.fits(t.Context(), p.URL) != nil || silent.fits(t.Context(), p.URL+"/") == nil {
		t.Error("a provider that need not say who it is")
	}
	p.Discovery = func(said map[string]any) { said["authorization_response_iss_parameter_supported"] = true }
	saying := connect(p, "")
	if saying.fits(t.Context(), "") == nil || saying.fits(t.Context(), p.URL) != nil {
		t.Error("a provider that has to say who it is")
	}
}

// TestTenants signs people of several tenants in, as Microsoft does.
func TestTenants(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	tenant, other := uuid.NewString(), uuid.NewString()
	p.Discovery = func(said map[string]any) { said["issuer"] = p.URL + "/{tenantid}/v2.0" }
	c := &Config{Issuer: p.URL + "/common/v2.0", ClientID: idp.ClientID, ClientSecret: idp.Secret, Scopes: openIDScopes, preset: presets["microsoft"]}
	o := &openID{Config: c, client: newClient(requestTime)}
	// The provider of the test has its document at the top.
	o.client.Transport = atTop{o.client.Transport}
	person := func(claims map[string]any) (*Person, error) {
		p.Person = claims
		a := authorization{redirect: "http://localhost/callback", state: "s", nonce: "n", verifier: random()}
		address, err := o.address(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := stay.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		back, err := url.Parse(answer.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return o.person(t.Context(), a, back.Query().Get("code"))
	}
	who, err := person(map[string]any{"iss": p.URL + "/" + tenant + "/v2.0", "tid": tenant, "sub": "ada", "email": "ada@example.com"})
	if err != nil || who.Issuer != p.URL+"/"+tenant+"/v2.0" || who.Verified {
		t.Errorf("%+v, %v", who, err)
	}
	who, err = person(map[string]any{"iss": p.URL + "/" + tenant + "/v2.0", "tid": tenant, "sub": "ada", "email": "ada@example.com", "email_verified": true})
	if err != nil || who.Verified {
		t.Errorf("an email that a tenant says is verified: %+v, %v", who, err)
	}
	who, err = person(map[string]any{"iss": p.URL + "/" + tenant + "/v2.0", "tid": tenant, "sub": "ada", "email": "ada@example.com", "xms_edov": "1"})
	if err != nil || !who.Verified {
		t.Errorf("an email whose domain the tenant owns: %+v, %v", who, err)
	}
	for what, claims := range map[string]map[string]any{
		"of another tenant":   {"iss": p.URL + "/" + other + "/v2.0", "tid": tenant, "sub": "ada", "email": "a@example.com"},
		"of no tenant":        {"iss": p.URL + "/" + tenant + "/v2.0", "sub": "ada", "email": "a@example.com"},
		"of the template":     {"iss": p.URL + "/{tenantid}/v2.0", "tid": "{tenantid}", "sub": "ada", "email": "a@example.com"},
		"of another provider": {"iss": "https://id.example.com/" + tenant + "/v2.0", "tid": tenant, "sub": "ada", "email": "a@example.com"},
	} {
		if who, err := person(claims); err == nil || err.Error() != "id_token: another issuer" {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
}

// atTop asks for the document of discovery at the top of a server.
type atTop struct{ http.RoundTripper }

func (a atTop) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/common/v2.0")
	return a.RoundTripper.RoundTrip(r)
}

// TestCookie looks at the cookies that bind a state to a browser.
func TestCookie(t *testing.T) {
	t.Parallel()
	file := &File{PublicURL: "https://api.example.com", Providers: []*Config{{Name: "own"}, {Name: "apple", preset: presets["apple"]}}}
	p := New(Options{File: file})
	for i, want := range []string{
		"=value; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax",
		"=value; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None",
	} {
		got := p.cookie(p.all[i], "state", "value", 600).String()
		if !strings.HasPrefix(got, "__Host-forge-auth-") || !strings.HasSuffix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestEnterFromSite sends requests from all networks of somebody who has an IPv6 /48. They may not
// use up what the server allows to all.
func TestEnterFromSite(t *testing.T) {
	t.Parallel()
	p := New(Options{File: &File{PublicURL: "https://api.example.com", Providers: []*Config{{Name: "own"}}}})
	enter := func(address string) bool {
		r := httptest.NewRequest(http.MethodGet, "/auth/own/start", nil)
		r.SetPathValue("provider", "own")
		r.RemoteAddr = address
		_, end, ok := p.enter(httptest.NewRecorder(), r)
		end()
		return ok
	}
	passed := 0
	for i := range 2 * burstOfServer {
		if enter(fmt.Sprintf("[2001:db8:1:%x::1]:1", i)) {
			passed++
		}
	}
	if passed >= 2*burstOfNetwork || !enter("192.0.2.1:1") {
		t.Errorf("%d requests of one site pass, or then none of another", passed)
	}
}

// TestLimiter sends requests from networks.
func TestLimiter(t *testing.T) {
	t.Parallel()
	l := newLimiter()
	passed := func(network string) (n int) {
		for range 2 * burstOfNetwork {
			if l.allow(netip.MustParsePrefix(network)) {
				n++
			}
		}
		return n
	}
	if first, second := passed("192.0.2.1/32"), passed("192.0.2.2/32"); first < burstOfNetwork || first >= 2*burstOfNetwork || second < burstOfNetwork {
		t.Errorf("%d requests of the first network pass, and %d of the second", first, second)
	}
}
