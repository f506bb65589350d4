package clientip

import (
	"net/http"
	"net/netip"
	"testing"
)

// TestAddress checks which of the addresses in a request is used.
func TestAddress(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string
	}{
		{"directly", "192.0.2.1:1234", nil, trusted, "192.0.2.1"},
		{"no trusted proxies", "10.0.0.1:1", []string{"192.0.2.7"}, nil, "10.0.0.1"},
		{"X-Forwarded-For from an untrusted peer", "192.0.2.1:1", []string{"192.0.2.7"}, trusted, "192.0.2.1"},
		{"through a proxy", "10.0.0.1:1", []string{"192.0.2.7"}, trusted, "192.0.2.7"},
		{"through two", "10.0.0.1:1", []string{"192.0.2.7, 10.0.0.2"}, trusted, "192.0.2.7"},
		{"in two headers", "10.0.0.1:1", []string{"192.0.2.7", "10.0.0.2"}, trusted, "192.0.2.7"},
		{"the client made up the first", "10.0.0.1:1", []string{"10.9.9.9, 198.51.100.1, 192.0.2.7"}, trusted, "192.0.2.7"},
		{"all are trusted", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, trusted, "10.0.0.3"},
		{"no address", "10.0.0.1:1", []string{"192.0.2.7, unknown"}, trusted, "10.0.0.1"},
		{"IPv6", "[fd00::1]:1", []string{"2001:db8::1"}, trusted, "2001:db8::1"},
		{"IPv4 within IPv6", "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.7"}, trusted, "192.0.2.7"},
	} {
		r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
		if got := Address(NewContext(t.Context(), r), tt.trusted); got.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := Address(t.Context(), trusted); got.IsValid() {
		t.Errorf("without a request: %s", got)
	}
}

// TestNetwork checks an address of each version of IP.
func TestNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64"} {
		if got := Network(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("Network(%s) = %s, want %s", address, got, want)
		}
	}
}
