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

// Bounds of the cache. A document that a client's developers write has a few KiB, and most APIs
// know a few hundred of them.
const (
	maxDocuments     = 1000
	maxDocumentBytes = 64 << 20 // of all of them, by weightOf
	maxDocumentText  = 64 << 10 // a longer text is parsed each time
)

// documentCache caches valid documents by their text, with the names that telemetry has for them.
// The engine holds the plans of cached documents. The cache notes in the telemetry of each request
// whether it had the document.
type documentCache struct {
	cache  *cache.Cache[document]
	engine *read.Engine
}

type document struct {
	parsed *ast.QueryDocument
	named  *telemetry.Document
}

func newDocumentCache(engine *read.Engine) documentCache {
	return documentCache{cache.New(maxDocuments, maxDocumentBytes, func(d document) { engine.Forget(d.parsed) }), engine}
}

// Get returns the parsed document of a text that was added.
func (c documentCache) Get(ctx context.Context, text string) (parsed *ast.QueryDocument, ok bool) {
	var d document
	if len(text) <= maxDocumentText {
		d, ok = c.cache.Get(text)
	}
	if ok {
		telemetry.FromContext(ctx).Found(d.named)
	} else {
		telemetry.FromContext(ctx).Missed(text)
	}
	return d.parsed, ok
}

// Add caches a valid document, unless it is too large.
func (c documentCache) Add(ctx context.Context, text string, parsed *ast.QueryDocument) {
	named := telemetry.NewDocument(text, parsed)
	telemetry.FromContext(ctx).Parsed(named)
	if len(text) > maxDocumentText {
		return
	}
	c.engine.Keep(parsed)
	if !c.cache.Add(text, document{parsed, named}, len(text)+weightOf(parsed)) {
		c.engine.Forget(parsed) // another request has brought the same text meanwhile
	}
}

// plans has the engine hold the plans of an operation for as long as that runs, whether its
// document is cached or not.
type plans struct{ engine *read.Engine }

func (p plans) begin(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	p.engine.Begin(op)
	return nil
}
