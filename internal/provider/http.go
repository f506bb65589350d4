package provider

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/internal/clientip"
	"forge/internal/onetime"
)

// These codes come back to the page in the fragment, as forgeError.
const (
	codeDenied          = "PROVIDER_DENIED"  // the person, or the provider, said no
	codeFailed          = "PROVIDER_FAILED"  // the provider did not answer, or not as it has to
	codeEmailKnown      = "EMAIL_KNOWN"      // an account has the email: sign in to it, and link
	codeSignUpClosed    = "SIGN_UP_CLOSED"   // there is no account, and none is made
	codeAccountClosed   = "ACCOUNT_CLOSED"   // the account may not sign in
	codeLinkedElsewhere = "LINKED_ELSEWHERE" // another account has this identity
	codeTryAgain        = "TRY_AGAIN"        // this server cannot do it now
)

// These limits bound a request.
const (
	handlerTime = 20 * time.Second
	maxForm     = 64 << 10
	maxParam    = 4 << 10
)

// Start answers GET /auth/NAME/start: it sends the browser to the provider. The parameters are
// returnTo and challenge, or link, a token of BeginLink. If something is wrong with them, the
// answer is a line of text, because it is not known which page has begun.
func (p *Providers) Start(w http.ResponseWriter, r *http.Request) {
	ctx, end, ok := p.enter(w, r)
	defer end()
	if !ok {
		return
	}
	want, account, err := p.wanted(ctx, r)
	if err != nil {
		refuse(w, err)
		return
	}
	one := p.find(want.Provider)
	address, state, secret, err := p.send(ctx, one, want, account)
	if err != nil {
		p.fail(ctx, w, want, one, err)
		return
	}
	p.dropCookies(w, r)
	http.SetCookie(w, p.cookie(one, state, secret, int(stateLife.Seconds())))
	redirect(w, address)
}

// enter sets the headers of an answer, and returns the context of the work. It returns false if it
// has refused the request: there is no such provider, or there are too many requests.
func (p *Providers) enter(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc, bool) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	ctx := clientip.NewContext(r.Context(), r)
	client := clientip.Address(ctx, p.Proxies)
	ctx, cancel := context.WithTimeout(onetime.From(ctx, client), handlerTime)
	switch {
	case p.find(r.PathValue("provider")) == nil:
		http.Error(w, "there is no such provider", http.StatusNotFound)
	case r.Method == http.MethodHead:
		http.Error(w, "only GET is allowed", http.StatusMethodNotAllowed)
	case !p.limit.allow(clientip.Site(client)):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many sign-ins from this network; try again later", http.StatusTooManyRequests)
	default:
		return ctx, cancel, true
	}
	return ctx, cancel, false
}

var (
	errAddress = errors.New("this address is not right: begin again at the page that you came from")
	errState   = errors.New("this sign-in was begun in another browser, or too long ago, or has ended: begin again")
	errBusy    = errors.New("this is not possible now: begin again later")
)

// refuse answers with the text of an error, if it is not known which page has begun.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, errBusy) {
		status = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), status)
}

// wanted returns what the browser is to be sent for. If it is for an account that links what it
// comes back with, it uses the token and returns the account.
func (p *Providers) wanted(ctx context.Context, r *http.Request) (w wish, account uuid.UUID, err error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return w, account, errAddress
	}
	if token := single(q, "link"); token != "" {
		account, err = p.use(ctx, linkPurpose, token, &w)
	} else {
		w = wish{Provider: r.PathValue("provider"), ReturnTo: single(q, "returnTo"), Challenge: single(q, "challenge")}
		_, err = p.check(w)
	}
	if err == nil && w.Provider != r.PathValue("provider") {
		err = errAddress
	}
	return w, account, err
}

// use uses a token, reads what it stands for into v, and returns whose it is.
func (p *Providers) use(ctx context.Context, purpose, text string, v any) (account uuid.UUID, err error) {
	err = p.inUnit(ctx, func(ctx context.Context) error {
		token, err := onetime.Use(ctx, purpose, text)
		if err != nil {
			return err
		}
		account = token.Account
		return token.Data(v)
	})
	switch {
	case errors.Is(err, onetime.ErrInvalid):
		return account, errState
	case err != nil:
		p.Log.WarnContext(ctx, "sign-in with a provider: the database cannot be used")
		return account, errBusy
	}
	return account, nil
}

// Callback answers GET and POST /auth/NAME/callback, to which a provider sends the browser back. It
// asks the provider who has signed in, and sends the browser to the page that began, with forgeCode
// or forgeError in the fragment. If the state is not good, or not this browser's, the answer is a
// line of text.
func (p *Providers) Callback(w http.ResponseWriter, r *http.Request) {
	ctx, end, ok := p.enter(w, r)
	defer end()
	if !ok {
		return
	}
	one := p.find(r.PathValue("provider"))
	form, ok := answer(w, r, one)
	if !ok {
		return
	}
	state := single(form, "state")
	was, account, err := p.comesBack(ctx, r, one, state)
	http.SetCookie(w, p.cookie(one, state, "", -1))
	if err != nil {
		refuse(w, err)
		return
	}
	code, err := p.finish(ctx, one, was, account, form)
	if err != nil {
		p.fail(ctx, w, was.wish, one, err)
		return
	}
	redirect(w, was.ReturnTo+"#forgeCode="+code)
}

