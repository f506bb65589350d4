package mail

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emersion/go-smtp"

	"forge/ent"
	_ "forge/ent/runtime" // the policies of ent/schema
	"forge/internal/database"
	"forge/internal/retry"
	"forge/internal/unit"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// server is a mail server that keeps what it gets.
type server struct {
	*smtp.Server
	mu     sync.Mutex
	got    []string
	refuse func(to string) error // may be nil
}

// listen starts a mail server at an address, and ends it with the test.
func listen(t *testing.T, s *server, address string) (at string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &dialogue{server: s}, nil }))
	s.Domain, s.AllowInsecureAuth = "localhost", true
	go func() { _ = s.Serve(l) }() // it ends when the server is closed
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

func (s *server) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.got...)
}

// dialogue is one connection to a server.
type dialogue struct {
	server *server
	to     string
}

func (d *dialogue) Mail(string, *smtp.MailOptions) error { return nil }
func (d *dialogue) Reset()                               {}
func (d *dialogue) Logout() error                        { return nil }

func (d *dialogue) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	if d.server.refuse != nil {
		return d.server.refuse(to)
	}
	return nil
}

func (d *dialogue) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	d.server.got = append(d.server.got, "RCPT "+d.to+"\n"+strings.ReplaceAll(string(text), "\r\n", "\n"))
	return err
}

// files are templates.
var files = fstest.MapFS{
	"layout.html":   {Data: []byte(`<body>{{template "body" .}}</body>`)},
	"en/hello.txt":  {Data: []byte("Subject: Hello {{.What}}\n\nGo to {{.Link}}\n")},
	"en/hello.html": {Data: []byte(`<a href="{{.Link}}">{{.What}}</a>`)},
	"de/hello.txt":  {Data: []byte("Subject: Hallo\n\nWeiter: {{.Link}}\n")},
	"de/hello.html": {Data: []byte(`<p>Hallo</p>`)},
}

