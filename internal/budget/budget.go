// Package budget bounds an answer while it is made. It bounds the bytes of the answer, the bytes of
// the rows that the answer is made from, and the errors.
package budget

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"forge/internal/apperr"
)

// These bound the number of errors in an answer, and the bytes of all their messages and paths.
const (
	MaxErrors     = 50
	maxErrorBytes = 64 << 10
)

// Answer is the budget of one answer. It is safe for concurrent use. A nil Answer has no bounds.
type Answer struct {
	limit       int64 // in bytes; 0: no limit
	bytes, rows atomic.Int64
	exceeded    atomic.Bool
	lifted      atomic.Bool

	mu         sync.Mutex
	shown      int // how many errors the answer has
	errorBytes int
	more       int         // how many errors were left out
	code       apperr.Code // the code of one error that was left out
}

// New returns the budget of an answer. The limit is in bytes. It applies to the answer, and in the
// same way to the rows that the answer is made from. 0 means no limit.
func New(limit int) *Answer { return &Answer{limit: int64(limit)} }

type key struct{}

// NewContext returns a context that carries the budget.
func NewContext(ctx context.Context, a *Answer) context.Context {
	return context.WithValue(ctx, key{}, a)
}

// FromContext returns the budget that ctx carries, or nil if it carries none.
func FromContext(ctx context.Context) *Answer {
	a, _ := ctx.Value(key{}).(*Answer)
	return a
}

// Write counts n more bytes of the answer. It returns false if the budget is exceeded.
func (a *Answer) Write(n int) bool { return a == nil || a.count(&a.bytes, n) }

// Hold counts n more bytes of rows. It returns false if the budget is exceeded.
func (a *Answer) Hold(n int) bool { return a == nil || a.count(&a.rows, n) }

func (a *Answer) count(counter *atomic.Int64, n int) bool {
	if counter.Add(int64(n)) > a.limit && a.limit > 0 && !a.lifted.Load() {
		a.exceeded.Store(true)
	}
	return !a.exceeded.Load()
}

// Left returns how many more bytes the answer may have.
func (a *Answer) Left() int {
	if a == nil || a.limit == 0 || a.lifted.Load() {
		return math.MaxInt
	}
	return int(max(0, a.limit-a.bytes.Load()))
}

// Lift removes the limit on bytes. From then on, the answer may have any size. The bounds on errors
// remain.
func (a *Answer) Lift() {
	if a != nil {
		a.lifted.Store(true)
	}
}

// Exceeded reports whether the limit on bytes was exceeded.
func (a *Answer) Exceeded() bool { return a != nil && a.exceeded.Load() }

// Err returns the error that tells the client that the answer is too large.
func (a *Answer) Err() *apperr.Error {
	return &apperr.Error{Code: apperr.CodeTooComplex,
		Message: fmt.Sprintf("the answer is larger than the %d bytes that are allowed; ask for fewer rows or fields", a.limit),
		More:    map[string]any{"limit": a.limit, "actual": max(a.bytes.Load(), a.rows.Load())}}
}

// SkipError reports whether there is no room for another error. If so, it counts an error with the
// code as left out. A caller asks before it makes an error, which would be dropped otherwise.
// Errors that are made are counted by AddError.
func (a *Answer) SkipError(code apperr.Code) bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.skip(code)
}

// AddError counts an error with the code. If there is no room for it, AddError counts it as left
// out and returns false.
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
	if a.code == "" || code == apperr.CodeUnavailable { // UNAVAILABLE comes first
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

// Errors returns the number of errors, including those that were left out.
func (a *Answer) Errors() int {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shown + a.more
}

// LeftOut returns how many errors were left out, and the code of one of them. If one of them has
// the code UNAVAILABLE, it returns that code.
func (a *Answer) LeftOut() (n int, code apperr.Code) {
	if a == nil {
		return 0, ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.more, a.code
}
