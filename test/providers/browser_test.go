package providers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forge/graph"
	"forge/internal/cli"
	"forge/test/gqltest"
	"forge/test/idp"
	"forge/test/process"
)

// page is where browsers come back to. No server answers there: what a browser brings is in the
// fragment of the address.
const page = "https://app.example.com/signed-in"

// world is a running Forge, and the providers that its people can sign in with.
type world struct {
	*gqltest.Client
	t    testing.TB
	url  string
	log  *process.Output
	end  func()
	idp  *idp.Provider // of the providers good, closed and apple, and of github
	evil *idp.Provider // of the provider evil
	key  *ecdsa.PrivateKey
}

// start runs Forge on a database until the test or end ends it.
func start(t testing.TB, address string, more ...string) *world {
	t.Helper()
	w := &world{t: t, log: new(process.Output), idp: idp.New(t), evil: idp.New(t)}
	dir := t.TempDir()
	w.key = writeKey(t, filepath.Join(dir, "apple.pem"))
	client := map[string]any{"clientId": idp.ClientID, "clientSecret": idp.Secret}
	with := func(more map[string]any) map[string]any {
		all := map[string]any{}
		for _, m := range []map[string]any{client, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	file := map[string]any{"returnTo": []string{page}, "providers": []any{
		with(map[string]any{"name": "good", "issuer": w.idp.URL, "signUp": true}),
		with(map[string]any{"name": "closed", "issuer": w.idp.URL}),
		with(map[string]any{"name": "evil", "issuer": w.evil.URL, "signUp": true}),
		with(map[string]any{"name": "github", "preset": "github", "issuer": w.idp.URL, "signUp": true}),
		map[string]any{"name": "apple", "preset": "apple", "issuer": w.idp.URL, "clientId": idp.ClientID, "signUp": true,
			"teamId": "TEAM", "keyId": "KEY", "keyFile": "apple.pem"},
	}}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "providers.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.serve(append(more, "AUTH=on", "AUTH_SECRET=a secret that nobody knows, of more than 32 bytes", "LOG_LEVEL=debug", "PASSWORD_MEMORY=7168",
		"ADDR=127.0.0.1:0", "DEMO=off", "DATABASE_URL="+address, "AUTH_PROVIDERS_FILE="+filepath.Join(dir, "providers.json"))...)
	return w
}

func writeKey(t testing.TB, path string) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), 0o600); err != nil {
		t.Fatal(err)
	}
	return key
}

// serve starts Forge with an environment, and waits for its address.
func (w *world) serve(environ ...string) {
	w.t.Helper()
	sdl, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- cli.Run(ctx, graph.Application(string(sdl), "0.0.0-test"), []string{"forge", "serve"}, environ, writer, w.log)
		writer.Close()
	}()
	ended := false
	w.end = func() {
		if cancel(); !ended {
			<-exit
			ended = true
		}
	}
	w.t.Cleanup(w.end)
	var printed strings.Builder
	for line := make([]byte, 4096); w.url == ""; {
		n, err := reader.Read(line)
		printed.Write(line[:n])
		if found := regexp.MustCompile(`API +(http://\S+)/graphql`).FindStringSubmatch(printed.String()); found != nil {
			w.url = found[1]
		} else if err != nil {
			w.t.Fatalf("Forge did not start: %s%s", printed.String(), w.log)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	w.Client = gqltest.New(w.t, w.url)
}

// browser is a browser, with its cookies, and a page in it that keeps a verifier.
type browser struct {
	w        *world
	client   *http.Client
	verifier string
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: stay}, rand.Text() + rand.Text()}
}

func (b *browser) challenge() string {
	sum := sha256.Sum256([]byte(b.verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// start returns the address at which the browser begins.
func (b *browser) start(provider string) string {
	return b.w.url + "/auth/" + provider + "/start?" + url.Values{"returnTo": {page}, "challenge": {b.challenge()}}.Encode()
}

// answer is what a server has sent to a browser.
type answer struct {
	*http.Response
	body string
}

func (a answer) String() string {
	return fmt.Sprint(a.StatusCode, " ", a.Header.Get("Location"), " ", a.body)
}

func (b *browser) send(r *http.Request, err error) answer {
	b.w.t.Helper()
	if err != nil {
		b.w.t.Fatal(err)
	}
	got, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{got, string(body)}
}

func (b *browser) get(address string) answer {
	b.w.t.Helper()
	return b.send(http.NewRequest(http.MethodGet, address, nil))
}

// until follows redirects, and forms that a page sends by itself, from an address to the one for
// which end is true.
func (b *browser) until(address string, end func(address string) bool) (last string, got answer) {
	b.w.t.Helper()
	for range 10 {
		if end(address) {
			return address, got
		}
		got = b.get(address)
		if form := regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(got.body); form != nil {
			got = b.post(form[1], fields(got.body))
		}
		if address = got.Header.Get("Location"); address == "" {
			return "", got
		}
	}
	b.w.t.Fatal("the browser goes in circles")
	return "", got
}

func (b *browser) post(address string, form url.Values) answer {
	b.w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, html.UnescapeString(address), strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.send(r, err)
}

// fields returns the fields of a form.
func fields(body string) url.Values {
	form := url.Values{}
	for _, input := range regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		form.Set(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
	}
	return form
}

// callback begins at an address, and returns the one at which the browser comes back to Forge,
// without going there.
func (b *browser) callback(address string) string {
	b.w.t.Helper()
	last, got := b.until(address, func(a string) bool { return strings.Contains(a, "/callback?") })
	if last == "" {
		b.w.t.Fatalf("the browser did not come back: %s", got)
	}
	return last
}

// goes begins at an address, and returns the parameter of the fragment with which the browser comes
// to the page: forgeCode, or forgeError. It returns the answer if the browser does not come there.
func (b *browser) goes(address string) (code, fault string, got answer) {
	b.w.t.Helper()
	last, got := b.until(address, func(a string) bool { return strings.HasPrefix(a, "https://") })
	rest, found := strings.CutPrefix(last, page+"#")
	if !found {
		return "", "", got
	}
	fragment, err := url.ParseQuery(rest)
	if err != nil || len(fragment) != 1 {
		b.w.t.Errorf("the fragment is %q", rest)
	}
	return fragment.Get("forgeCode"), fragment.Get("forgeError"), got
}

// signInWithProvider is the operation with which a page ends a sign-in.
const signInWithProvider = `mutation($code: String!, $verifier: String!) { signInWithProvider(code: $code, verifier: $verifier) {
	accessToken refreshToken user { id username email emailVerifiedAt identities { id provider email createdAt lastUsedAt } } } }`

func (b *browser) exchange(code string) gqltest.Answer {
	b.w.t.Helper()
	return b.w.Do(signInWithProvider, gqltest.Vars{"code": code, "verifier": b.verifier})
}

// signIn signs in with a provider, in a browser of its own, and returns the payload and the access
// token.
func (w *world) signIn(provider string) (user map[string]any, token string) {
	w.t.Helper()
	b := w.browser()
	code, fault, got := b.goes(b.start(provider))
	if code == "" {
		w.t.Fatalf("no code: %s, %s", fault, got)
	}
	signed := b.exchange(code)
	if !signed.OK() {
		w.t.Fatal(signed)
	}
	return signed.At("signInWithProvider.user").(map[string]any), signed.At("signInWithProvider.accessToken").(string)
}
