// Package stream delivers the answers of subscriptions to clients, over WebSockets
// (graphql-transport-ws) and as server-sent events (GraphQL over SSE). It knows how answers get to
// clients. An Executor knows what the answers are.
package stream

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// An Executor runs the operations that streams ask for.
type Executor interface {
	// Subscribe checks an operation and begins it. after is a cursor of changes to go on from, in
	// place of the one in the document; it may be empty. The context has the viewer. It ends with
	// the stream, and is used by Next.
	//
	// A query or a mutation is an operation with one answer. It runs in Next, and not before: the
	// transport refuses a mutation that came by GET in between. The transports log the operation's
	// name from the telemetry.Record of ctx.
	//
	// An operation that cannot run has one answer with its errors, for which Answer.Refused is
	// true.
	//
	// wake is called, on any goroutine, when Next may return an answer after it has returned none.
	// It must not block.
	Subscribe(ctx context.Context, params *graphql.RawParams, after string, wake func()) Operation
}

// An Operation is one that has begun.
type Operation interface {
	// Kind returns query, mutation or subscription. It returns "" if the operation cannot run.
	Kind() ast.Operation
	// Next returns the next answer. It returns nil without an error if there is none yet. After the
	// last answer, it returns io.EOF. It is called by one goroutine at a time.
	Next(ctx context.Context) (*Answer, error)
	// Close ends the operation. It is not called while Next runs, and Next is not called after it.
	// The context has ended already.
	Close()
}

// An Answer is one result of an operation.
type Answer struct {
	// Body is the result as JSON: an object with data, errors and extensions. Several streams may
	// share it, so it must not be changed.
	Body []byte
	// Cursor is the cursor of changes after the answer, or empty.
	Cursor string
	// Empty means that the answer tells of no changes: only the cursor has moved.
	Empty bool
	// Refused means that the operation did not begin: Body has only errors, and it is the last
	// answer.
	Refused bool
}
