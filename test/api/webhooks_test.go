package api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/graph"
	"forge/internal/blob"
	"forge/internal/gqlexec"
	"forge/internal/provider"
	"forge/internal/retry"
	"forge/internal/viewer"
	"forge/internal/webhook"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// newHooks returns an API that delivers webhooks until the test ends, or stop is called.
func newHooks(t testing.TB, url string, o webhook.Options) (a *api, stop func()) {
	t.Helper()
	a = newUndelivered(t, url, o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { a.hooks.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return a, stop
}

// newUndelivered returns an API that has webhooks, and delivers nothing.
func newUndelivered(t testing.TB, url string, o webhook.Options) *api {
	t.Helper()
	a := newBareAPI(t, url)
	a.self = viewer.System
	cfg := a.following()
	o.DB, o.Accounts, o.Log, o.Look, o.Retry = a.db, graph.Accounts{}, a.log, 20*time.Millisecond, retry.Backoff{First: 20 * time.Millisecond}
	a.hooks = webhook.New(o)
	cfg.Webhooks, cfg.Uploads = a.hooks, a.uploadsTo(blob.NewFolder(t.TempDir()))
	cfg.Operator = a.operator()
	cfg.Providers = provider.New(provider.Options{File: &provider.File{PublicURL: "https://forge.example", Providers: []*provider.Config{{Name: "example"}}}})
	a.configure(cfg)
	a.hooks.Serve(a.handler.(*gqlexec.Handler))
	return a
}

// receiver is one that webhooks are delivered to. It checks their signatures.
type receiver struct {
	*httptest.Server
	t      testing.TB
	secret string

	mu     sync.Mutex
	ids    []string
	bodies []string
}

// newReceiver returns a receiver that answers with status 204 if answer does not.
func newReceiver(t testing.TB, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	got := &receiver{t: t, secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789"))}
	got.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := got.take(r)
		answer(n, w, r)
	}))
	t.Cleanup(got.Close)
	return got
}

// take keeps a delivery, and returns how many there were before.
func (r *receiver) take(request *http.Request) int {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Errorf("read a delivery: %v", err)
	}
	id, at := request.Header.Get("webhook-id"), request.Header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789"))
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); request.Header.Get("webhook-signature") != want || request.Method != http.MethodPost {
		r.t.Errorf("a delivery by %s is signed %q, want %q", request.Method, request.Header.Get("webhook-signature"), want)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids, r.bodies = append(r.ids, id), append(r.bodies, string(body))
	return len(r.ids) - 1
}

// lose forgets a delivery: nobody has learned that it arrived.
func (r *receiver) lose(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies[n] = `{"data": {}}`
}

