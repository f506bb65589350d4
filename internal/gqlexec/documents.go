package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/cache"
	"forge/internal/read"
	"forge/internal/telemetry"
)

// What is kept of documents at most. Those that clients write have a few KiB and are told apart by a few hundred.
const (
	mostDocuments     = 1000
	mostDocumentBytes = 64 << 20 // of all of them, as weightOf takes them for
	longestDocument   = 64 << 10 // a longer text is parsed each time; it may be one large comment
)

// documentCache keeps valid documents by their text, with what is told of them and what the engine has compiled for them. It notes in the
// record of each request whether its document was there.
type documentCache struct {
	cache  *cache.Cache[document]
	engine *read.Engine
}

type document struct {
	parsed *ast.QueryDocument
	told   *telemetry.Document
}

func newDocumentCache(engine *read.Engine) documentCache {
	return documentCache{cache.New(mostDocuments, mostDocumentBytes, func(d document) { engine.Forget(d.parsed) }), engine}
}

// Get returns the parsed form of a text that has been added.
func (c documentCache) Get(ctx context.Context, text string) (parsed *ast.QueryDocument, ok bool) {
	var d document
	if len(text) <= longestDocument {
		d, ok = c.cache.Get(text)
	}
	if ok {
		telemetry.FromContext(ctx).Found(d.told)
	} else {
		telemetry.FromContext(ctx).Missed(text)
	}
	return d.parsed, ok
}

// Add keeps a valid document, unless it is too large.
func (c documentCache) Add(ctx context.Context, text string, parsed *ast.QueryDocument) {
	told := telemetry.NewDocument(text, parsed)
	telemetry.FromContext(ctx).Parsed(told)
	if len(text) > longestDocument {
		return
	}
	c.engine.Keep(parsed)
	if !c.cache.Add(text, document{parsed, told}, len(text)+weightOf(parsed)) {
		c.engine.Forget(parsed) // another request has brought the same text meanwhile
	}
}

// plans has the engine hold what it compiles for an operation for as long as that runs, whether its
// document is cached or not.
type plans struct{ engine *read.Engine }

func (p plans) begin(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	p.engine.Begin(op)
	return nil
}
