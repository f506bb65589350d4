package read

import (
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Keep has the engine keep what it compiles for the operations of a document, until Forget.
func (e *Engine) Keep(doc *ast.QueryDocument) {
	for _, definition := range doc.Operations {
		e.plans.Store(definition, sync.OnceValue(func() *operation { return newOperation(doc, definition) }))
	}
}

// Forget drops what Keep has kept. Operations that are running meanwhile are not disturbed.
func (e *Engine) Forget(doc *ast.QueryDocument) {
	for _, definition := range doc.Operations {
		e.plans.Delete(definition)
	}
}

// Kept returns how many operations Keep has kept.
func (e *Engine) Kept() (operations int) {
	e.plans.Range(func(any, any) bool { operations++; return true })
	return operations
}

// passing is where an operation that is not kept has its plans: among its statistics, which end with it.
const passing = "plans"

// Begin has an operation whose document is not kept carry its plans along. It is called before anything else of the engine is, and by one
// goroutine.
func (e *Engine) Begin(op *graphql.OperationContext) {
	if _, kept := e.plans.Load(op.Operation); !kept {
		op.Stats.SetExtension(passing, newOperation(op.Doc, op.Operation))
	}
}

// operation returns what was compiled for an operation.
func (e *Engine) operation(op *graphql.OperationContext) *operation {
	if known, ok := e.plans.Load(op.Operation); ok {
		return known.(func() *operation)()
	}
	if own, ok := op.Stats.GetExtension(passing).(*operation); ok {
		return own
	}
	return newOperation(op.Doc, op.Operation) // the document was forgotten while the operation ran
}

func newOperation(doc *ast.QueryDocument, definition *ast.OperationDefinition) *operation {
	return &operation{switches: switchesOf(doc, definition), plans: map[string]*plan{}, payloads: map[string]*payload{},
		most: map[string]int{}, queries: map[string]*query{}, roots: map[string][]*ast.Field{}}
}
