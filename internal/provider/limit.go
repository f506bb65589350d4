package provider

import (
	"net/netip"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// These limits bound the rows that anybody can have stored: a state lives for ten minutes.
const (
	perNetwork, burstOfNetwork = 1, 100 // requests in a second
	perServer, burstOfServer   = 50, 1000
	networks                   = 1 << 14 // so many networks are known at once
)

// limiter limits how often browsers come to Start and Callback.
type limiter struct {
	mu    sync.Mutex
	known *simplelru.LRU[netip.Prefix, *rate.Limiter]
	all   *rate.Limiter
}

func newLimiter() *limiter {
	known, err := simplelru.NewLRU[netip.Prefix, *rate.Limiter](networks, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &limiter{known: known, all: rate.NewLimiter(perServer, burstOfServer)}
}

// allow reports whether a request from a network may pass.
func (l *limiter) allow(network netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.known.Get(network)
	if !ok {
		one = rate.NewLimiter(perNetwork, burstOfNetwork)
		l.known.Add(network, one)
	}
	return one.Allow() && l.all.Allow()
}
