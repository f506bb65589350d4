package webhook

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, private := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "198.18.0.1",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::",
	} {
		if public(netip.MustParseAddr(private)) {
			t.Errorf("%s is public", private)
		}
		if err := refusePrivate("tcp", netip.AddrPortFrom(netip.MustParseAddr(private), 443).String(), nil); err == nil {
			t.Errorf("%s is connected to", private)
		}
	}
	for _, address := range []string{"1.1.1.1", "172.32.0.1", "2606:4700:4700::1111"} {
		if !public(netip.MustParseAddr(address)) {
			t.Errorf("%s is not public", address)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "example.com", "https://", "https:///path", "http://example.com", "ftp://example.com", "file:///etc/passwd", "https://me:secret@example.com", "https://me@example.com",
		"https://example.com/#a", "https://127.0.0.1", "https://[::1]/", "https://10.0.0.1:8443/", "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://exa mple.com", "https://example.com/\n", "https://example.com/" + strings.Repeat("a", maxURL),
	} {
		if checkURL(bad, false) == nil {
			t.Errorf("%.60q may be delivered to", bad)
		}
	}
	for text, private := range map[string]bool{"https://example.com": false, "https://example.com:8443/a?b=c": false, "http://127.0.0.1:80/": true} {
		if err := checkURL(text, private); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
