// Package cache keeps values that are costly to make, up to a number and a size.
package cache

import (
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache keeps values by key. The least recently used go first. It is safe for concurrent use.
type Cache[V any] struct {
	mu           sync.Mutex
	known        *simplelru.LRU[string, entry[V]]
	bytes, limit int
}

type entry[V any] struct {
	value V
	bytes int
}

// New returns a cache for at most values values and bytes bytes, keys included. Both must be at
// least 1. evicted, if it is not nil, is called for each value that has to go, before another takes
// its room. It must not use the cache.
func New[V any](values, bytes int, evicted func(V)) *Cache[V] {
	c := &Cache[V]{limit: bytes}
	known, err := simplelru.NewLRU(values, func(_ string, e entry[V]) {
		c.bytes -= e.bytes
		if evicted != nil {
			evicted(e.value)
		}
	})
	if err != nil {
		panic("cache: " + err.Error()) // settings let no other number through
	}
	c.known = known
	return c
}

// Get returns the value of a key.
func (c *Cache[V]) Get(key string) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.known.Get(key)
	return e.value, ok
}

// Contains reports whether a key has a value. This is not a use of the value.
func (c *Cache[V]) Contains(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Contains(key)
}

// Add adds a value that takes bytes bytes beside its key. It returns false, and adds nothing, if
// the key has a value already or the value is too large.
func (c *Cache[V]) Add(key string, value V, bytes int) bool {
	bytes += len(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes > c.limit || c.known.Contains(key) {
		return false
	}
	for c.bytes+bytes > c.limit {
		c.known.RemoveOldest()
	}
	c.bytes += bytes
	// The key may be a part of a large text, which must not be kept with it.
	c.known.Add(strings.Clone(key), entry[V]{value, bytes})
	return true
}

// Held returns how many values there are, and how many bytes they take with their keys.
func (c *Cache[V]) Held() (values, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Len(), c.bytes
}
