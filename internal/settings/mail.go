package settings

import (
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"forge/internal/account"
	"forge/internal/mail"
)

// Mail says how mails are sent.
type Mail struct {
	URL       string // "" for none
	Secret    string // what is sent to an https address is signed with; "" for none
	From      string
	Templates string // the path of a folder; "" for none
	// Page is the address of the application's page that links lead to; "" for none.
	Page string
	// Kinds are the kinds of mails that are offered; see package account.
	Kinds []string
}

// MailKept reports whether mails go to an inbox of this server, and to nobody else.
func (s *Settings) MailKept() bool { return s.Mail.URL == "" && !s.Production }

// setMailURL sets the address that mails are sent to. The error does not show it.
func setMailURL(s *Settings, value string) error {
	if value == off {
		s.Mail.URL = ""
		return nil
	}
	if _, err := mail.NewSender(value, s.Mail.Secret); err != nil {
		return err
	}
	s.Mail.URL = value
	return nil
}

func setMailFrom(s *Settings, value string) error {
	if value == off {
		s.Mail.From = ""
		return nil
	}
	if _, err := netmail.ParseAddress(value); err != nil || strings.ContainsFunc(value, unicode.IsControl) {
		return errNotAllowed
	}
	s.Mail.From = value
	return nil
}

// defaultMailFrom returns a sender for mails that do not leave the machine.
func defaultMailFrom(s *Settings) string {
	if s.MailKept() {
		return "Forge <forge@localhost>"
	}
	return off
}

// setPage sets the address of the page that links in mails lead to. Tokens must not be read on
// their way, so it uses https, or is on this machine.
func setPage(s *Settings, value string) error {
	if value == off {
		s.Mail.Page = ""
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.User != nil || strings.Contains(value, "#"):
		return errNotAllowed
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		return errors.New("what goes over http could be read on the way")
	case u.Scheme != "https" && u.Scheme != "http":
		return errNotAllowed
	}
	s.Mail.Page = value
	return nil
}

// defaultPage returns the address of the playground in development.
func defaultPage(s *Settings) string {
	host, port, err := net.SplitHostPort(s.Addr)
	if s.Production || err != nil {
		return off
	}
	if !isLoopbackHost(host) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

func setMailKinds(s *Settings, value string) error {
	s.Mail.Kinds = nil
	if value == off {
		return nil
	}
	for kind := range strings.SplitSeq(value, ",") {
		if kind = strings.TrimSpace(kind); !slices.Contains(account.Kinds, kind) {
			return fmt.Errorf("%q is no kind of mails", kind)
		}
		s.Mail.Kinds = append(s.Mail.Kinds, kind)
	}
	return nil
}

// defaultMailKinds returns what is offered if mails are set up. Links and codes let whoever reads
// the mails sign in, so they are offered only where that is wanted.
func defaultMailKinds(s *Settings) string {
	if s.Mail.URL == "" && s.Production {
		return off
	}
	return strings.Join([]string{account.Verify, account.Reset, account.Change}, ",")
}

// mayMail returns a *usage.Error if mails are to be sent, and something is missing that they need.
func (s *Settings) mayMail() error {
	switch {
	case s.Mail.URL == "":
		return nil
	case s.Mail.From == "":
		return notAllowed(s.NameOf("MAIL_FROM"), off, s.NameOf("MAIL_URL")+" is set, and mails need a sender", "an address, such as Shop <shop@example.com>")
	case s.Mail.Page == "":
		return notAllowed(s.NameOf("ACCOUNT_URL"), off, s.NameOf("MAIL_URL")+" is set, and links in mails have to lead to a page", "https://HOST/PATH")
	}
	return nil
}
