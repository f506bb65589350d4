// Package cache keeps values that are costly to make. The number and the size of the values are
// limited.
package cache

import (
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache keeps values by their keys. If there is no room for a new value, the least recently used
// values are removed. A Cache is safe for concurrent use.
type Cache[V any] struct {
	mu           sync.Mutex
	known        *simplelru.LRU[string, entry[V]]
	bytes, limit int
}

type entry[V any] struct {
	value V
	bytes int
}

// New returns a cache for at most values values with bytes bytes in total, keys included. Both
// limits must be at least 1; New panics if values is less. If evicted is not nil, it is called for
// each value that is removed, before another value takes its place. evicted must not use the cache.
func New[V any](values, bytes int, evicted func(V)) *Cache[V] {
	c := &Cache[V]{limit: bytes}
	known, err := simplelru.NewLRU(values, func(_ string, e entry[V]) {
		c.bytes -= e.bytes
		if evicted != nil {
			evicted(e.value)
		}
	})
	if err != nil {
		panic("cache: " + err.Error()) // the settings allow no number below 1
	}
	c.known = known
	return c
}

// Get returns the value of a key. ok is false if there is none.
func (c *Cache[V]) Get(key string) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.known.Get(key)
	return e.value, ok
}

// Contains reports whether a key has a value. Unlike Get, it does not count as a use of the value.
func (c *Cache[V]) Contains(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Contains(key)
}

// Add adds a value. The value takes bytes bytes, without its key. If the key has a value already,
// or if the value is larger than the whole cache, Add adds nothing and returns false.
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
	// Without the copy, a key that is a substring would keep the whole string in memory.
	c.known.Add(strings.Clone(key), entry[V]{value, bytes})
	return true
}

// Remove removes the value of a key, if there is one.
func (c *Cache[V]) Remove(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.Remove(key)
}

// Purge removes all values.
func (c *Cache[V]) Purge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.Purge()
}

// Held returns the number of values, and the bytes that they take with their keys.
func (c *Cache[V]) Held() (values, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Len(), c.bytes
}
