package settings

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// setPort keeps the port for defaultAddr.
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

// defaultAddr returns where to listen if nothing is said. A platform that gives a port sends requests to it from other machines; in
// development everybody who can connect is an administrator, so there only this machine can.
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

// MayServe returns an error if others could reach a server with these settings and act as an administrator, or if nobody could be known. Nothing
// but this stands between the two. The error is a *usage.Error.
func (s *Settings) MayServe() error {
	if s.Auth && !s.Token.Given() {
		auth := s.said["AUTH"]
		return notAllowed(auth.name, auth.value, "no key is set that tokens could be checked with",
			"on with AUTH_SECRET, which `openssl rand -base64 32` makes, AUTH_KEYS_FILE or AUTH_JWKS_URL; or off, where only this machine can connect")
	}
	if s.Open() && !s.OpenToAll {
		return notAllowed(s.NameOf("ADDR"), s.Addr, "every request would act as an administrator ("+s.NameOf("AUTH")+
			" is off), and other machines could send one", "a loopback address, such as 127.0.0.1:8080, or AUTH_OFF_ANYWHERE="+everyone)
	}
	return nil
}

// Open reports whether other machines can send requests to a server with these settings, and each acts as an administrator.
func (s *Settings) Open() bool { return !s.Auth && !isLoopback(s.Addr) }

// Local reports whether a server with these settings answers only requests that name this machine: each acts as an administrator, and a page of the
// web may have its own name lead here.
func (s *Settings) Local() bool { return !s.Auth && !s.OpenToAll }

// DemoPasswords reports whether demo users get the passwords that everybody knows: never in production, nor where other machines can connect.
func (s *Settings) DemoPasswords() bool { return !s.Production && isLoopback(s.Addr) }

// everyone is what has to be said for that, in full: nobody says it by mistake.
const everyone = "yes-everyone-is-administrator"

func isLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	return isLoopbackHost(host)
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// setProxies takes a list of networks. An address alone would be one as well, but is more often a mistake.
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
