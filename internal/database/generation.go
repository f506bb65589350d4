package database

import "sync/atomic"

// generation numbers the connections of a pool. When one of them leads to a server that is gone,
// or that only reads, the others probably lead there as well: the next generation begins, and
// connections of an earlier one are closed instead of being used again.
type generation struct{ current atomic.Int64 }

// end begins the next generation, unless that of the connection at fault is over already.
func (g *generation) end(of int64) { g.current.CompareAndSwap(of, of+1) }

// over reports whether connections of a generation are not to be used again.
func (g *generation) over(of int64) bool { return g.current.Load() != of }

// Outdate has this connection, and the others of the pool that are as old, not be used again: its
// server cannot do what the pool is for. SQLite has no servers.
func (c Conn) Outdate() {
	_ = c.Raw(func(raw any) error {
		if w := raw.(*conn).socket.wire; w != nil {
			w.generation.end(w.born)
		}
		return nil
	})
}
