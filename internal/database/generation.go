package database

import (
	"sync/atomic"
	"time"
)

// generation numbers the connections of a pool. When one of them leads to a server that is gone,
// or that only reads, the others probably lead there as well: the next generation begins, and
// connections of an earlier one are closed instead of being used again.
type generation struct {
	current  atomic.Int64
	outdated atomic.Int64 // when Outdate last ended one, in nanoseconds of the Unix epoch
}

// end begins the next generation, unless that of the connection at fault is over already.
func (g *generation) end(of int64) { g.current.CompareAndSwap(of, of+1) }

// over reports whether connections of a generation are not to be used again.
func (g *generation) over(of int64) bool { return g.current.Load() != of }

// outdating is how far apart Outdate ends generations: a server may only read for as long as it likes,
// and those that read from it are not to wait for a new connection each.
const outdating = time.Second

// Outdate has this connection, and the others of the pool that are as old, not be used again: its
// server cannot do what the pool is for. Within a second of the last time it does nothing. SQLite has
// no servers.
func (c Conn) Outdate() {
	_ = c.Raw(func(raw any) error {
		w := raw.(*conn).socket.wire
		if w == nil {
			return nil
		}
		now, last := time.Now().UnixNano(), w.generation.outdated.Load()
		if now-last >= int64(outdating) && w.generation.outdated.CompareAndSwap(last, now) {
			w.generation.end(w.born)
		}
		return nil
	})
}
