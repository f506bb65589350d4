package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"forge/internal/webhook"
)

// Message is a mail that is ready to be sent.
type Message struct {
	ID       string `json:"id"` // the same at each attempt
	Template string `json:"template"`
	From     string `json:"from"`
	To       string `json:"to"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	HTML     string `json:"html"`
}

// A Sender sends mails.
type Sender interface {
	// Send sends a mail. It returns a Rejected if another attempt would not help.
	Send(ctx context.Context, m *Message) error
	// Greet returns an error if the service that takes mails cannot be reached.
	Greet(ctx context.Context) error
}

// Rejected is the error for a mail that cannot be sent, however often it is tried.
type Rejected struct{ error }

// Unwrap returns the reason.
func (r Rejected) Unwrap() error { return r.error }

// sendTime is how long it may take to send a mail.
const sendTime = 30 * time.Second

// NewSender returns what sends mails to an address: smtp://, smtps://, or https:// for a service
// that takes each mail as JSON, signed with a secret by Standard Webhooks. The error does not show
// the address, which may have a password.
func NewSender(address, secret string) (Sender, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Fragment != "" {
		return nil, errors.New("it is no address of a service that takes mails")
	}
	switch local := loopback(u.Hostname()); {
	case u.Scheme == "smtp" || u.Scheme == "smtps":
		if (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
			return nil, errors.New("there is nothing behind HOST:PORT of a mail server")
		}
		return newSMTP(u, local)
	case u.Scheme == "http" && !local:
		return nil, errors.New("mails that go over http could be read on the way")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q is not a scheme for mails", u.Scheme)
	case u.User != nil:
		return nil, errors.New("it has a user; what is sent is signed with MAIL_SECRET")
	}
	if err := webhook.CheckSecret("", secret); err != nil {
		return nil, errors.New("it needs MAIL_SECRET: whsec_ and the Base64 of 24 to 64 bytes")
	}
	return &hook{address: address, secret: secret, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// smtpSender sends mails to a mail server.
type smtpSender struct {
	address, host string
	dial          func(ctx context.Context, network, address string) (net.Conn, error)
	options       []gomail.Option
}

func newSMTP(u *url.URL, local bool) (*smtpSender, error) {
	s := &smtpSender{host: u.Hostname(), dial: (&net.Dialer{}).DialContext}
	implicit, port := u.Scheme == "smtps", 587
	if implicit {
		s.dial = (&tls.Dialer{Config: &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}}).DialContext
		port = 465
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return nil, errors.New("the port is not one")
		}
		port = int(n)
	}
	s.address = net.JoinHostPort(s.host, strconv.Itoa(port))
	policy := gomail.TLSMandatory
	if implicit {
		policy = gomail.NoTLS // there is no second TLS within the first
	} else if local {
		policy = gomail.TLSOpportunistic
	}
	s.options = []gomail.Option{gomail.WithPort(port), gomail.WithTimeout(sendTime), gomail.WithTLSPolicy(policy), gomail.WithoutNoop()}
	if u.User != nil {
		password, _ := u.User.Password()
		kind := gomail.SMTPAuthPlain
		if implicit || local { // the connection is encrypted already, or does not leave the machine
			kind = gomail.SMTPAuthPlainNoEnc
		}
		s.options = append(s.options, gomail.WithSMTPAuth(kind), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	_, err := gomail.NewClient(s.host, s.options...)
	return s, err
}

// session connects to the server, greets it, and calls do. The connection has a deadline, because
// the library heeds none after it has connected.
func (s *smtpSender) session(ctx context.Context, do func(*gomail.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	var end func()
	dial := gomail.WithDialContextFunc(func(within context.Context, network, address string) (net.Conn, error) {
		conn, err := s.dial(within, network, address)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		end = func() {
			stop()
			conn.Close()
		}
		deadline, _ := ctx.Deadline()
		return conn, conn.SetDeadline(deadline)
	})
	client, err := gomail.NewClient(s.host, append(slices.Clip(s.options), dial)...)
	if err != nil {
		return err
	}
	defer func() {
		if end != nil {
			end()
		}
	}()
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("the mail server %s cannot be used: %w", s.address, err)
	}
	if err := do(client); err != nil {
		return err
	}
	_ = client.Close() // the mail was taken, whatever becomes of the farewell
	return nil
}

// Greet returns an error if the mail server cannot be reached, or lets nobody in.
func (s *smtpSender) Greet(ctx context.Context) error {
	return s.session(ctx, func(*gomail.Client) error { return nil })
}

// Send sends a mail.
func (s *smtpSender) Send(ctx context.Context, m *Message) error {
	built, err := m.build()
	if err != nil {
		return Rejected{err}
	}
	return s.session(ctx, func(client *gomail.Client) error { return refusal(client.Send(built)) })
}

// refusal returns an error without the address of the recipient, which does not belong into a log.
func refusal(err error) error {
	refused, ok := errors.AsType[*gomail.SendError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return errors.New("the mail was not sent, for an unknown reason")
	}
	text := fmt.Errorf("the mail server has not taken the mail: %s, code %d %s", refused.Reason, refused.ErrorCode(), refused.EnhancedStatusCode())
	if refused.Reason == gomail.ErrSMTPRcptTo && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return Rejected{text}
	}
	return text
}

// build returns the mail as it goes to a mail server. It returns an error if an address is not one,
// or if a header would have more than one line.
func (m *Message) build() (*gomail.Msg, error) {
	from, err := netmail.ParseAddress(m.From)
	if err != nil {
		return nil, errors.New("the sender is no mail address")
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Name != "" || to.Address != m.To {
		return nil, errors.New("the recipient is no mail address")
	}
	for _, header := range []string{m.From, m.To, m.Subject, m.ID} {
		if strings.ContainsFunc(header, unicode.IsControl) {
			return nil, errors.New("a header has a line break, or another control character")
		}
	}
	built := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	built.FromMailAddress(from)
	built.ToMailAddress(to)
	built.Subject(m.Subject)
	_, domain, _ := strings.Cut(from.Address, "@")
	built.SetMessageIDWithValue(m.ID + "@" + domain)
	built.SetDate()
	built.SetGenHeader("Auto-Submitted", "auto-generated")
	built.SetBodyString(gomail.TypeTextPlain, m.Text)
	built.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return built, nil
}

// hook sends mails to a service that takes them as JSON.
type hook struct {
	address, secret string
	client          *http.Client
}

// Greet connects to the service, and sends nothing.
func (h *hook) Greet(ctx context.Context) error {
	u, err := url.Parse(h.address)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// Send posts a mail. Its ID is in the headers Webhook-Id and Idempotency-Key.
func (h *hook) Send(ctx context.Context, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	body, err := json.Marshal(m)
	if err != nil {
		return Rejected{err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address, bytes.NewReader(body))
	if err != nil {
		return Rejected{err}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Forge-Mail")
	request.Header.Set("Idempotency-Key", m.ID)
	webhook.Sign(request.Header, h.secret, m.ID, time.Now(), body)
	response, err := h.client.Do(request)
	if err != nil {
		if within, ok := errors.AsType[*url.Error](err); ok {
			err = within.Err // the address stays out of the log
		}
		return fmt.Errorf("the service that takes mails cannot be used: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		return fmt.Errorf("the service that takes mails has answered %d", response.StatusCode)
	}
	return nil
}
