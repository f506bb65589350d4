package coalesce

import (
	"context"
	"sync"
)

// Groups is a Group for each key that has requests at the moment. The zero value is ready for use,
// and safe for concurrent use.
type Groups[K comparable, T any] struct {
	mu    sync.Mutex
	byKey map[K]*counted[T]
}

type counted[T any] struct {
	group    Group[T]
	requests int
}

// Do is like Group.Do, in the group of the key.
func (g *Groups[K, T]) Do(ctx context.Context, key K, request T, o Options, run func(context.Context, []*Waiter[T]) error) (led bool, err error) {
	c := g.enter(key)
	defer g.leave(key, c)
	return c.group.Do(ctx, request, o, run)
}

func (g *Groups[K, T]) enter(key K) *counted[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.byKey[key]
	if c == nil {
		if g.byKey == nil {
			g.byKey = map[K]*counted[T]{}
		}
		c = new(counted[T])
		g.byKey[key] = c
	}
	c.requests++
	return c
}

func (g *Groups[K, T]) leave(key K, c *counted[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.requests--; c.requests == 0 {
		delete(g.byKey, key)
	}
}
