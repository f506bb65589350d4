package database

import (
	"net"
	"testing"
	"time"
)

// instant is a network connection that answers at once.
type instant struct{ net.Conn }

func (instant) Read(p []byte) (int, error)  { return len(p), nil }
func (instant) Write(p []byte) (int, error) { return len(p), nil }
func (instant) SetDeadline(time.Time) error { return nil }

// BenchmarkWire is a round trip through a wire and without one: the difference is what deadlines cost a statement.
func BenchmarkWire(b *testing.B) {
	p := make([]byte, 64)
	for name, c := range map[string]net.Conn{"none": instant{}, "wire": &wire{Conn: instant{}, generation: new(generation), quiet: quietTime, limit: time.Minute}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = c.Write(p)
				_, _ = c.Read(p)
			}
		})
	}
}
