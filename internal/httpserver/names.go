package httpserver

import (
	"net/http"
	"net/netip"
	"strings"

	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
)

// local lets requests through whose Host is a name of this machine's own, and has refuse answer the others. That the address listened on is loopback
// does not keep pages of the web away: one can have its own name lead to 127.0.0.1 once it is loaded (DNS rebinding), and is of the same origin as this
// server then. What such a page cannot choose is the Host that the browser sends.
func local(next, refuse http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isLocal(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// misdirected answers what is no operation.
var misdirected = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	telemetry.FromContext(r.Context()).Refuse(telemetry.Host)
	http.Error(w, graphqlhttp.LocalNames, http.StatusMisdirectedRequest)
})

// isLocal is whether a Host, with a port or without, is localhost, a name below it, or a loopback address. Browsers look none of these
// up: RFC 6761, section 6.3.
func isLocal(host string) bool {
	if rest, bracketed := strings.CutPrefix(host, "["); bracketed {
		address, port, closed := strings.Cut(rest, "]")
		return closed && isPort(port) && isLoopback(address)
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		if !isPort(host[colon:]) {
			return false
		}
		host = host[:colon]
	}
	// The dot of a name that is written in full, RFC 1034, section 3.1. An address has none.
	const name = "localhost"
	if full, dotted := strings.CutSuffix(host, "."); dotted {
		if len(full) < len(name) || !strings.EqualFold(full[len(full)-len(name):], name) {
			return false
		}
		host = full
	}
	if n := len(host) - len(name); n >= 0 && strings.EqualFold(host[n:], name) {
		return n == 0 || n > 1 && host[n-1] == '.'
	}
	return isLoopback(host)
}

func isLoopback(address string) bool {
	if address == "" || address[0] != ':' && (address[0] < '0' || address[0] > '9') {
		return false // a name, for which there is no need to make an error
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback()
}

// isPort is whether what stands behind a host is nothing, or a colon and digits.
func isPort(s string) bool {
	return s == "" || s[0] == ':' && strings.Trim(s[1:], "0123456789") == ""
}
