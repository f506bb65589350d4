// Package telemetry holds what is told of a request: one record, filled in by the layers that it passes, from which its log line,
// its metrics, the log of slow operations and its trace are made. It has names, counts, times and codes; never a value that was
// sent or stored.
package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Record is what is told of one request. Its methods may be called on nil, outside of a request, and then do nothing.
type Record struct {
	RequestID string     // by which the request is found; "" if it has none
	Document  *Document  // nil unless the request has a valid one
	Operation *Operation // the one of the document that runs; nil until that is known
	Hash      string     // of the text of a document that was not known yet, valid or not: see Hash
	Looked    bool       // the document was looked up among those that are known
	Persisted LookUp     // of the text of a document that was sent as its hash
	Answered  bool       // with a GraphQL response
	Code      string     // extensions.code of its first error, "" without one
	Refused   Limit      // "" unless the request passed a limit
	Attempts  int        // how often the operation was run; 0 if it was refused

	spans spans

	mu           sync.Mutex
	statements   int
	databaseTime time.Duration
	shapes       []Shape
	space        [4]Shape // what most requests need
}

type contextKey struct{}

// recorded is a context with a record, in one piece of memory.
type recorded struct {
	context.Context
	record Record
}

// Value returns the record, or what the context knows besides.
func (r *recorded) Value(key any) any {
	if key == (contextKey{}) {
		return &r.record
	}
	return r.Context.Value(key)
}

// NewContext returns a context with a new record of the request with that ID, and that record.
func NewContext(ctx context.Context, requestID string) (context.Context, *Record) {
	r := &recorded{Context: ctx, record: Record{RequestID: requestID}}
	return r, &r.record
}

// FromContext returns the record of the request that ctx belongs to, or nil outside of one.
func FromContext(ctx context.Context) *Record {
	r, _ := ctx.Value(contextKey{}).(*Record)
	return r
}

// RequestID returns the ID of the request that ctx belongs to, or "" outside of one.
func RequestID(ctx context.Context) string {
	if r := FromContext(ctx); r != nil {
		return r.RequestID
	}
	return ""
}

// Found notes that the document is one that was parsed before, and which.
func (r *Record) Found(d *Document) {
	if r != nil {
		r.Looked, r.Document = true, d
	}
}

// Missed notes that the document was not known: its text has to be parsed.
func (r *Record) Missed(text string) {
	if r != nil {
		r.Looked, r.Hash = true, Hash(text)
	}
}

// LookUp is how a look-up in a cache ended.
type LookUp int8

// Most requests do not look.
const (
	NotLooked LookUp = iota
	Hit
	Miss
)

// LookUp notes that the text of a document was looked up by its hash, and whether it was there.
func (r *Record) LookUp(found bool) {
	switch {
	case r == nil:
	case found:
		r.Persisted = Hit
	default:
		r.Persisted = Miss
	}
}

// Parsed notes that the document, which was not known, is valid.
func (r *Record) Parsed(d *Document) {
	if r != nil {
		r.Document = d
	}
}

// Runs notes which operation of the document is meant; nil if the document has none of the name that was asked for.
func (r *Record) Runs(operation *ast.OperationDefinition) {
	if r != nil && r.Document != nil && operation != nil {
		r.Operation = r.Document.find(operation)
	}
}

// Attempt notes that the operation is run for the n-th time, from 1.
func (r *Record) Attempt(n int) {
	if r != nil {
		r.Attempts = n
	}
}

// Refuse notes which limit the request passed.
func (r *Record) Refuse(l Limit) {
	if r != nil {
		r.Refused = l
	}
}

// Answer notes that a GraphQL response is sent, and the code of its first error, "" without one.
func (r *Record) Answer(code string) {
	if r != nil {
		r.Answered, r.Code = true, code
	}
}

// ShortHash returns the first 16 digits of the hash of the document, valid or not, or "" if there is none.
func (r *Record) ShortHash() string {
	hash := r.Hash
	if r.Document != nil {
		hash = r.Document.Hash
	}
	return hash[:min(len(hash), 16)]
}