// created returns the names of the heroes that were told to be created, each once, in the order of
// the first deliveries.
func (r *receiver) created() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.bodies {
		var got gqltest.Answer
		if err := json.Unmarshal([]byte(body), &got); err != nil || !got.OK() {
			r.t.Errorf("a delivery is %s", body)
		}
		for _, one := range told(got) {
			if name, ok := strings.CutPrefix(one, "CREATED "); ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// waitFor waits until the heroes were told to be created, in this order.
func (r *receiver) waitFor(names ...string) {
	r.t.Helper()
	gqltest.Eventually(r.t, "a webhook tells of heroes", func() error {
		if got := r.created(); !slices.Equal(got, names) {
			return fmt.Errorf("got %q, want %q", got, names)
		}
		return nil
	})
}

const createWebhook = `mutation($url: String!, $document: String!, $secret: String, $user: ID, $role: WebhookRole, $variables: String) {
  createWebhook(input: {url: $url, document: $document, secret: $secret, userId: $user, role: $role, variables: $variables}) { secret webhook { id } } }`

const hookDocument = `subscription { heroChanges { changes { kind id hero { name } } } }`

// hook makes an endpoint, and returns its ID.
func (a *api) hook(r *receiver, path string) string {
	a.t.Helper()
	return a.Must(createWebhook, vars{"url": r.URL + path, "document": hookDocument, "secret": r.secret}).Text("createWebhook.webhook.id")
}

func (a *api) hero(name string) {
	a.t.Helper()
	a.Must(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, vars{"n": name})
}

// hookIs waits until what the API shows of an endpoint is as check says.
func (a *api) hookIs(id string, check func(hook map[string]any) bool) {
	a.t.Helper()
	gqltest.Eventually(a.t, "a webhook is as expected", func() error {
		got := a.Must(`{ webhooks { id failures lastStatus lastError disabledReason nextAttemptAt deliveredAt role user { username } } }`, nil)
		var all struct{ Webhooks []map[string]any }
		if err := got.Decode(&all); err != nil {
			a.t.Fatal(err)
		}
		for _, hook := range all.Webhooks {
			if hook["id"] == id && check(hook) {
				return nil
			}
		}
		return fmt.Errorf("got %s", got.Body)
	})
}

func noContent(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// TestWebhook has two servers deliver, and ends one of them while it delivers.
func TestWebhook(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		arrived, release := make(chan struct{}), make(chan struct{})
		var r *receiver
		r = newReceiver(t, func(n int, w http.ResponseWriter, request *http.Request) {
			if n == 2 {
				close(arrived)
				select {
				case <-release:
				case <-request.Context().Done():
					r.lose(n)
				}
			}
			w.WriteHeader(http.StatusNoContent)
		})
		defer close(release)
		a, stop := newHooks(t, url, webhook.Options{Private: true})
		a.hook(r, "/")
		var names []string
		next := func() {
			names = append(names, fmt.Sprintf("H%02d", len(names)))
			a.hero(names[len(names)-1])
		}
		for i := range 3 {
			next()
			if i < 2 {
				r.waitFor(names...)
			}
		}
		<-arrived
		b, _ := newHooks(t, url, webhook.Options{Private: true})
		for range 10 {
			next()
		}
		stop()
		for range 10 {
			next()
		}
		r.waitFor(names...)
		// A server that was killed has left its lease.
		gone := time.Now().UTC().Add(300 * time.Millisecond)
		b.stored(func(ctx context.Context, db *ent.Client) {
			if err := db.Webhook.Update().SetLease(uuid.New()).SetLeasedUntil(gone).Exec(ctx); err != nil {
				t.Fatal(err)
			}
		})
		next()
		r.waitFor(names...)
		if time.Now().Before(gone) {
			t.Error("another server's lease was not heeded")
		}
	})
}

// TestWebhookFailures delivers to receivers that do not do well, while another one hears of
// everything.
func TestWebhookFailures(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	a, _ := newHooks(t, dbtest.SQLite(t), webhook.Options{Private: true, Timeout: 200 * time.Millisecond})
	status := func(code int) *receiver {
		return newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	well := newReceiver(t, noContent)
	other := newReceiver(t, noContent)
	flaky := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n < 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	broken, gone := status(http.StatusInternalServerError), status(http.StatusGone)
	hangs := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(hung) }) // before the receivers are closed
	endless := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	redirects := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	busy := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	ids := map[*receiver]string{}
	for _, r := range []*receiver{broken, gone, hangs, redirects, flaky, endless, busy, well} {
		ids[r] = a.hook(r, "/")
	}
	a.hero("A")
	well.waitFor("A")
	endless.waitFor("A")
	flaky.waitFor("A")
	a.hookIs(ids[flaky], func(hook map[string]any) bool { return hook["deliveredAt"] != nil && hook["failures"] == 0.0 })
	if got := flaky.ids; len(got) != 3 || got[0] != got[1] || got[1] != got[2] {
		t.Errorf("the attempts of one delivery have the IDs %q, want three that are the same", got)
	}
	for r, want := range map[*receiver]string{broken: "answered 500", redirects: "answered 307; redirects", hangs: "not answered within 200ms"} {
		a.hookIs(ids[r], func(hook map[string]any) bool {
			return hook["failures"].(float64) > 1 && hook["nextAttemptAt"] != nil && strings.Contains(hook["lastError"].(string), want)
		})
	}
	a.hookIs(ids[busy], func(hook map[string]any) bool {
		at, ok := hook["nextAttemptAt"].(string)
		due, err := time.Parse(time.RFC3339, at)
		return ok && err == nil && time.Until(due) > 50*time.Minute
	})
	a.hookIs(ids[gone], func(hook map[string]any) bool {
		return hook["disabledReason"] != nil && strings.Contains(hook["disabledReason"].(string), "410") && hook["lastStatus"] == 410.0
	})
	a.hero("B")
	well.waitFor("A", "B")
	if len(gone.bodies) != 1 || len(other.bodies) != 0 {
		t.Errorf("the receiver that is gone got %d deliveries, want 1; the other one got %d, want 0", len(gone.bodies), len(other.bodies))
	}
	a.Must(`mutation($id: ID!) { replayWebhook(id: $id) { webhook { disabledAt } } }`, vars{"id": ids[gone]})
	gone.waitFor("A", "B")
}

