package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
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

// documents has valid documents by their texts, with the names that telemetry has for them. The
// engine holds the plans of cached documents.
type documents struct {
	Validator
	cache  *cache.Cache[document]
	engine *read.Engine
	texts  graphql.OperationContextMutator // keeps texts under their names; nil: nothing does
}

type document struct {
	parsed *ast.QueryDocument
	named  *telemetry.Document
}

func newDocuments(v Validator, engine *read.Engine, texts graphql.HandlerExtension) documents {
	forget := func(d document) { engine.Forget(d.parsed) }
	keeps, _ := texts.(graphql.OperationContextMutator)
	return documents{v, cache.New(maxDocuments, maxDocumentBytes, forget), engine, keeps}
}

// find finds the document of a request, and the operation in it that is meant. It parses and
// validates a document that is not cached. If the request has a name for a valid document, which
// stands among its extensions, the text is kept under the name.
func (d documents) find(ctx context.Context, c *checked) gqlerror.List {
	text, known := c.request.Query, false
	if len(text) <= maxDocumentText {
		c.document, known = d.cache.Get(text)
	}
	if !known {
		var errs gqlerror.List
		if c.document, errs = d.parse(ctx, text); len(errs) > 0 {
			return errs
		}
	}
	c.Doc = c.document.parsed
	if c.Operation = c.Doc.Operations.ForName(c.OperationName); c.Operation == nil {
		err := gqlerror.Errorf("operation %s not found", c.OperationName)
		errcode.Set(err, errcode.ValidationFailed)
		return gqlerror.List{err}
	}
	if d.texts != nil && len(c.Extensions) > 0 {
		if err := d.texts.MutateOperationContext(ctx, c.OperationContext); err != nil {
			return gqlerror.List{err}
		}
	}
	return nil
}

// parse returns the document of a text, or the errors in it, and notes in the telemetry of the
// request that it was not cached.
func (d documents) parse(ctx context.Context, text string) (document, gqlerror.List) {
	if depth := Nesting(text); depth > MaxNesting { // before anything follows brackets down
		return document{}, tooDeep(ctx, "brackets stand inside each other", depth)
	}
	telemetry.FromContext(ctx).Missed(text)
	parsed, errs := d.Parse(ctx, text)
	if len(errs) > 0 {
		return document{}, errs
	}
	return d.add(text, parsed), nil
}

// add caches a valid document, unless it is too large.
func (d documents) add(text string, parsed *ast.QueryDocument) document {
	added := document{parsed, telemetry.NewDocument(text, parsed)}
	if len(text) > maxDocumentText {
		return added
	}
	d.engine.Keep(parsed)
	if !d.cache.Add(text, added, len(text)+weightOf(parsed)) {
		d.engine.Forget(parsed) // another request has brought the same text meanwhile
	}
	return added
}
