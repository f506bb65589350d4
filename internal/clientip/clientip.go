// Package clientip finds the IP address of the client that sent a request.
package clientip

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
)

type requestKey struct{}

// NewContext returns a context that carries the request r, for Address and Client.
func NewContext(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// Address returns the client's address. It returns the zero address if ctx carries no request. The
// client's address is that of the TCP connection, unless that is a trusted proxy. Then it is the
// rightmost address in X-Forwarded-For that is not a trusted proxy. The client could have made up
// the addresses further left.
func Address(ctx context.Context, trusted []netip.Prefix) netip.Addr {
	r, ok := ctx.Value(requestKey{}).(*http.Request)
	if !ok {
		return netip.Addr{}
	}
	at, _ := netip.ParseAddrPort(r.RemoteAddr) // zero if the request has no address
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

// Client returns a text that distinguishes clients as far as possible without cookies: the client's
// network and its User-Agent. It returns "" if ctx carries no request.
func Client(ctx context.Context, trusted []netip.Prefix) string {
	r, ok := ctx.Value(requestKey{}).(*http.Request)
	if !ok {
		return ""
	}
	return Network(Address(ctx, trusted)).String() + " " + r.UserAgent()
}

// maxAgent is how many characters UserAgent returns at most.
const maxAgent = 254

// UserAgent returns the beginning of the client's User-Agent, as valid UTF-8 and without control
// characters. The client can say in it whatever it wants. UserAgent returns "" if ctx carries no
// request.
func UserAgent(ctx context.Context) string {
	r, ok := ctx.Value(requestKey{}).(*http.Request)
	if !ok {
		return ""
	}
	text := strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.C, unicode.Zl, unicode.Zp) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(r.UserAgent(), "\uFFFD"))
	n := 0
	for at := range text {
		if n++; n > maxAgent {
			return text[:at]
		}
	}
	return text
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// These are the prefix lengths of the networks that IPv6 providers give to customers: to a home or
// a phone, and to whoever asks for more. A customer can use all addresses in such a network.
const networkBits, siteBits = 64, 48

// Network returns the addresses that the client with address a can easily use: the address itself,
// or the /64 network of an IPv6 address.
func Network(a netip.Addr) netip.Prefix { return prefix(a, networkBits) }

// Site returns the addresses that somebody who attacks from address a may have: the address itself,
// or the /48 network of an IPv6 address, in which there may also be many others.
func Site(a netip.Addr) netip.Prefix { return prefix(a, siteBits) }

func prefix(a netip.Addr, bits int) netip.Prefix {
	if !a.Is6() {
		bits = a.BitLen()
	}
	p, _ := a.Prefix(bits) // zero if the address is zero
	return p
}