// TestWebhookReplay delivers again from an older cursor, skips what has happened, and turns off.
func TestWebhookReplay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a, _ := newHooks(t, url, webhook.Options{Private: true})
		r := newReceiver(t, noContent)
		id := a.hook(r, "/")
		before := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
		a.hero("A")
		r.waitFor("A")
		a.Must(`mutation($id: ID!, $after: ChangeCursor) { replayWebhook(id: $id, after: $after) { webhook { cursor } } }`, vars{"id": id, "after": before})
		gqltest.Eventually(t, "A is delivered again", func() error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.bodies) < 2 {
				return fmt.Errorf("got %q", r.bodies)
			}
			return nil
		})
		a.Must(`mutation($id: ID!) { updateWebhook(id: $id, input: {enabled: false}) { webhook { disabledReason } } }`, vars{"id": id})
		a.hookIs(id, func(hook map[string]any) bool { return hook["disabledReason"] != nil })
		a.hero("B")
		a.hookIs(id, func(map[string]any) bool { return true })
		a.Must(`mutation($id: ID!) { replayWebhook(id: $id, after: "now") { webhook { disabledAt } } }`, vars{"id": id})
		a.hero("C")
		gqltest.Eventually(t, "C is delivered", func() error {
			if got := r.created(); !slices.Contains(got, "C") {
				return fmt.Errorf("got %q", got)
			}
			return nil
		})
		for query, code := range map[string]string{
			`mutation($id: ID!) { replayWebhook(id: $id, after: "forged") { webhook { id } } }`:                   "BAD_USER_INPUT",
			`mutation($id: ID!) { updateWebhook(id: $id, input: {secret: "whsec_c2hvcnQ="}) { webhook { id } } }`: "BAD_USER_INPUT",
			`mutation($id: ID!) { updateWebhook(id: $id, input: {url: "ftp://example.com"}) { webhook { id } } }`: "BAD_USER_INPUT",
			`mutation { deleteWebhook(id: "webhook_00000000000000000000000001") { deletedId } }`:                  "NOT_FOUND",
			`mutation { replayWebhook(id: "user_00000000000000000000000001") { webhook { id } } }`:                "BAD_USER_INPUT",
			`mutation { updateWebhook(id: "webhook_00000000000000000000000001", input: {}) { webhook { id } } }`:  "NOT_FOUND",
		} {
			v := vars{"id": id}
			if !strings.Contains(query, "$id") {
				v = nil
			}
			if got := a.Do(query, v); got.Code() != code {
				t.Errorf("%s: %s, want %s", query, got.Body, code)
			}
		}
		rotated := a.Must(`mutation($id: ID!) { updateWebhook(id: $id, input: {rotateSecret: true}) { secret } }`, vars{"id": id}).Text("updateWebhook.secret")
		if !strings.HasPrefix(rotated, "whsec_") || rotated == r.secret {
			t.Errorf("the new secret is %q", rotated)
		}
		a.Must(`mutation($id: ID!) { deleteWebhook(id: $id) { deletedId } }`, vars{"id": id})
		if got := a.Must(`{ webhooks { id } }`, nil); got.Len("webhooks") != 0 {
			t.Errorf("the endpoint is still there: %s", got.Body)
		}
	})
}

