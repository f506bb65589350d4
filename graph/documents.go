package graph

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/telemetry"
)

// documentCache keeps valid documents by their text, with what is told of them. It notes in the record of each request whether its
// document was there.
type documentCache struct{ kept *lru.Cache[string, document] }

type document struct {
	parsed *ast.QueryDocument
	told   *telemetry.Document
}

func newDocumentCache(size int) documentCache {
	kept, err := lru.New[string, document](size)
	if err != nil {
		panic(err) // only a size below 1 is wrong
	}
	return documentCache{kept}
}

// Get returns the parsed form of a text that has been added.
func (c documentCache) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	d, ok := c.kept.Get(text)
	if ok {
		telemetry.FromContext(ctx).Found(d.told)
	} else {
		telemetry.FromContext(ctx).Missed(text)
	}
	return d.parsed, ok
}

// Add keeps a valid document.
func (c documentCache) Add(ctx context.Context, text string, parsed *ast.QueryDocument) {
	told := telemetry.NewDocument(text, parsed)
	telemetry.FromContext(ctx).Parsed(told)
	c.kept.Add(text, document{parsed, told})
}
