package pgwire

import (
	"net"
	"testing"
	"time"
)

// instant is a network connection that never waits.
type instant struct{ net.Conn }

func (instant) Read(p []byte) (int, error)  { return len(p), nil }
func (instant) Write(p []byte) (int, error) { return len(p), nil }
func (instant) SetDeadline(time.Time) error { return nil }

// BenchmarkDeadlineConn measures a round trip with and without a deadlineConn. The difference is
// the cost of deadlines for a statement.
func BenchmarkDeadlineConn(b *testing.B) {
	p := make([]byte, 64)
	conns := map[string]net.Conn{
		"none":         instant{},
		"deadlineConn": &deadlineConn{Conn: instant{}, generation: new(generation), silence: time.Second, limit: time.Minute},
	}
	for name, c := range conns {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = c.Write(p)
				_, _ = c.Read(p)
			}
		})
	}
}