// newMails returns mails on a database that go to sender, and number their links.
func newMails(t *testing.T, url string, sender Sender) *Mails {
	t.Helper()
	db, err := database.Open(url, database.Options{PoolSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	templates, err := NewTemplates(files, nil, "hello")
	if err != nil {
		t.Fatal(err)
	}
	m := New(Options{DB: db, Sender: sender, Templates: templates, From: "Shop <shop@example.com>", Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Look: 5 * time.Millisecond, Lease: time.Second, Retry: retry.Backoff{First: 10 * time.Millisecond}})
	var links atomic.Int32
	m.Composers["hello"] = func(_ context.Context, q *Queued) (*Letter, error) {
		return &Letter{To: q.Recipient, Values: Values{Link: fmt.Sprintf("https://app.example/#%d", links.Add(1)), What: "you"}}, nil
	}
	return m
}

func (m *Mails) put(t *testing.T, to string) {
	t.Helper()
	err := m.Within(t.Context(), func(ctx context.Context) error {
		return m.Put(ctx, Queued{Template: "hello", Recipient: to, Language: "en"})
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Wrote()
}

func (m *Mails) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { m.Run(ctx) })
	t.Cleanup(func() { stop(); all.Wait() })
}

func (m *Mails) rows(t *testing.T) (rows []*ent.Mail) {
	t.Helper()
	err := m.Within(t.Context(), func(ctx context.Context) (err error) {
		rows, err = ent.FromUnit(ctx).Mail.Query().All(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (m *Mails) empty(t *testing.T) {
	t.Helper()
	gqltest.Eventually(t, "the queue is empty", func() error {
		if rows := m.rows(t); len(rows) > 0 {
			return fmt.Errorf("%d mails wait, the first: %v", len(rows), rows[0])
		}
		return nil
	})
}

// TestServerGoesAndComes queues mails while the mail server is away. All of them arrive when it is
// back, with the parts that a mail has.
func TestServerGoesAndComes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		s := &server{}
		at := listen(t, s, "127.0.0.1:0")
		sender, err := NewSender("smtp://"+at, "")
		if err != nil {
			t.Fatal(err)
		}
		m := newMails(t, url, sender)
		m.run(t)
		m.put(t, "first@example.com")
		m.empty(t)
		s.Close()
		for i := range 3 {
			m.put(t, fmt.Sprintf("later%d@example.com", i))
		}
		gqltest.Eventually(t, "all have failed", func() error {
			for _, row := range m.rows(t) {
				if row.Failures < 2 || row.LastError == nil {
					return fmt.Errorf("%v", row)
				}
			}
			return nil
		})
		if m.Age() <= 0 {
			t.Error("the queue has no age")
		}
		listen(t, s, at)
		m.empty(t)
		got := s.mails()
		if len(got) != 4 {
			t.Fatalf("%d mails, want 4: %s", len(got), got)
		}
		parsed, err := netmail.ReadMessage(strings.NewReader(strings.SplitN(got[0], "\n", 2)[1]))
		if err != nil {
			t.Fatal(err)
		}
		h := parsed.Header
		if h.Get("To") != "<first@example.com>" || h.Get("From") != `"Shop" <shop@example.com>` || h.Get("Subject") != "Hello you" ||
			!strings.HasPrefix(h.Get("Message-ID"), "<mail_") || !strings.HasSuffix(h.Get("Message-ID"), "@example.com>") ||
			h.Get("Auto-Submitted") != "auto-generated" || !strings.HasPrefix(h.Get("Content-Type"), "multipart/alternative") {
			t.Errorf("headers: %v", h)
		}
	})
}

// TestKilledAfterSending has a server end between the sending of a mail and its removal. Another
// one sends it again, under the same ID and with another token.
func TestKilledAfterSending(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		inbox := NewInbox("", nil)
		m := newMails(t, url, inbox)
		m.put(t, "ada@example.com")
		rows, err := m.lease(t.Context())
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		if err := m.send(t.Context(), rows[0]); err != nil {
			t.Fatal(err)
		}
		if again, err := m.lease(t.Context()); err != nil || len(again) != 0 {
			t.Fatalf("leased twice: %v, %v", again, err)
		}
		m.run(t) // the row is as a server that was killed leaves it
		m.empty(t)
		got := inbox.Mails()
		if len(got) != 2 || got[0].ID != got[1].ID || got[0].Text == got[1].Text {
			t.Errorf("%+v", got)
		}
	})
}

// TestServersShareMails has three servers send. No mail is sent twice.
func TestServersShareMails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		inbox := NewInbox("", nil)
		first := newMails(t, url, inbox)
		for i := range 40 {
			first.put(t, fmt.Sprintf("user%d@example.com", i))
		}
		servers := []*Mails{first}
		if first.DB.Dialect == "postgres" {
			servers = append(servers, newMails(t, url, inbox), newMails(t, url, inbox))
		}
		for _, m := range servers {
			m.Lease = time.Minute
			m.run(t)
		}
		first.empty(t)
		seen := map[string]bool{}
		for _, r := range inbox.Mails() {
			if seen[r.To] {
				t.Errorf("%s twice", r.To)
			}
			seen[r.To] = true
		}
		if len(seen) != 40 {
			t.Errorf("%d mails, want 40", len(seen))
		}
	})
}

