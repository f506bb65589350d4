package database

import (
	"bufio"
	"context"
	"net"
	"syscall"
	"time"
)

// socket is the network connection below a database connection, if it has one.
type socket struct{ raw syscall.RawConn }

type socketKey struct{}

// withSocket returns a context in which a dialer notes the connection that it opens.
func withSocket(ctx context.Context) (context.Context, *socket) {
	s := new(socket)
	return context.WithValue(ctx, socketKey{}, s), s
}

// dialer is what lib/pq opens its connections with.
type dialer struct{ net.Dialer }

// DialContext opens a connection and notes it on the context.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	opened, err := d.Dialer.DialContext(ctx, network, address)
	if s, ok := ctx.Value(socketKey{}).(*socket); ok && err == nil {
		if c, ok := opened.(syscall.Conn); ok {
			s.raw, _ = c.SyscallConn()
		}
	}
	if err != nil {
		return nil, err
	}
	return &buffered{opened, bufio.NewReaderSize(opened, readAhead)}, nil
}

// buffered is a network connection that takes in much at a time: lib/pq asks for 4 KiB, and a page of nested rows has many of those.
type buffered struct {
	net.Conn
	ahead *bufio.Reader
}

const readAhead = 32 << 10

func (b *buffered) Read(p []byte) (int, error) { return b.ahead.Read(p) }

// DialTimeout opens a connection within a time.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout(network, address, timeout)
}