// TestWebhookViewer has endpoints act as users.
func TestWebhookViewer(t *testing.T) {
	t.Parallel()
	a, _ := newHooks(t, dbtest.SQLite(t), webhook.Options{Private: true})
	user := a.Must(`mutation { createUser(input: {username: "ada", email: "ada@example.com"}) { user { id } } }`, nil).Text("createUser.user.id")
	r := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {})
	id := a.Must(createWebhook, vars{"url": r.URL, "secret": r.secret, "user": user,
		"document": `subscription($u: [ID!]) { userChanges(ids: $u) { changes { kind user { email } } } }`, "variables": fmt.Sprintf(`{"u": [%q]}`, user)}).Text("createWebhook.webhook.id")
	a.Must(`mutation($id: ID!) { updateUser(id: $id, input: {email: "lovelace@example.com"}) { user { id } } }`, vars{"id": user})
	gqltest.Eventually(t, "the user's change is delivered", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.bodies) == 0 || !strings.Contains(r.bodies[len(r.bodies)-1], "lovelace@example.com") {
			return fmt.Errorf("got %q", r.bodies)
		}
		return nil
	})
	a.hookIs(id, func(hook map[string]any) bool {
		return hook["role"] == nil && hook["user"].(map[string]any)["username"] == "ada"
	})
	a.Must(`mutation($id: ID!) { updateUser(id: $id, input: {isActive: false}) { user { id } } }`, vars{"id": user})
	a.hookIs(id, func(hook map[string]any) bool {
		return hook["disabledReason"] != nil && strings.Contains(hook["disabledReason"].(string), "no such account")
	})
}

// TestWebhookRefused makes endpoints that cannot be.
func TestWebhookRefused(t *testing.T) {
	t.Parallel()
	a, _ := newHooks(t, dbtest.SQLite(t), webhook.Options{})
	r := newReceiver(t, noContent)
	usual := vars{"url": "https://example.com/", "document": hookDocument}
	for _, tt := range []struct {
		name, value, want string
	}{
		{"url", r.URL, "https"},
		{"url", "https://127.0.0.1/", "public internet"},
		{"url", "https://a:b@example.com/", "password"},
		{"secret", "whsec_c2hvcnQ=", "24 to 64 bytes"},
		{"secret", "secret", "whsec_"},
		{"document", "{ heroes { totalCount } }", "query is no subscription"},
		{"document", "subscription { live { heroes { totalCount } } }", "live has no cursor"},
		{"document", "subscription { nothing }", "nothing"},
		{"document", "subscription {", "Expected"},
		{"document", "subscription { orderChanges { cursor } }", "ANONYMOUS may not call orderChanges"},
		{"document", `subscription { heroChanges(ids: ["team_00000000000000000000000001"]) { cursor } }`, "hero_"},
		{"variables", "[]", "JSON object"},
		{"user", "user_00000000000000000000000001", "no such account"},
		{"user", "team_00000000000000000000000001", "user_"},
	} {
		input := vars{}
		for name, value := range usual {
			input[name] = value
		}
		input[tt.name] = tt.value
		if got := a.Do(createWebhook, input); got.OK() || !strings.Contains(got.Body, tt.want) {
			t.Errorf("%s %q: got %s, want an error about %s", tt.name, tt.value, got.Body, tt.want)
		}
	}
	for _, v := range []viewer.Viewer{{}, {ID: uuid.New(), Role: viewer.User}} {
		for _, query := range []string{`{ webhooks { id } }`, `mutation { deleteWebhook(id: "webhook_00000000000000000000000001") { deletedId } }`} {
			if got := a.as(v).Do(query, nil); got.OK() {
				t.Errorf("%s may %s: %s", v.Role, query, got.Body)
			}
		}
	}
	if got := a.Must(`{ webhooks { id } }`, nil); got.Len("webhooks") != 0 {
		t.Errorf("something was stored: %s", got.Body)
	}
	// A name that means this machine is refused when it is connected to.
	id := a.Must(createWebhook, vars{"url": strings.Replace(strings.Replace(r.URL, "http:", "https:", 1), "127.0.0.1", "localhost", 1), "document": hookDocument}).Text("createWebhook.webhook.id")
	a.hero("A")
	a.hookIs(id, func(hook map[string]any) bool {
		return hook["lastError"] != nil && strings.Contains(hook["lastError"].(string), "public internet")
	})
	if len(r.bodies) > 0 {
		t.Errorf("this machine got %q", r.bodies)
	}
}
