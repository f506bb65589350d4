package graphqlhttp

import (
	"container/list"
	"context"
	"sync"
)

// Unsent limits the bytes of all answers that wait for their clients to read them. A nil *Unsent
// has no limit. It is safe for concurrent use.
type Unsent struct {
	limit int64
	abort func(context.Context) // ends the connection of a request

	mu      sync.Mutex
	bytes   int64
	aborted int64     // the part of bytes whose connections were ended; it is removed soon
	answers list.List // of *unsentAnswer, in the order in which they began to be sent
}

// unsentAnswer is an answer that is being sent.
type unsentAnswer struct {
	ctx     context.Context // of the request
	bytes   int64
	element *list.Element // in Unsent.answers; nil once its connection was ended
}

// NewUnsent returns a limit of that many bytes, or nil if limit is 0. abort is called with the
// context of a request to end its connection, and must make writes to it fail at once.
func NewUnsent(limit int, abort func(context.Context)) *Unsent {
	if limit == 0 {
		return nil
	}
	return &Unsent{limit: int64(limit), abort: abort}
}

// Bytes returns how many bytes are waiting now.
func (u *Unsent) Bytes() int64 {
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bytes
}

// add counts an answer of the given size until the returned function is called. If that exceeds the
// limit, it ends the connections of the answers that have been sent for the longest time: their
// clients read the slowest.
func (u *Unsent) add(ctx context.Context, bytes int) (sent func()) {
	if u == nil {
		return func() {}
	}
	a := &unsentAnswer{ctx: ctx, bytes: int64(bytes)}
	for _, slow := range u.push(a) {
		u.abort(slow.ctx)
	}
	return func() { u.remove(a) }
}

// push counts the answer, and returns the ones whose connections are to be ended.
func (u *Unsent) push(a *unsentAnswer) (slow []*unsentAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes += a.bytes
	a.element = u.answers.PushBack(a)
	for u.bytes-u.aborted > u.limit && u.answers.Len() > 1 {
		first := u.answers.Remove(u.answers.Front()).(*unsentAnswer)
		first.element = nil
		u.aborted += first.bytes
		slow = append(slow, first)
	}
	return slow
}

// remove no longer counts the answer.
func (u *Unsent) remove(a *unsentAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes -= a.bytes
	if a.element == nil {
		u.aborted -= a.bytes
		return
	}
	u.answers.Remove(a.element)
}
