// Package telemetry holds what operators can know about a request. There is one record for each
// request, and the layers that the request passes fill it in. The request's log line, its metrics,
// the log of slow operations and the trace are made from the record. A record holds names, counts,
// times and codes. It never holds a value that was sent or stored.
package telemetry

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Record is what is known about one request. Outside of a request, the record is nil. The methods
// that fill in a record do nothing if it is nil.
type Record struct {
	RequestID string     // "" if the request has none
	Document  *Document  // nil unless the request has a valid document
	Operation *Operation // the operation that is run; nil until it is known
	// Hash is the hash of the document's text, valid or not, if the document was not in the cache.
	// See the function Hash.
	Hash      string
	Looked    bool   // the document was looked up in the cache
	Persisted LookUp // the look-up of a document that was sent as its hash
	Answered  bool   // the answer is a GraphQL response
	Code      string // extensions.code of the answer's first error, or ""
	Refused   Limit  // the limit that the request exceeded, or ""
	Attempts  int    // how often the operation was run; 0 if it was refused
	Stream    bool   // the answer is a stream, which has a log line and metrics of its own

	spans spans

	mu           sync.Mutex
	statements   int
	databaseTime time.Duration
	shapes       []Shape
	space        [4]Shape // the memory of shapes, which is enough for most requests
}

type contextKey struct{}

// NewContext returns a new record for the request with this ID, and a context that carries it.
func NewContext(ctx context.Context, requestID string) (context.Context, *Record) {
	r := &Record{RequestID: requestID}
	return context.WithValue(ctx, contextKey{}, r), r
}

// FromContext returns the record that ctx carries. It returns nil outside of a request.
func FromContext(ctx context.Context) *Record {
	r, _ := ctx.Value(contextKey{}).(*Record)
	return r
}

// Traced reports whether the request of ctx is traced.
func Traced(ctx context.Context) bool {
	r := FromContext(ctx)
	return r != nil && r.spans.tracer != nil
}

// RequestID returns the ID of the request of ctx. It returns "" outside of a request.
func RequestID(ctx context.Context) string {
	if r := FromContext(ctx); r != nil {
		return r.RequestID
	}
	return ""
}

// Missed records that the document was not in the cache and has to be parsed.
func (r *Record) Missed(text string) {
	if r != nil {
		r.Looked, r.Hash = true, Hash(text)
	}
}

// LookUp is the result of a look-up in a cache.
type LookUp int8

// These are the results of a look-up. NotLooked means that there was none.
const (
	NotLooked LookUp = iota
	Hit
	Miss
)

// LookUp records that a document was looked up by its hash, and whether it was found.
func (r *Record) LookUp(found bool) {
	switch {
	case r == nil:
	case found:
		r.Persisted = Hit
	default:
		r.Persisted = Miss
	}
}

// Runs records the valid document of the request, and the operation to run. operation is nil if the
// document has none with the requested name.
func (r *Record) Runs(d *Document, operation *ast.OperationDefinition) {
	if r == nil {
		return
	}
	r.Looked, r.Document = true, d
	if i := slices.Index(d.source.Operations, operation); i >= 0 {
		r.Operation = &d.operations[i]
	}
}

// Answers records that the operation is that of another record, which may be nil.
func (r *Record) Answers(of *Record) {
	if of != nil {
		r.Document, r.Operation = of.Document, of.Operation
	}
}

// StartOperation records that the operation is run, and begins its span. It returns a context that
// carries the span.
func (r *Record) StartOperation(ctx context.Context) context.Context {
	if r == nil {
		return ctx
	}
	r.Attempts = 1
	if r.spans.tracer != nil && r.Operation != nil {
		ctx, r.spans.operation = r.spans.tracer.spans.Start(ctx, r.Operation.Kind)
	}
	return ctx
}

// Attempt records that the operation is run for the n-th time. The first attempt is number 1.
func (r *Record) Attempt(n int) {
	if r != nil {
		r.Attempts = n
	}
}

// Refuse records the limit that the request exceeded.
func (r *Record) Refuse(l Limit) {
	if r != nil {
		r.Refused = l
	}
}

// StartStream records that the answer is a stream.
func (r *Record) StartStream() {
	if r != nil {
		r.Stream = true
	}
}