// TestGivenUp has a mail server refuse a recipient for good, and another for now. The first is
// given up at once, the second after a time. What was given up is removed later, and no error has
// the address.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	s := &server{refuse: func(to string) error {
		if to == "never@example.com" {
			return &smtp.SMTPError{Code: 550, Message: "no such mailbox: " + to}
		}
		return &smtp.SMTPError{Code: 451, Message: "later: " + to}
	}}
	sender, err := NewSender("smtp://"+listen(t, s, "127.0.0.1:0"), "")
	if err != nil {
		t.Fatal(err)
	}
	m := newMails(t, dbtest.SQLite(t), sender)
	var mu sync.Mutex
	results := map[string]int{}
	m.Count = func(result string) {
		mu.Lock()
		defer mu.Unlock()
		results[result]++
	}
	m.run(t)
	m.put(t, "never@example.com")
	m.put(t, "later@example.com")
	gqltest.Eventually(t, "one is given up, and the other tried again", func() error {
		for _, row := range m.rows(t) {
			if never := row.Recipient == "never@example.com"; never && row.FailedAt == nil || !never && row.Failures < 2 {
				return fmt.Errorf("%v", row)
			}
		}
		return nil
	})
	if _, err := m.DB.ExecContext(t.Context(), "UPDATE mails SET created_at = '2000-01-01 00:00:00'"); err != nil {
		t.Fatal(err)
	}
	gqltest.Eventually(t, "both are given up", func() error {
		for _, row := range m.rows(t) {
			if row.FailedAt == nil {
				return fmt.Errorf("%v", row)
			}
		}
		return nil
	})
	for _, row := range m.rows(t) {
		if never := row.Recipient == "never@example.com"; never != (row.Failures == 1) || strings.Contains(*row.LastError, "@") {
			t.Errorf("%s: %d failures, %s", row.Recipient, row.Failures, *row.LastError)
		}
	}
	mu.Lock()
	if results["dead"] != 2 || results["failed"] == 0 {
		t.Errorf("%v", results)
	}
	mu.Unlock()
	err = m.Within(t.Context(), func(ctx context.Context) error {
		now, err := unit.FromContext(ctx).Now(ctx)
		if err != nil {
			return err
		}
		if n, err := m.Expired(ctx, now); n != 0 || err != nil {
			t.Errorf("%d removed at once, %v", n, err)
		}
		n, err := m.Expired(ctx, now.Add(m.Keep+time.Minute))
		if n != 2 {
			t.Errorf("%d removed in the end", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestHeaderInjection tries to get a line break into a mail by each value that could bring one. The
// mail is rejected, or the break is gone.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	good := Message{ID: "mail_1", From: "shop@example.com", To: "ada@example.com", Subject: "Hello", Text: "a", HTML: "b"}
	for _, evil := range []string{"x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com", "x\rBcc: eve@example.com", "x\x00", "x\u0085Bcc: y"} {
		for name, m := range map[string]Message{
			"to":       {ID: good.ID, From: good.From, To: "ada@example.com" + evil, Subject: "s"},
			"to name":  {ID: good.ID, From: good.From, To: evil + " <ada@example.com>", Subject: "s"},
			"to local": {ID: good.ID, From: good.From, To: `"` + evil + `"@example.com`, Subject: "s"},
			"from":     {ID: good.ID, From: evil + " <shop@example.com>", To: good.To, Subject: "s"},
			"subject":  {ID: good.ID, From: good.From, To: good.To, Subject: evil},
			"id":       {ID: evil, From: good.From, To: good.To, Subject: "s"},
		} {
			if built, err := m.build(); err == nil {
				t.Errorf("%s with %q makes a mail: %v", name, evil, built.GetGenHeader("Subject"))
			}
		}
	}
	for _, to := range []string{"", "ada", "ada@example.com, eve@example.com", "Ada <ada@example.com>", "<ada@example.com>", "ada@example.com>\r\nDATA"} {
		m := good
		if m.To = to; NewInbox("", nil).Send(t.Context(), &m) == nil {
			t.Errorf("the recipient %q is taken", to)
		}
	}
	templates, err := NewTemplates(files, nil, "hello")
	if err != nil {
		t.Fatal(err)
	}
	m, err := templates.Render("hello", "en", Values{Link: "https://x", What: "<script>\r\nBcc: eve@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.Subject, "\n") || strings.Contains(m.HTML, "<script>") {
		t.Errorf("%+v", m)
	}
}

// TestSenders checks which addresses are taken, and that a password leaves the machine only by TLS.
func TestSenders(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
	for address, want := range map[string]bool{
		"smtp://mail.example.com": true, "smtps://ada:pass@mail.example.com:465": true, "https://mail.example.com/send": true, "http://127.0.0.1:1/": true,
		"smtp://": false, "http://mail.example.com/": false, "ftp://mail.example.com": false, "mail.example.com:25": false, "smtp://mail.example.com/inbox": false,
		"smtp://mail.example.com:0": false, "https://ada:pass@mail.example.com": false, "smtp://mail.example.com?tls=off": false, "smtp://x\n": false,
	} {
		if _, err := NewSender(address, secret); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		} else if err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: the error has the password: %v", address, err)
		}
	}
	if _, err := NewSender("https://mail.example.com", ""); err == nil {
		t.Error("https without a secret is taken")
	}

	s := &server{}
	at := listen(t, s, "127.0.0.1:0") // it offers no TLS
	for _, address := range []string{"smtp://ada:pass@mail.example.com", "smtp://mail.example.com"} {
		sender, err := NewSender(address, "")
		if err != nil {
			t.Fatal(err)
		}
		sender.(*smtpSender).dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, at)
		}
		m := Message{ID: "mail_1", From: "shop@example.com", To: "ada@example.com", Subject: "Hello"}
		if err := sender.Send(t.Context(), &m); err == nil || len(s.mails()) > 0 {
			t.Errorf("%s: a mail has gone out without TLS, %v", address, err)
		}
	}
}

