package pgwire

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"time"
)

// Timeouts are how long to wait for a server. The comments name the values that stand for zero.
type Timeouts struct {
	Silence   time.Duration // 2 s: how long a host may send nothing before it is asked
	Answer    time.Duration // 4 s: how long the host may take to answer
	PastLimit time.Duration // 5 s: from the time limit of a statement to the request to cancel it
	Cancelled time.Duration // 10 s: how long the server may take to end a cancelled statement
}

// defaults returns the timeouts with a default in the place of each zero.
func (t Timeouts) defaults() Timeouts {
	return Timeouts{
		Silence:   cmp.Or(t.Silence, 2*time.Second),
		Answer:    cmp.Or(t.Answer, 4*time.Second),
		PastLimit: cmp.Or(t.PastLimit, 5*time.Second),
		Cancelled: cmp.Or(t.Cancelled, 10*time.Second),
	}
}

// Dialer opens the network connections of one pool, for pq.Connector.Dialer.
type Dialer struct {
	dialer     net.Dialer
	generation *generation
	limit      time.Duration // the time limit of a round trip; 0 for none
	timeouts   Timeouts
}

// With these values, the system itself notices that a host is gone: after 11 s if the connection
// was idle, and after 10 s if something was sent.
const (
	keepAliveIdle, keepAliveInterval, keepAliveCount = 5 * time.Second, 2 * time.Second, 3
	unacknowledgedTime                               = 10 * time.Second
)

// NewDialer returns a dialer for a pool whose server ends each statement within limit. If a
// statement still runs PastLimit later, it is cancelled. A limit of 0 means that there is none.
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

// OnLost sets a function that is called, in a goroutine of its own, when the connections that are
// open have become unusable: see Session.Outdate. It must be called before the first connection.
func (d *Dialer) OnLost(f func()) { d.generation.lost = f }

// DialContext opens a connection. If ctx comes from Attach, the connection becomes that of the
// session.
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
	conn := &aheadConn{
		Conn: deadline, deadline: deadline, ahead: bufio.NewReaderSize(deadline, readAhead),
	}
	attach(ctx, conn, opened, d.timeouts.Cancelled)
	return conn, deadline.SetDeadline(time.Time{})
}

// DialTimeout opens a connection, and fails after the timeout.
func (d *Dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// Dial opens a connection.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}
