package server

import (
	"slices"

	"forge/console"
	"forge/internal/account"
	"forge/internal/demo"
	"forge/internal/settings"
	"forge/internal/webpage"
)

// consoleConfig returns what the console learns about this server. It offers the accounts to sign
// in with.
func (s *Server) consoleConfig(accounts []demo.Account) console.Config {
	cfg := console.Config{
		SignIn:   s.Auth,
		Cookie:   s.SessionCookie != settings.CookieOff,
		Passkeys: s.Passkeys,
		Codes:    s.mails != nil && slices.Contains(s.Mail.Kinds, account.Code),
		Storage:  s.fileOrigins(),
	}
	for _, a := range accounts {
		cfg.Accounts = append(cfg.Accounts, webpage.Account(a))
	}
	return cfg
}

// consolePath returns where the console is, or "" if this server has none.
func (s *Server) consolePath() string {
	if !s.Console {
		return ""
	}
	return console.Path
}
