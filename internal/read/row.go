package read

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/budget"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/encode"
)

// maxRow is how many bytes of a row Row reads.
const maxRow = 64 << 10

// Row returns what the viewer sees at present of some fields of one row, as JSON by the names of
// the fields. A name is that of a field of the entity's type, or that of an edge to one row with Id
// behind it. Row leaves out what the type does not have. It returns nothing if the viewer does not
// see the row, or if the row is large.
func (e *Engine) Row(ctx context.Context, of *entity.Entity, id ids.ID, names []string) map[string]json.RawMessage {
	def := e.binding.Schema.Types[of.Name]
	if def == nil || e.binding.Objects[of.Name] == nil {
		return nil
	}
	var selection ast.SelectionSet
	for _, name := range names {
		if f := e.leaf(def, of, name); f != nil {
			selection = append(selection, f)
		}
	}
	if len(selection) == 0 {
		return nil
	}
	text := e.row(ctx, of, id, selection)
	var found map[string]json.RawMessage
	if json.Unmarshal(text, &found) != nil {
		return nil
	}
	for _, s := range selection {
		f := s.(*ast.Field)
		var related struct{ ID json.RawMessage }
		if len(f.SelectionSet) > 0 && json.Unmarshal(found[f.Alias], &related) == nil && related.ID != nil {
			found[f.Alias] = related.ID
		}
	}
	return found
}

// leaf returns the selection of a field without arguments that shows a value, or the ID of a row.
// It returns nil if there is no such field.
func (e *Engine) leaf(def *ast.Definition, of *entity.Entity, name string) *ast.Field {
	if d := def.Fields.ForName(name); d != nil && of.Field(name) != nil && len(d.Arguments) == 0 && e.binding.Schema.Types[d.Type.Name()].IsLeafType() {
		return &ast.Field{Alias: name, Name: name, Definition: d, ObjectDefinition: def, Position: new(ast.Position)}
	}
	for i := range of.Edges {
		edge := &of.Edges[i]
		d := def.Fields.ForName(edge.Name)
		if edge.Name+"Id" != name || !edge.Unique || d == nil || d.Type.Elem != nil || len(d.Arguments) > 0 {
			continue
		}
		to := e.binding.Schema.Types[d.Type.Name()]
		if key := to.Fields.ForName("id"); key != nil && to.Kind == ast.Object {
			return &ast.Field{Alias: name, Name: edge.Name, Definition: d, ObjectDefinition: def, Position: new(ast.Position),
				SelectionSet: ast.SelectionSet{&ast.Field{Alias: "id", Name: "id", Definition: key, ObjectDefinition: to, Position: new(ast.Position)}}}
		}
	}
	return nil
}

// row returns a selection of one row as JSON, or nil. Errors of fields are dropped.
func (e *Engine) row(ctx context.Context, of *entity.Entity, id ids.ID, selection ast.SelectionSet) []byte {
	op := graphql.GetOperationContext(ctx)
	ctx = graphql.WithResponseContext(ctx, func(context.Context, error) *gqlerror.Error { return nil }, op.RecoverFunc)
	ctx = budget.NewContext(ctx, budget.New(maxRow))
	own := &Operation{engine: e, definition: op.Operation, values: map[string]any{}, loaders: map[string]*loaders{}, payloads: map[string]*payload{}}
	ctx, r := e.begin(ctx, op, own)
	field := &ast.Field{Alias: "row", Name: "row", SelectionSet: selection, Position: new(ast.Position),
		Definition: &ast.FieldDefinition{Name: "row", Type: ast.NamedType(of.Name, nil)}}
	p := &pending{loaders: own.compiledAt("row", field, selection), entries: make([]entry, 1)}
	one, err := &p.entries[0], error(nil)
	one.id = id
	if one.loader, one.key, err = e.loaderFor(p.loaders, id, "id"); err != nil {
		return nil
	}
	text, ok := r.finish(ctx, encode.AppendMark(nil, r.add(p)))
	if !ok {
		return nil
	}
	return text
}
