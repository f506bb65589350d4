package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// mostKept is how many mails an inbox keeps.
const mostKept = 100

// Inbox keeps mails instead of sending them, for development. It is also the handler of a page that
// shows them.
type Inbox struct {
	file string // "" for none
	log  *slog.Logger

	mu    sync.Mutex
	mails []Received // the newest first
}

// Received is a mail in an inbox.
type Received struct {
	Message
	At time.Time `json:"at"`
}

// NewInbox returns an inbox. It also appends each mail to a file, unless file is "".
func NewInbox(file string, log *slog.Logger) *Inbox { return &Inbox{file: file, log: log} }

// Greet returns nil.
func (*Inbox) Greet(context.Context) error { return nil }

// Send keeps a mail. It refuses what a mail server would refuse.
func (i *Inbox) Send(ctx context.Context, m *Message) error {
	if _, err := m.build(); err != nil {
		return Rejected{err}
	}
	r := Received{*m, time.Now().UTC().Truncate(time.Second)}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.mails = slices.Insert(i.mails, 0, r)
	i.mails = i.mails[:min(len(i.mails), mostKept)]
	if err := i.write(r); err != nil {
		i.log.WarnContext(ctx, "a mail is only in the inbox, and not in its file", "error", err)
	}
	return nil
}

// largestFile is the size beyond which the file of an inbox is begun anew.
const largestFile = 1 << 20

// write appends a mail to the file. Nobody else may read it, because it has links that sign people
// in.
func (i *Inbox) write(r Received) error {
	if i.file == "" {
		return nil
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(i.file); err == nil && info.Size() > largestFile {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(i.file, flags, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "Date: %s\nFrom: %s\nTo: %s\nSubject: %s\n\n%s\n----\n", r.At.Format(time.RFC1123Z), r.From, r.To, r.Subject, r.Text)
	if err := f.Close(); err != nil {
		return err
	}
	return err
}

// Mails returns the mails of the inbox, the newest first.
func (i *Inbox) Mails() []Received {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.mails)
}

// inboxPolicy lets the page of the inbox load nothing, and run no script. What a mail says is shown
// in a frame that may do nothing but follow links into a new window.
const inboxPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var page = template.Must(template.New("inbox").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Inbox</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
article { border-top: 1px solid; padding: 1rem 0 }
h2 { margin: 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
iframe { width: 100%; height: 24rem; border: 1px solid; background: white; color-scheme: light }
</style>
<h1>Inbox</h1>
<p>MAIL_URL is not set, so mails are kept here and go to nobody. The newest {{.Most}} are shown.
<a href="/">Playground</a> · <a href="/inbox.json">as JSON</a></p>
{{range .Mails}}
<article>
<h2>{{.Subject}}</h2>
<p>To {{.To}}, from {{.From}}, <time>{{.At.Format "2006-01-02 15:04:05"}}</time></p>
<pre>{{.Text}}</pre>
<details><summary>HTML</summary>
<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="{{.Subject}}" srcdoc="&lt;base target=_blank&gt;{{.HTML}}"></iframe></details>
</article>
{{else}}
<p>There is no mail yet.</p>
{{end}}
</html>
`))

// ServeHTTP answers GET /inbox with a page that shows the mails, and GET /inbox.json with a list.
func (i *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", inboxPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if r.URL.Path == "/inbox.json" {
		h.Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(append([]Received{}, i.Mails()...)) // it fails if the client is gone
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{"Mails": i.Mails(), "Most": mostKept})
}