// answer returns the parameters that a provider has sent with the browser, as it has to send them.
func answer(w http.ResponseWriter, r *http.Request, one *provider) (url.Values, bool) {
	if one.preset.formPost != (r.Method == http.MethodPost) {
		http.Error(w, "this provider uses another method", http.StatusMethodNotAllowed)
		return nil, false
	}
	if r.Method == http.MethodGet {
		q, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			http.Error(w, errAddress.Error(), http.StatusBadRequest)
		}
		return q, err == nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
	}
	return r.PostForm, err == nil
}

// comesBack returns what a state stands for, and ends it. It returns errState if the state is not
// good, for another provider, or of another browser.
func (p *Providers) comesBack(ctx context.Context, r *http.Request, one *provider, state string) (was sent, account uuid.UUID, err error) {
	if state == "" {
		return was, account, errState
	}
	account, err = p.use(ctx, statePurpose, state, &was)
	if err != nil {
		return was, account, err
	}
	cookie, err := r.Cookie(p.cookie(one, state, "", 0).Name)
	if err != nil || was.Provider != one.Name || subtle.ConstantTimeCompare(hashed(cookie.Value), was.Browser) != 1 {
		return was, account, errState
	}
	return was, account, nil
}

// finish asks the provider who has signed in, and returns a code that stands for it. The error is a
// fault if the page is to be told its code.
func (p *Providers) finish(ctx context.Context, one *provider, was sent, account uuid.UUID, form url.Values) (code string, err error) {
	if err := one.fits(ctx, single(form, "iss")); err != nil {
		return "", err
	}
	given := single(form, "code")
	switch {
	case single(form, "error") == "access_denied", single(form, "error") == "user_cancelled_authorize":
		return "", fault(codeDenied)
	case form.Has("error") || given == "":
		return "", &Failure{Step: "callback", Reason: "an error, or no code"}
	}
	select {
	case one.running <- struct{}{}:
		defer func() { <-one.running }()
	default:
		return "", fault(codeTryAgain)
	}
	who, err := one.person(ctx, authorization{p.url(one, "callback"), "", was.Nonce, was.Verifier}, given)
	if err != nil {
		return "", err
	}
	who.tidy(one.Config)
	err = p.inUnit(ctx, func(ctx context.Context) error {
		if err := p.mayGoOn(ctx, one, who, account); err != nil {
			return err
		}
		code, err = onetime.New(ctx, codePurpose, account, proved{was.wish, *who}, codeLife)
		return err
	})
	return code, err
}

// fault is an error whose code the page is told.
type fault string

func (f fault) Error() string { return string(f) }

// fail sends the browser to the page that began, with the code of an error. It logs what a provider
// did wrong, without its words.
func (p *Providers) fail(ctx context.Context, w http.ResponseWriter, want wish, one *provider, err error) {
	code := codeTryAgain
	known, told := errors.AsType[fault](err)
	failed, ofProvider := errors.AsType[*Failure](err)
	switch {
	case told:
		code = string(known)
	case ofProvider:
		code = codeFailed
		p.Log.WarnContext(ctx, "a provider failed", "provider", one.Name, "step", failed.Step, "reason", failed.Reason)
	default:
		p.Log.WarnContext(ctx, "sign-in with a provider: the database cannot be used", "provider", one.Name)
	}
	redirect(w, want.ReturnTo+"#forgeError="+code)
}

// redirect sends the browser to an address, by GET. The answer has no body, because it would have
// the address in it.
func redirect(w http.ResponseWriter, address string) {
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}

// cookie returns the cookie that binds a state to a browser. Each state has its own, so that
// several tabs can sign in at once. A name with __Host- can be set by no other host, not even a
// sibling.
func (p *Providers) cookie(one *provider, state, value string, age int) *http.Cookie {
	c := &http.Cookie{
		Name:  p.cookiePrefix() + base64.RawURLEncoding.EncodeToString(hashed(state)[:9]),
		Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.base.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
	switch {
	case one.preset.formPost && c.Secure:
		c.SameSite = http.SameSiteNoneMode // the provider's page sends it with a POST
	case one.preset.formPost:
		c.SameSite = 0
	}
	return c
}

func (p *Providers) cookiePrefix() string {
	if p.base.Scheme == "https" {
		return "__Host-forge-auth-"
	}
	return "forge-auth-"
}

// maxCookies is how many sign-ins a browser can have begun at once.
const maxCookies = 5

// dropCookies removes cookies of earlier sign-ins if the browser has many of them.
func (p *Providers) dropCookies(w http.ResponseWriter, r *http.Request) {
	var names []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, p.cookiePrefix()) {
			names = append(names, c.Name)
		}
	}
	for len(names) >= maxCookies {
		http.SetCookie(w, &http.Cookie{Name: names[0], Path: "/", MaxAge: -1, HttpOnly: true, Secure: p.base.Scheme == "https"})
		names = names[1:]
	}
}

// single returns the value of a parameter. It returns "" if the parameter is missing, is there more
// than once, or is too long.
func single(form url.Values, name string) string {
	if values := form[name]; len(values) == 1 && len(values[0]) <= maxParam {
		return values[0]
	}
	return ""
}
