// Package bufpool reuses memory from one request to the next. Answers and rows are written into
// large buffers that are needed for a fraction of a millisecond.
package bufpool

import (
	"sync"
	"sync/atomic"
)

// Sizes of buffers that are kept, in bytes. A smaller one is quickly made, and a larger one is
// rare.
const (
	least = 1 << 10
	most  = 64 << 10
)

var kept sync.Pool // of *[]byte

// Bytes returns an empty slice with room for n bytes.
func Bytes(n int) []byte {
	if n < least || n > most {
		return make([]byte, 0, n)
	}
	if b, ok := kept.Get().(*[]byte); ok && cap(*b) >= n {
		return (*b)[:0]
	}
	return make([]byte, 0, n)
}

// Done gives back the memory of b, which need not come from Bytes. Nobody may use it afterwards.
func Done(b []byte) {
	if cap(b) >= least && cap(b) <= most {
		whole := b
		kept.Put(&whole)
	}
}

// Hint remembers how much room something took the last time, which is most likely what it will take
// the next time. It is safe for concurrent use.
type Hint struct{ last atomic.Int64 }

// Size returns how much room to make.
func (h *Hint) Size() int { return int(h.last.Load()) }

// Record records how much room was taken. It is bounded, so that something rare and large has no
// lasting effect.
func (h *Hint) Record(n int) { h.last.Store(int64(min(n+n/8, most))) }
