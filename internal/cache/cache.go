// Package cache keeps what is costly to make, within bounds of number and size.
package cache

import (
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache is values by their keys. Those that were not asked for the longest go first. It is safe for concurrent use.
type Cache[V any] struct {
	mu           sync.Mutex
	known        *simplelru.LRU[string, entry[V]]
	bytes, limit int
}

type entry[V any] struct {
	value V
	bytes int
}

// New returns room for so many values and bytes, keys included; both must be 1 at least. gone, if it is not nil, is called for each value that has
// to go, before another has its place; it must not use the cache.
func New[V any](values, bytes int, gone func(V)) *Cache[V] {
	c := &Cache[V]{limit: bytes}
	known, err := simplelru.NewLRU(values, func(_ string, e entry[V]) {
		c.bytes -= e.bytes
		if gone != nil {
			gone(e.value)
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

// Contains reports whether a key has a value, without counting as a request for it.
func (c *Cache[V]) Contains(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Contains(key)
}

// Add keeps a value that takes so many bytes beside its key. It returns false, and does not keep it, if the key has a value already or if it is
// larger than all that may be kept.
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
	c.known.Add(strings.Clone(key), entry[V]{value, bytes}) // what the key was cut from is not to be kept with it
	return true
}

// Held returns how many values are kept, and how many bytes they take with their keys.
func (c *Cache[V]) Held() (values, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Len(), c.bytes
}
