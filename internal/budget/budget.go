// Package budget bounds an answer while it is made: its bytes, the bytes of the rows that it is
// made of, and its errors.
package budget

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"forge/internal/apperr"
)

// How many errors one answer has at most, and how many bytes their messages and paths have
// together.
const (
	MaxErrors     = 50
	maxErrorBytes = 64 << 10
)

// Answer is the budget of one answer. It is safe for concurrent use. A nil Answer has no limits.
type Answer struct {
	limit       int64 // of bytes; 0 for no limit
	bytes, rows atomic.Int64
	exceeded    atomic.Bool
	lifted      atomic.Bool

	mu         sync.Mutex
	shown      int // errors
	errorBytes int
	more       int         // errors that were left out
	code       apperr.Code // of one of those
}

// New returns the budget of an answer. The limit, in bytes, holds for the answer, and for the rows
// that it is made of. 0 means no limit.
func New(limit int) *Answer { return &Answer{limit: int64(limit)} }

type key struct{}

// NewContext returns a context that carries the budget.
func NewContext(ctx context.Context, a *Answer) context.Context {
	return context.WithValue(ctx, key{}, a)
}

// FromContext returns the budget that ctx carries, or nil.
func FromContext(ctx context.Context) *Answer {
	a, _ := ctx.Value(key{}).(*Answer)
	return a
}

// Write counts n more bytes of the answer. It returns false once the budget is exceeded.
func (a *Answer) Write(n int) bool { return a == nil || a.count(&a.bytes, n) }

// Hold counts n more bytes of rows. It returns false once the budget is exceeded.
func (a *Answer) Hold(n int) bool { return a == nil || a.count(&a.rows, n) }

func (a *Answer) count(counter *atomic.Int64, n int) bool {
	if counter.Add(int64(n)) > a.limit && a.limit > 0 && !a.lifted.Load() {
		a.exceeded.Store(true)
	}
	return !a.exceeded.Load()
}

// Lift ends the limits of bytes: from now on the answer is given, however large it is. Errors stay
// limited.
func (a *Answer) Lift() {
	if a != nil {
		a.lifted.Store(true)
	}
}

// Exceeded reports whether the answer is larger than it may be.
func (a *Answer) Exceeded() bool { return a != nil && a.exceeded.Load() }

// Err returns the client's error for an answer that is larger than it may be.
func (a *Answer) Err() *apperr.Error {
	return &apperr.Error{Code: apperr.CodeTooComplex,
		Message: fmt.Sprintf("the answer is larger than the %d bytes that are allowed; ask for fewer rows or fields", a.limit),
		More:    map[string]any{"limit": a.limit, "actual": max(a.bytes.Load(), a.rows.Load())}}
}

// SkipError reports whether there is no room for another error. If so, it counts one of the code as
// left out. It saves its caller from making an error that would be dropped; AddError counts those
// that are made.
func (a *Answer) SkipError(code apperr.Code) bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.skip(code)
}

// AddError counts an error of the code. It returns false if there is no room for it, and counts it
// as left out.
func (a *Answer) AddError(code apperr.Code) bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.skip(code) {
		return false
	}
	a.shown++
	return true
}

func (a *Answer) skip(code apperr.Code) bool {
	if a.shown < MaxErrors && a.errorBytes < maxErrorBytes {
		return false
	}
	a.more++
	if a.code == "" || code == apperr.CodeUnavailable { // it says that the whole may be tried again
		a.code = code
	}
	return true
}

// AddErrorBytes counts the size of an error's message and path.
func (a *Answer) AddErrorBytes(n int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.errorBytes += n
}

// Errors returns how many errors there were, including those that were left out.
func (a *Answer) Errors() int {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shown + a.more
}

// LeftOut returns how many errors were left out, and the code of one of them. The code is
// UNAVAILABLE if one of them has it.
func (a *Answer) LeftOut() (n int, code apperr.Code) {
	if a == nil {
		return 0, ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.more, a.code
}
