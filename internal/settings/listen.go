package settings

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"forge/internal/database"
)

// setPort sets the port that defaultAddr uses.
func setPort(s *Settings, value string) error {
	if value == "none" {
		return nil
	}
	if _, err := strconv.ParseUint(value, 10, 16); err != nil {
		return errNotAllowed
	}
	s.port = value
	return nil
}

// defaultAddr returns the address to listen on if ADDR is not set. In production, that is the port
// on all addresses: a platform that sets PORT sends requests from other machines. In development,
// everybody who can connect is an administrator, so the server only listens on this machine.
func defaultAddr(s *Settings) string {
	switch {
	case s.port == "":
		return "127.0.0.1:8080"
	case s.Production:
		return ":" + s.port
	default:
		return "127.0.0.1:" + s.port
	}
}

func setAddr(s *Settings, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return errNotAllowed
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errNotAllowed
	}
	s.Addr = value
	return nil
}

// MayServe returns a *usage.Error if a server must not run with these settings: if requests from
// other machines would act as an administrator, if tokens are required and there is no key to
// verify them, or if a second machine has to store changes and SQLite has none. Nothing else in
// Forge prevents this. It also returns one if mails are to be sent without a sender, or with links
// that lead nowhere, or if the console may not be shown.
func (s *Settings) MayServe() error {
	if s.Pool.Synced && isSQLite(s.DatabaseURL) {
		return notAllowed(s.NameOf("DURABILITY"), "synced", "SQLite keeps everything on one machine", "any")
	}
	if s.Auth && !s.Token.Given() && !s.MakesSecret() {
		auth := s.sources["AUTH"]
		return notAllowed(auth.name, auth.value, "no key is set that tokens could be checked with",
			"on with AUTH_SECRET, which `openssl rand -base64 32` makes, AUTH_KEYS_FILE or AUTH_JWKS_URL; or off, where only this machine can connect")
	}
	if s.Open() && !s.OpenToAll {
		return notAllowed(s.NameOf("ADDR"), s.Addr, "every request would act as an administrator ("+s.NameOf("AUTH")+
			" is off), and other machines could send one", "a loopback address, such as 127.0.0.1:8080, or AUTH_OFF_ANYWHERE="+everyone)
	}
	if err := s.mayShowConsole(); err != nil {
		return err
	}
	return s.mayMail()
}

// mayShowConsole returns an error if the console would be open to everybody in production, or if
// none of its operations may run.
func (s *Settings) mayShowConsole() error {
	switch {
	case s.Console && s.Production && !s.Auth:
		return notAllowed(s.NameOf("CONSOLE"), "on", "nobody has to sign in ("+s.NameOf("AUTH")+" is off)", "off, or on with AUTH=on")
	case s.Console && s.TrustedDocuments != "":
		return notAllowed(s.NameOf("CONSOLE"), "on", "the console writes documents of its own, and "+s.NameOf("TRUSTED_DOCUMENTS")+" allows only those of a list", "off")
	}
	return nil
}

// Loopback reports whether only this machine can connect to the server.
func (s *Settings) Loopback() bool { return isLoopback(s.Addr) }

// MakesSecret reports whether the server makes the secret for tokens by itself, because none is
// set. It does so in development alone. It keeps the secret beside the file of a SQLite database.
// PostgreSQL may be shared by several developers, who must not be able to sign tokens for each
// other.
func (s *Settings) MakesSecret() bool {
	return s.Auth && !s.Token.Given() && !s.Production && isSQLite(s.DatabaseURL)
}

// SecretFile returns the path of the file in which MakesSecret keeps the secret. It returns "" for
// a database in memory, which ends with the process, as does its secret.
func (s *Settings) SecretFile() string {
	path, _, ok := database.SQLiteFile(s.DatabaseURL)
	if !ok {
		return ""
	}
	return path + "-secret"
}

// Open reports whether every machine that can connect to the server can act as an administrator.
func (s *Settings) Open() bool { return !s.Auth && !isLoopback(s.Addr) }

// Local reports whether the server answers only requests whose Host header names this machine. It
// does so if every request acts as an administrator, because a web page can have its own host name
// lead to this machine.
func (s *Settings) Local() bool { return !s.Auth && !s.OpenToAll }

// DemoPasswords reports whether the demo accounts are given passwords. Everybody knows these
// passwords. So the accounts get none in production, or if other machines can connect.
func (s *Settings) DemoPasswords() bool { return !s.Production && isLoopback(s.Addr) }

// everyone is the value that turns AUTH_OFF_ANYWHERE on. It is long, so that nobody sets it by
// mistake.
const everyone = "yes-everyone-is-administrator"

func isLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	return isLoopbackHost(host)
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// setProxies sets a list of networks. An address without a prefix length is not allowed, because it
// is usually a mistake and seldom means a network of one address.
func setProxies(s *Settings, value string) error {
	if value == "none" {
		return nil
	}
	for text := range strings.SplitSeq(value, ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return errNotAllowed
		}
		if network != network.Masked() {
			return fmt.Errorf("%s is an address within %s", network, network.Masked())
		}
		s.TrustedProxies = append(s.TrustedProxies, network)
	}
	return nil
}
