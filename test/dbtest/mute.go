package dbtest

import (
	"cmp"
	"math"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Proxy forwards connections to PostgreSQL. It can also make them fall silent: they stay open, but
// nothing that is sent arrives, as if the host were gone or a firewall had dropped the connections.
type Proxy struct {
	next  atomic.Int64 // the number of the next connection
	below atomic.Int64 // connections with a smaller number are silent
}

// Muteable returns a URL that leads to the database at address through a Proxy, and the Proxy.
func Muteable(t testing.TB, address string) (string, *Proxy) {
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := new(Proxy)
	go p.serve(l, network, server)
	u.Host = l.Addr().String()
	q.Del("host")
	q.Del("port")
	u.RawQuery = q.Encode()
	return u.String(), p
}

// Connections returns the number of connections that have been made so far.
func (p *Proxy) Connections() int { return int(p.next.Load()) }

// MuteOpen silences the connections that are open. New connections work.
func (p *Proxy) MuteOpen() { p.below.Store(p.next.Load()) }

// Mute silences all connections. New connections are silent too, until the next call of MuteOpen.
func (p *Proxy) Mute() { p.below.Store(math.MaxInt64) }

func (p *Proxy) serve(l net.Listener, network, server string) {
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
		number := p.next.Add(1) - 1
		go p.pass(number, behind, client)
		go p.pass(number, client, behind)
	}
}

// pass copies bytes from one side to the other, until a side closes its connection. It drops bytes
// that come while the connection is silent.
func (p *Proxy) pass(number int64, to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if number < p.below.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
