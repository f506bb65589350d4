// Package read is the read engine: it answers a selection of entities with one statement a level, however many rows there are.
//
// Three steps, a file or two each. Compile (bind.go, compile.go) turns a selection into a plan: what to read on each level, and what to write of it.
// Load (load.go, page.go, where.go, order.go, cursor.go; joint.go, herd.go) runs the plan's statements, each keyed by all of its parents' rows at
// once, through ent's query builders, so that interceptors and policies hold; a mutation's payload starts from the row that its statement returned
// (payload.go). Write (write.go) appends the answer's JSON.
package read

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/cursorcipher"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
)

// Engine reads selections of one schema. It is safe for concurrent use.
type Engine struct {
	// ToAll reports whether everybody may ask for a root field of queries. The others are left to the middlewares, which look at who asks. It is set before
	// the first operation; nil: all are for everybody.
	ToAll func(field string) bool
	// Alone has every request read for itself. It is set before the first operation.
	Alone bool

	query       func(context.Context, *unit.Unit, *entity.Entity, func(*sql.Selector)) error // Contract.Query
	schema      *ast.Schema
	plain       func(field string) bool // Contract.Refers
	objects     map[string]*object      // by the name of the GraphQL type
	connections map[string]*object      // by the name of the connection type
	prefixes    map[string]*object      // by the prefix of IDs
	cursors     *cursorcipher.Sealer
	plans       sync.Map // of documents that are kept, *ast.OperationDefinition to func() *operation
}

// NewEngine returns an engine for the contract. The error is a *MismatchError if there is anything that the engine would not answer rightly.
//
// cursorKey seals cursors, and has cursorcipher.KeySize bytes; with none everyone can read them.
func NewEngine(c Contract, cursorKey []byte) (*Engine, error) {
	e := &Engine{query: c.Query, schema: c.Schema, plain: c.Refers, cursors: cursorcipher.New(cursorKey)}
	b := &binder{Engine: e}
	b.bind(c.Entities)
	b.checkOthers()
	b.checkResolvers(c.Resolvers)
	if len(b.findings) > 0 {
		return nil, &MismatchError{b.findings}
	}
	return e, nil
}

// Statements returns how many statements the operation runs at most, or a number above 1 if that depends on its arguments.
func (e *Engine) Statements(op *graphql.OperationContext) int {
	return e.operation(op).statements(e, op)
}

// Switches returns the variables of the operation that stand in @skip and @include, there or in a fragment.
func (e *Engine) Switches(op *graphql.OperationContext) (names []string) {
	for _, name := range e.operation(op).switches {
		if op.Operation.VariableDefinitions.ForName(name) != nil {
			names = append(names, name)
		}
	}
	return names
}

// identified is how a resolver refers to an entity: only the ID counts, all else is read.
type identified interface{ GetID() ids.ID }

// Read is a field middleware. Where a field's type is an entity, a connection of entities, or the Node interface, its
// resolver only refers to what is meant; Read answers with the selection of it. A resolver that has put more than an ID into what it
// returns gets an error: what it put there would not be answered.
func (e *Engine) Read(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if !e.owns(fc.Field.Definition.Type) {
		value, err := next(ctx)
		if err != nil || isNil(value) {
			return nil, err
		}
		return value, nil
	}
	only := new(restriction)
	value, err := next(context.WithValue(ctx, restrictionKey{}, only))
	if err != nil || isNil(value) {
		return nil, err
	}
	r := newRun(ctx, e, graphql.GetOperationContext(ctx))
	plan := e.operation(r.op).plan(e, r.op, fc)
	if plan.connection != nil {
		if err := bare(value); err != nil {
			return nil, err
		}
		r.only = only.predicates
		return r.connection(ctx, plan)
	}
	if len(only.predicates) > 0 {
		return nil, errors.New("read: Only is for resolvers of connections")
	}
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
		return r.list(ctx, plan, list)
	}
	id, err := referenceTo(value)
	if err != nil {
		return nil, err
	}
	return r.one(ctx, plan, id)
}

// referenceTo returns the ID of what a resolver refers to.
func referenceTo(value any) (ids.ID, error) {
	of, ok := value.(identified)
	if !ok {
		return ids.ID{}, fmt.Errorf("read: a resolver returned a %T, which has no ID to read it by", value)
	}
	return of.GetID(), bare(value)
}

// bare returns an error if what a resolver returned holds more than an ID.
func bare(value any) error {
	v := reflect.Indirect(reflect.ValueOf(value))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && field.Name != "ID" && !v.Field(i).IsZero() {
			return fmt.Errorf("read: a resolver has set %s of the %T that it returned, which would not be answered: it refers by ID alone, and the rest is read",
				field.Name, value)
		}
	}
	return nil
}

func isNil(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice) && v.IsNil()
}

// owns reports whether fields of type t are read by the engine.
func (e *Engine) owns(t *ast.Type) bool {
	name := t.Name()
	return e.objects[name] != nil || e.connections[name] != nil || e.isNode(name)
}

// isNode reports whether the name is that of an interface of entities with an ID.
func (e *Engine) isNode(name string) bool {
	def := e.schema.Types[name]
	if def == nil || def.Kind != ast.Interface || def.Fields.ForName("id") == nil {
		return false
	}
	return slices.ContainsFunc(e.schema.GetPossibleTypes(def), func(member *ast.Definition) bool { return e.objects[member.Name] != nil })
}

// written is a finished part of an answer.
type written []byte

// MarshalGQL writes the part as it is.
func (b written) MarshalGQL(w io.Writer) { _, _ = w.Write(b) }
