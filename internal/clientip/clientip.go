// Package clientip tells which address a request comes from.
package clientip

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

type requestKey struct{}

// NewContext returns a context from which Address reads where r comes from.
func NewContext(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// Address returns the address that a request comes from, the zero one if ctx has none: that of the TCP connection or, if one of the trusted proxies
// is at its other end, the rightmost in X-Forwarded-For that is no trusted proxy. What stands further left is whatever the client sent.
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

// Client returns what tells the clients of an address apart as far as that can be told: the network that a request comes
// from, and its User-Agent. It is empty if ctx has no request.
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

// network is how many bits of an IPv6 address a provider gives to one customer, who can take any address within.
const network = 64

// Network returns what stands for all addresses that one sender can easily have: the address itself, or the network that an IPv6 address is in.
func Network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = network
	}
	p, _ := a.Prefix(bits) // zero for the zero address
	return p
}