// Answer records that a GraphQL response is sent, which ends the operation. code is the code of the
// response's first error, or "".
func (r *Record) Answer(code string) {
	if r == nil {
		return
	}
	r.Answered, r.Code = true, code
	if r.spans.operation != nil {
		r.spans.operationEnd = time.Now()
	}
}

// ShortHash returns the first 16 digits of the document's hash, whether or not the document is
// valid. It returns "" if there is no document.
func (r *Record) ShortHash() string {
	hash := r.Hash
	if r.Document != nil {
		hash = r.Document.Hash
	}
	return hash[:min(len(hash), 16)]
}

// Shape is a statement without its values. It holds the counts and times of all runs of the
// statement in a request.
type Shape struct {
	SQL    string        `json:"sql"` // the text, with placeholders
	Count  int           `json:"count"`
	Failed int           `json:"failed,omitempty"`
	Time   time.Duration `json:"-"`
	Millis float64       `json:"ms"` // Time, for log lines
}

// maxShapes is how many different statements of a request have a shape. The runs of other
// statements are only counted.
const maxShapes = 32

// Statement records a statement that the request of ctx ran. text must not contain values.
func (r *Record) Statement(ctx context.Context, text string, took time.Duration, err error) {
	if r == nil {
		return
	}
	if r.spans.tracer != nil {
		r.traceStatement(ctx, text, took, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements++
	r.databaseTime += took
	shape := r.shape(text)
	if shape == nil {
		return
	}
	shape.Count++
	shape.Time += took
	if err != nil {
		shape.Failed++
	}
}

// shape returns the shape of a statement. It returns nil if there are maxShapes others already.
func (r *Record) shape(text string) *Shape {
	for i := range r.shapes {
		if r.shapes[i].SQL == text {
			return &r.shapes[i]
		}
	}
	if len(r.shapes) == maxShapes {
		return nil
	}
	if r.shapes == nil {
		r.shapes = r.space[:0]
	}
	r.shapes = append(r.shapes, Shape{SQL: text})
	return &r.shapes[len(r.shapes)-1]
}

// Database returns how many statements the request ran in all attempts, and how long they took
// together.
func (r *Record) Database() (statements int, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statements, r.databaseTime
}

// maxText is how many bytes of a statement are logged.
const maxText = 2000

// Shapes returns the shapes of the request's statements, the slowest first. There are at most 32,
// each with up to 2,000 bytes of its text.
func (r *Record) Shapes() []Shape {
	r.mu.Lock()
	defer r.mu.Unlock()
	shapes := slices.Clone(r.shapes)
	slices.SortStableFunc(shapes, func(a, b Shape) int { return int(b.Time - a.Time) })
	for i := range shapes {
		if text := shapes[i].SQL; len(text) > maxText {
			shapes[i].SQL = text[:maxText] + "…"
		}
		shapes[i].Millis = Millis(shapes[i].Time)
	}
	return shapes
}

// Millis returns a duration in milliseconds, rounded down to microseconds.
func Millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Document describes a valid document. It is made once, and cached together with the parsed
// document.
type Document struct {
	Hash       string // see the function Hash
	source     *ast.QueryDocument
	operations []Operation // in the order of source
}

// Operation describes an operation of a document.
type Operation struct {
	Name string // the name in the document, cut to 64 bytes, or the kind if it has no name
	Kind string // query or mutation
}

// maxName is how many bytes of an operation's name are used. A GraphQL name has only letters,
// digits and _, so it can be cut anywhere.
const maxName = 64

// NewDocument returns the description of a valid document with the given text.
func NewDocument(text string, source *ast.QueryDocument) *Document {
	d := &Document{Hash: Hash(text), source: source}
	for _, operation := range source.Operations {
		kind := string(operation.Operation)
		name := cmp.Or(operation.Name, kind)
		// Metrics keep the name for ever. Without the copy, they would also keep the text of the
		// document in memory.
		name = strings.Clone(name[:min(len(name), maxName)])
		d.operations = append(d.operations, Operation{Name: name, Kind: kind})
	}
	return d
}

// Hash returns the SHA-256 of a document's text, as 64 hexadecimal digits. Persisted documents are
// named by the same hash.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Panic describes the value of a panic for the log. For an error of Go's runtime, it returns the
// message. For any other value, it returns only the type, because the value may contain something
// that a client sent.
func Panic(value any) string {
	if err, ok := value.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("of type %T", value)
}
