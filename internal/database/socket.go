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
	network, address string
	conn             net.Conn
	raw              syscall.RawConn
	key              []byte // by which the server knows the session; nil if we have not heard it
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
	}
}

// dialer is what lib/pq opens its connections with.
type dialer struct{ net.Dialer }

// DialContext opens a connection and notes it on the context.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	opened, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	b := &buffered{Conn: opened, ahead: bufio.NewReaderSize(opened, readAhead)}
	if s, ok := ctx.Value(socketKey{}).(*socket); ok {
		*s = socket{network: network, address: address, conn: b}
		if c, ok := opened.(syscall.Conn); ok {
			s.raw, _ = c.SyscallConn()
		}
	}
	return b, nil
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
	return net.DialTimeout(network, address, timeout)
}
