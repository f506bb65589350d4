package metrics

import (
	"maps"
	"sync"
	"sync/atomic"
)

// series are measurements by their labels, found without a lock and without building a key. They are few and come for good, so the
// map is copied for each new one.
type series[K comparable, V any] struct {
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex // held by who adds one
}

func (s *series[K, V]) find(key K) (V, bool) {
	if known := s.known.Load(); known != nil {
		v, ok := (*known)[key]
		return v, ok
	}
	var none V
	return none, false
}

// add returns what is known under the key, or else what create returns for a map of so many others; that is kept.
func (s *series[K, V]) add(key K, create func(others int) V) V {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.find(key); ok {
		return v
	}
	changed := map[K]V{}
	if known := s.known.Load(); known != nil {
		changed = maps.Clone(*known)
	}
	changed[key] = create(len(changed))
	s.known.Store(&changed)
	return changed[key]
}

func (s *series[K, V]) len() int {
	if known := s.known.Load(); known != nil {
		return len(*known)
	}
	return 0
}