// TestSilentServer sends to a server that never answers. The context ends the attempt.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sender, err := NewSender("smtp://"+l.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := sender.Greet(ctx); err == nil {
		t.Error("a silent server was greeted")
	}
}

// TestHook posts a mail to a service, signed by Standard Webhooks.
func TestHook(t *testing.T) {
	t.Parallel()
	key := []byte("012345678901234567890123")
	status := http.StatusNoContent
	var got Message
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("Webhook-Signature") != want || r.Header.Get("Idempotency-Key") != "mail_1" {
			t.Errorf("headers: %v", r.Header)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
	}))
	defer service.Close()
	sender, err := NewSender(service.URL, "whsec_"+base64.StdEncoding.EncodeToString(key))
	if err != nil {
		t.Fatal(err)
	}
	m := Message{ID: "mail_1", Template: "hello", From: "shop@example.com", To: "ada@example.com", Subject: "Hello", Text: "a", HTML: "b"}
	if err := sender.Send(t.Context(), &m); err != nil || got != m {
		t.Errorf("%+v, %v", got, err)
	}
	status = http.StatusServiceUnavailable
	if err := sender.Send(t.Context(), &m); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("%v", err)
	}
	if err := sender.Greet(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTemplates has a team's own template count, and refuses folders that cannot be used.
func TestTemplates(t *testing.T) {
	t.Parallel()
	own := fstest.MapFS{
		"en/hello.txt":    {Data: []byte("Subject: Ours\n\n{{.Hours}} h, {{.Minutes}} min\n")},
		"pt-BR/hello.txt": {Data: []byte("Subject: Ola\n\n{{.Link}}\n")}, "pt-BR/hello.html": {Data: []byte("Ola")},
	}
	templates, err := NewTemplates(files, own, "hello")
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{"": "Ours", "de-AT, en;q=0.5": "Hallo", "pt": "Ola", "xx": "Ours", "q=;;,": "Ours", strings.Repeat("de,", 1000): "Ours"} {
		m, err := templates.Render("hello", templates.Language(header), Values{Life: 90 * time.Minute})
		if err != nil || m.Subject != want {
			t.Errorf("%.50q: %+v, %v", header, m, err)
		}
	}
	for name, bad := range map[string]fstest.MapFS{
		"no subject":    {"en/hello.txt": {Data: []byte("Hello\n\n")}},
		"unknown field": {"en/hello.txt": {Data: []byte("Subject: a\n\n{{.Name}}\n")}},
		"syntax":        {"en/hello.html": {Data: []byte("{{if}}")}},
		"half":          {"fr/hello.txt": {Data: []byte("Subject: a\n\nb\n")}},
	} {
		if _, err := NewTemplates(files, bad, "hello"); err == nil || !strings.Contains(err.Error(), "hello") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewTemplates(files, nil, "other"); err == nil {
		t.Error("a template that is not there was found")
	}
	if _, err := NewTemplates(files, os.DirFS(filepath.Join(t.TempDir(), "none")), "hello"); err == nil {
		t.Error("a folder that is not there was read")
	}
}

// TestInbox looks at the page, the list and the file of an inbox.
func TestInbox(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "forge.db.mails")
	inbox := NewInbox(file, slog.New(slog.NewTextHandler(t.Output(), nil)))
	for i := range mostKept + 1 {
		m := Message{ID: "mail_1", From: "shop@example.com", To: "ada@example.com", Subject: fmt.Sprintf("<b>Hello %d", i), Text: "<script>alert(1)</script>", HTML: `"><script>alert(2)</script>`}
		if err := inbox.Send(t.Context(), &m); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		inbox.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	page := get("/inbox")
	if body := page.Body.String(); !strings.Contains(body, "Hello 100") || strings.Contains(body, "Hello 0<") || strings.Contains(body, "<script") || strings.Contains(body, "<b>") ||
		!strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v %s", page.Header(), body)
	}
	var list []Received
	if err := json.Unmarshal(get("/inbox.json").Body.Bytes(), &list); err != nil || len(list) != mostKept || list[0].Subject != "<b>Hello 100" {
		t.Errorf("%d mails, %v", len(list), err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}
