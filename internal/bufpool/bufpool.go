// Package bufpool hands memory on from one request to the next: what an answer is made in is large, and of use for a fraction of a millisecond.
package bufpool

import (
	"sync"
	"sync/atomic"
)

// What is worth keeping, in bytes: less is quickly made, and what is rare and large is not to be kept.
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

// Done takes back the memory of b, which need not come from Bytes. Nobody may use it any more.
func Done(b []byte) {
	if cap(b) >= least && cap(b) <= most {
		whole := b
		kept.Put(&whole)
	}
}

// Hint remembers how much room something took the last time, which is most likely what it takes the
// next. It is safe for concurrent use.
type Hint struct{ last atomic.Int64 }

// Size returns how much room to make.
func (h *Hint) Size() int { return int(h.last.Load()) }

// Record takes note of what was needed. Room is not made for what is rare and large.
func (h *Hint) Record(n int) { h.last.Store(int64(min(n+n/8, most))) }
