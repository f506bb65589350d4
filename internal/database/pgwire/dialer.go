package pgwire

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"time"
)

// Timeouts are how long to wait for a server. Those that are zero have the value of their comment.
type Timeouts struct {
	Silence   time.Duration // without a word, after which the host is asked; up to twice that: 2 s
	Answer    time.Duration // for the host to answer: 4 s
	PastLimit time.Duration // from the limit of statements to the cancel request: 5 s
	Cancelled time.Duration // for the server to end a statement that was cancelled: 10 s
}

// defaults returns the timeouts with nothing left at zero.
func (t Timeouts) defaults() Timeouts {
	return Timeouts{
		Silence:   cmp.Or(t.Silence, 2*time.Second),
		Answer:    cmp.Or(t.Answer, 4*time.Second),
		PastLimit: cmp.Or(t.PastLimit, 5*time.Second),
		Cancelled: cmp.Or(t.Cancelled, 10*time.Second),
	}
}

// Dialer opens the connections of one pool. It is what pq.Connector.Dialer takes.
type Dialer struct {
	dialer     net.Dialer
	generation *generation
	limit      time.Duration // of a round trip; 0 for none
	timeouts   Timeouts
}

// The system notices by itself that a host is gone: after 11 s if the connection was idle, and
// after 10 s if something was sent.
const (
	keepAliveIdle, keepAliveInterval, keepAliveCount = 5 * time.Second, 2 * time.Second, 3
	unacknowledgedTime                               = 10 * time.Second
)

// NewDialer returns a dialer for a pool whose server ends each statement within limit. A statement
// that is not over PastLimit after that is cancelled. A limit of 0 means that there is none.
func NewDialer(limit time.Duration, timeouts Timeouts) *Dialer {
	timeouts = timeouts.defaults()
	if limit > 0 {
		limit += timeouts.PastLimit
	}
	keepAlive := net.KeepAliveConfig{
		Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
	}
	return &Dialer{
		dialer:     net.Dialer{Control: boundUnacknowledged, KeepAliveConfig: keepAlive},
		generation: new(generation),
		limit:      limit,
		timeouts:   timeouts,
	}
}

// DialContext opens a connection. If ctx comes from Attach, that session gets it.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	born := d.generation.current.Load()
	opened, err := d.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	deadline := &deadlineConn{
		Conn: opened, network: network, address: address, generation: d.generation, born: born,
		silence: d.timeouts.Silence, answer: d.timeouts.Answer, limit: d.limit,
	}
	conn := &tappedConn{
		Conn: deadline, deadline: deadline, ahead: bufio.NewReaderSize(deadline, readAhead),
	}
	attach(ctx, conn, opened, d.timeouts.Cancelled)
	return conn, deadline.SetDeadline(time.Time{})
}

// DialTimeout opens a connection within a time.
func (d *Dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// Dial opens a connection.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}
