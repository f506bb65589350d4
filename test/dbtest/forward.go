package dbtest

import (
	"cmp"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// Through returns a URL that reaches the PostgreSQL database at a URL by Forward.
func Through(t testing.TB, address string, serve func(client, server net.Conn)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	host, port := cmp.Or(q.Get("host"), u.Hostname()), cmp.Or(q.Get("port"), u.Port(), "5432")
	network, server := "tcp", net.JoinHostPort(host, port)
	if strings.HasPrefix(host, "/") {
		network, server = "unix", filepath.Join(host, ".s.PGSQL."+port)
	}
	u.Host = Forward(t, network, server, serve)
	q.Del("host")
	q.Del("port")
	u.RawQuery = q.Encode()
	return u.String()
}

// Forward returns a loopback address at which it listens until the test ends. It calls serve with
// each connection there, and one to the server. serve returns at once, and copies what is sent.
func Forward(t testing.TB, network, server string, serve func(client, server net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial(network, server)
			if err != nil {
				client.Close()
				continue
			}
			serve(client, behind)
		}
	}()
	return l.Addr().String()
}
