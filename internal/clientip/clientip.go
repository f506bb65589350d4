// Package clientip finds the address of the client of a request.
package clientip

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

type requestKey struct{}

// NewContext returns a context with the request r, for Address and Client.
func NewContext(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// Address returns the address of the client, or the zero address if ctx has no request. It is the
// address of the TCP connection. If that is a trusted proxy, it is the rightmost address in
// X-Forwarded-For that is not a trusted proxy. Addresses further left may be made up by the client.
func Address(ctx context.Context, trusted []netip.Prefix) netip.Addr {
	r, ok := ctx.Value(requestKey{}).(*http.Request)
	if !ok {
		return netip.Addr{}
	}
	at, _ := netip.ParseAddrPort(r.RemoteAddr) // zero if there is none
	found := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(found, trusted); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		found = hop.Unmap().WithZone("")
	}
	return found
}

// Client returns the network of a request's client and its User-Agent, or "" if ctx has no request.
// It distinguishes clients as far as that is possible without cookies.
func Client(ctx context.Context, trusted []netip.Prefix) string {
	r, ok := ctx.Value(requestKey{}).(*http.Request)
	if !ok {
		return ""
	}
	return Network(Address(ctx, trusted)).String() + " " + r.UserAgent()
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// networkBits is the prefix length of the networks that IPv6 providers give to a customer, who can
// use all addresses in it.
const networkBits = 64

// Network returns the addresses that the client with address a can easily use: the address itself,
// or the /64 network of an IPv6 address.
func Network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = networkBits
	}
	p, _ := a.Prefix(bits) // zero for the zero address
	return p
}
