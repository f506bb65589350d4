package pgwire

import (
	"sync/atomic"
	"time"
)

// generation numbers the connections of a pool. When one of them leads to a server that is gone, or
// that is read-only, the others probably lead there as well. Then the next generation begins, and
// the connections of earlier ones are closed instead of being used again.
type generation struct {
	current  atomic.Int64
	outdated atomic.Int64 // the last outdate, in nanoseconds since 1970
}

// end begins the next generation, unless generation of has already ended.
func (g *generation) end(of int64) { g.current.CompareAndSwap(of, of+1) }

// over reports whether connections of generation of must not be used again.
func (g *generation) over(of int64) bool { return g.current.Load() != of }

// outdateInterval is the shortest time between two calls of outdate that have an effect. A server
// may stay read-only for long, and not every request that reads from it should have to reconnect.
const outdateInterval = time.Second

// outdate ends generation of, unless another one was outdated less than a second ago.
func (g *generation) outdate(of int64) {
	now, last := time.Now().UnixNano(), g.outdated.Load()
	if now-last >= int64(outdateInterval) && g.outdated.CompareAndSwap(last, now) {
		g.end(of)
	}
}
