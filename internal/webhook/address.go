package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"forge/internal/apperr"
)

// maxURL is how many bytes a URL may have.
const maxURL = 2048

// checkURL returns BAD_USER_INPUT about the argument url if nothing may be delivered there. A name
// is resolved and checked when it is connected to.
func checkURL(text string, private bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxURL || u.Hostname() == "":
		return apperr.BadInput("input.url", "this is not a URL that can be delivered to; allowed is https://HOST/PATH, with up to %d bytes", maxURL)
	case u.User != nil:
		return apperr.BadInput("input.url", "the URL has a user name or a password in it; whether a delivery is genuine is shown by its signature")
	case u.Fragment != "":
		return apperr.BadInput("input.url", "the URL has a fragment, which is never sent; leave out what begins with #")
	case u.Scheme != "https" && (u.Scheme != "http" || !private):
		return apperr.BadInput("input.url", "the scheme %q is not allowed; allowed is https, and with WEBHOOK_PRIVATE=on also http", u.Scheme)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !private && !public(ip) {
		return apperr.BadInput("input.url", "%s", errPrivate)
	}
	return nil
}

// reserved are networks that are not of the public internet, beside those that netip tells of.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // behind the NAT of a provider
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	// These hold an IPv4 address, which may be a private one.
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address is of the public internet.
func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

var errPrivate = errors.New("the address is not one of the public internet, and WEBHOOK_PRIVATE is off")

// refusePrivate is called with the resolved address, before it is connected to.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %s is not known: %w", address, err)
	}
	if !public(at.Addr()) {
		return errPrivate
	}
	return nil
}

// newClient returns a client that delivers to addresses of the public internet, and with private to
// all. It follows no redirects, and uses no proxy of the environment.
func newClient(private bool) *http.Client {
	dialer := &net.Dialer{}
	if !private {
		dialer.Control = refusePrivate
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 32 << 10,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
