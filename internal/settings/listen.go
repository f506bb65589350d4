package settings

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// setPort sets the port for defaultAddr.
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

// defaultAddr returns the address to listen on if ADDR is not set. In production that is the port
// on all addresses, since a platform that sets PORT sends requests from other machines. In
// development everybody who can connect is an administrator, so only this machine can.
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

// MayServe returns a *usage.Error if other machines could act as an administrator on a server with
// these settings, or if tokens are required and no key can check them. Nothing else prevents that.
func (s *Settings) MayServe() error {
	if s.Auth && !s.Token.Given() {
		auth := s.sources["AUTH"]
		return notAllowed(auth.name, auth.value, "no key is set that tokens could be checked with",
			"on with AUTH_SECRET, which `openssl rand -base64 32` makes, AUTH_KEYS_FILE or AUTH_JWKS_URL; or off, where only this machine can connect")
	}
	if s.Open() && !s.OpenToAll {
		return notAllowed(s.NameOf("ADDR"), s.Addr, "every request would act as an administrator ("+s.NameOf("AUTH")+
			" is off), and other machines could send one", "a loopback address, such as 127.0.0.1:8080, or AUTH_OFF_ANYWHERE="+everyone)
	}
	return nil
}

// Open reports whether other machines can send requests to a server with these settings, and act as
// an administrator.
func (s *Settings) Open() bool { return !s.Auth && !isLoopback(s.Addr) }

// Local reports whether a server with these settings answers only requests that name this machine
// in their Host header. Every request acts as an administrator then, and a web page may have its
// own host name lead to this machine.
func (s *Settings) Local() bool { return !s.Auth && !s.OpenToAll }

// DemoPasswords reports whether the demo accounts get their passwords, which everybody knows. They
// never do in production, or where other machines can connect.
func (s *Settings) DemoPasswords() bool { return !s.Production && isLoopback(s.Addr) }

// everyone is the value of AUTH_OFF_ANYWHERE that turns it on. It is long so that nobody sets it by
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

// setProxies takes a list of networks. It refuses an address with no prefix length, which is more
// often a mistake than a network of one address.
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
