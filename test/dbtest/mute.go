package dbtest

import (
	"math"
	"net"
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
	p := new(Proxy)
	return Through(t, address, p.serve), p
}

// Connections returns the number of connections that have been made so far.
func (p *Proxy) Connections() int { return int(p.next.Load()) }

// MuteOpen silences the connections that are open. New connections work.
func (p *Proxy) MuteOpen() { p.below.Store(p.next.Load()) }

// Mute silences all connections. New connections are silent too, until the next call of MuteOpen.
func (p *Proxy) Mute() { p.below.Store(math.MaxInt64) }

func (p *Proxy) serve(client, server net.Conn) {
	number := p.next.Add(1) - 1
	go p.pass(number, server, client)
	go p.pass(number, client, server)
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
