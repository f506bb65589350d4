// Package bufpool keeps memory of past requests for later ones. Answers and rows are written into
// large buffers that are needed for a fraction of a millisecond.
package bufpool

import (
	"sync"
	"sync/atomic"
)

// A buffer is kept if its size in bytes lies between least and most. A smaller one is quickly made,
// and a larger one is rarely needed again.
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

// Hint remembers how many bytes something took the last time. The next time probably takes as many.
// A Hint is safe for concurrent use.
type Hint struct{ last atomic.Int64 }

// Size returns how many bytes to make room for.
func (h *Hint) Size() int { return int(h.last.Load()) }

// Record sets Size to n and an eighth more, up to the largest buffer that is kept. The bound keeps
// something rare and large from having a lasting effect.
func (h *Hint) Record(n int) { h.last.Store(int64(min(n+n/8, most))) }
