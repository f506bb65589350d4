package graphqlhttp

import (
	"container/list"
	"context"
	"sync"
)

// Unsent bounds the bytes of all answers that wait for their clients to read them. A nil one has no bound. It is safe
// for concurrent use.
type Unsent struct {
	limit int64
	end   func(context.Context) // ends the connection of a request

	mu      sync.Mutex
	bytes   int64
	ending  int64     // of bytes: of those whose connections were ended, and which will be gone at once
	waiting list.List // of *waiting, in the order in which they began to be sent
}

type waiting struct {
	ctx   context.Context
	bytes int64
	place *list.Element // nil once its connection was ended
}

// NewUnsent returns a bound of limit bytes, or nil if limit is 0. end ends the connection of a request by its context;
// what is being written to it must fail at once.
func NewUnsent(limit int, end func(context.Context)) *Unsent {
	if limit == 0 {
		return nil
	}
	return &Unsent{limit: int64(limit), end: end}
}

// Bytes returns how many bytes wait now.
func (u *Unsent) Bytes() int64 {
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bytes
}

// hold counts an answer until the function that it returns is called. If there is no room for it, the connections end
// that have been sent something for the longest time: they read the slowest.
func (u *Unsent) hold(ctx context.Context, bytes int) (sent func()) {
	if u == nil {
		return func() {}
	}
	w := &waiting{ctx: ctx, bytes: int64(bytes)}
	for _, slow := range u.add(w) {
		u.end(slow.ctx)
	}
	return func() { u.remove(w) }
}

// add returns those whose connections are to end.
func (u *Unsent) add(w *waiting) (slow []*waiting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes += w.bytes
	w.place = u.waiting.PushBack(w)
	for u.bytes-u.ending > u.limit && u.waiting.Len() > 1 {
		first := u.waiting.Remove(u.waiting.Front()).(*waiting)
		first.place = nil
		u.ending += first.bytes
		slow = append(slow, first)
	}
	return slow
}

func (u *Unsent) remove(w *waiting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes -= w.bytes
	if w.place == nil {
		u.ending -= w.bytes
		return
	}
	u.waiting.Remove(w.place)
}
