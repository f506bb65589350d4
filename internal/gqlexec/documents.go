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

// These bound the cache. A document that a client's developers write has a few KiB, and most APIs
// get a few hundred different ones.
const (
	maxDocuments     = 1000
	maxDocumentBytes = 64 << 20 // of all documents together; see weightOf
	maxDocumentText  = 64 << 10 // a document with a longer text is not cached
)

// documents holds valid documents by their texts, with the names that telemetry uses for them. The
// engine keeps the plans of cached documents.
type documents struct {
	Validator
	cache  *cache.Cache[document]
	engine *read.Engine
	texts  graphql.OperationContextMutator // stores texts under their names; nil: nothing does
}

type document struct {
	parsed *ast.QueryDocument
	named  *telemetry.Document
}

func newDocuments(v Validator, engine *read.Engine, texts graphql.OperationParameterMutator) documents {
	forget := func(d document) { engine.Forget(d.parsed) }
	keeps, _ := texts.(graphql.OperationContextMutator)
	return documents{v, cache.New(maxDocuments, maxDocumentBytes, forget), engine, keeps}
}

// find finds the document of a request and the operation to run. It parses and validates a document
// that is not cached. If the request's extensions name a valid document, its text is stored under
// the name.
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

// parse returns the document of a text, or the errors in it. It tells the request's telemetry that
// the document was not cached.
func (d documents) parse(ctx context.Context, text string) (document, gqlerror.List) {
	if depth := Nesting(text); depth > MaxNesting { // first, as parsing is recursive
		return document{}, tooDeep(ctx, "brackets stand inside each other", depth)
	}
	telemetry.FromContext(ctx).Missed(text)
	parsed, errs := d.Parse(ctx, text)
	if len(errs) > 0 {
		return document{}, errs
	}
	return d.add(text, parsed), nil
}

// add adds a valid document to the cache, unless it is too large.
func (d documents) add(text string, parsed *ast.QueryDocument) document {
	added := document{parsed, telemetry.NewDocument(text, parsed)}
	if len(text) > maxDocumentText {
		return added
	}
	d.engine.Keep(parsed)
	if !d.cache.Add(text, added, len(text)+weightOf(parsed)) {
		d.engine.Forget(parsed) // another request has added the same text meanwhile
	}
	return added
}
