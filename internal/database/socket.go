package database

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"syscall"
	"time"
)

// socket is the network connection below a database connection, if it has one.
type socket struct {
	conn net.Conn // nil if there is none
	wire *wire    // below it
	raw  syscall.RawConn
	key  []byte // by which the server knows the session; nil if we have not heard it
}

type socketKey struct{}

// withSocket returns a context in which a dialer notes the connection that it opens.
func withSocket(ctx context.Context) (context.Context, *socket) {
	s := new(socket)
	return context.WithValue(ctx, socketKey{}, s), s
}

// begun notes what the server said when the session began.
func (s *socket) begun() {
	if b, ok := s.conn.(*buffered); ok {
		s.key = bytes.Clone(keyIn(b.start))
		b.start, b.begun = nil, true
		if s.key != nil {
			s.wire.overrun = s.cancel
		}
	}
}

// dialer is what lib/pq opens its connections with.
type dialer struct {
	net.Dialer
	generation *generation
	limit      time.Duration // of a round trip; 0 for none
}

// How soon the system notices by itself that a host is gone: after 11 s if it was quiet anyway,
// and after 10 s if it was sent something.
const (
	keepAliveIdle, keepAliveInterval, keepAliveCount = 5 * time.Second, 2 * time.Second, 3
	unacknowledgedTime                               = 10 * time.Second
)

// newDialer returns a dialer for a pool whose statements take no longer than limit.
func newDialer(g *generation, limit time.Duration) *dialer {
	return &dialer{generation: g, limit: limit, Dialer: net.Dialer{
		Control:         boundUnacknowledged,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount},
	}}
}

// DialContext opens a connection and notes it on the context.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	born := d.generation.current.Load()
	opened, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: opened, network: network, address: address, generation: d.generation, born: born, quiet: quietTime, limit: d.limit}
	b := &buffered{Conn: w, ahead: bufio.NewReaderSize(w, readAhead)}
	if s, ok := ctx.Value(socketKey{}).(*socket); ok {
		*s = socket{conn: b, wire: w}
		if c, ok := opened.(syscall.Conn); ok {
			s.raw, _ = c.SyscallConn()
		}
	}
	return b, w.SetDeadline(time.Time{})
}

// buffered is a network connection that takes in much at a time: lib/pq asks for 4 KiB, and a page of nested rows has many of those.
type buffered struct {
	net.Conn
	ahead     *bufio.Reader
	start     []byte // what was read before the session began
	begun     bool
	diversion *diversion // of the rows of the statement that runs; nil if lib/pq is to see them
	rest      int        // of the message that is being passed on to lib/pq by itself; 0 where messages are not told apart
}

const readAhead = 32 << 10

func (b *buffered) Read(p []byte) (int, error) {
	if b.rest == 0 && b.diversion != nil {
		size, err := b.diversion.next(b)
		if err != nil {
			return 0, err
		}
		b.rest = size
	}
	if b.rest > 0 && b.rest < len(p) {
		p = p[:b.rest]
	}
	n, err := b.ahead.Read(p)
	if b.rest > 0 {
		b.rest -= n
	}
	if !b.begun && len(b.start) < longestStart {
		b.start = append(b.start, p[:n]...)
	}
	return n, err
}

// DialTimeout opens a connection within a time.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// Dial opens a connection.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}
