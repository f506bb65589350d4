package server

import (
	"cmp"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"

	"forge/internal/account"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/mail"
	"forge/internal/password"
	"forge/internal/session"
)

// setMails sets up the mails of the server, and in development the inbox that keeps them. In
// production there are none unless MAIL_URL is set. It returns a *usage.Error if the templates
// cannot be used.
func (s *Server) setMails(db *database.DB) error {
	if s.Mail.URL == "" && !s.MailKept() {
		return nil
	}
	var own fs.FS
	if s.Mail.Templates != "" {
		own = os.DirFS(s.Mail.Templates)
	}
	templates, err := mail.NewTemplates(s.app.Mails, own, account.Templates...)
	if err != nil {
		return s.Refused("MAIL_TEMPLATES", err)
	}
	sender, err := s.sender()
	if err != nil {
		return s.Refused("MAIL_URL", err)
	}
	s.mails = mail.New(mail.Options{DB: db, Sender: sender, Templates: templates, From: s.Mail.From, Log: s.log})
	return nil
}

// sender returns what sends mails, or keeps them.
func (s *Server) sender() (mail.Sender, error) {
	if !s.MailKept() {
		return mail.NewSender(s.Mail.URL, s.Mail.Secret)
	}
	file := ""
	if path, _, ok := database.SQLiteFile(s.DatabaseURL); ok {
		file = path + ".mails"
	}
	s.inbox = mail.NewInbox(file, s.log)
	return s.inbox, nil
}

// inboxPage returns the page of the inbox. It returns nil if there is none, and if other machines
// can connect: what the inbox shows lets everybody sign in as anybody.
func (s *Server) inboxPage() http.Handler {
	if s.inbox == nil || !s.Loopback() {
		return nil
	}
	return s.inbox
}

// account returns what is proved by mail. It returns nil if nobody can sign in.
func (s *Server) account(db *database.DB, sessions *session.Sessions, passwords *password.Hasher, revoked func(uuid.UUID, time.Time)) *account.Service {
	if sessions == nil {
		return nil
	}
	api := s.app.API(application.Services{})
	return account.New(account.Options{
		DB: db, Accounts: s.app.Accounts, Sessions: sessions, Passwords: passwords, Mails: s.mails, Page: s.Mail.Page, Kinds: s.Mail.Kinds,
		Entities: api.Entities, Query: api.Query, Grace: s.ErasureDelay, ExportBytes: cmp.Or(s.MaxAnswerBytes/2, 2<<20),
		Proxies: s.TrustedProxies, Revoked: revoked, Narrow: session.NewLimiter(db, 5, s.log), Wide: session.NewLimiter(db, 30, s.log), Log: s.log,
		Uploaded: s.uploads.Exported,
	})
}
