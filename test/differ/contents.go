package differ

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/viewer"
)

// contents is all that a viewer can see of a database, read by one plain ent query for each entity.
type contents struct {
	schema   *ast.Schema
	entities map[string]*entity.Entity
	rows     map[string][]*row // by entity, in the order of the keys
	byID     map[string]*row
	deleted  map[string][]*row // those that are marked as deleted, as rows
	gone     map[string]*row   // the same, by their IDs
	viewer   viewer.Viewer
	all      *contents // what there is for those who may see everything
	cursors  *cursors  // of all
}

// row is a row of an entity.
type row struct {
	entity  *entity.Entity
	key     any // uuid.UUID, int64 or string
	id      ids.ID
	values  map[string]any    // by the columns; nil is NULL
	related map[string][]*row // by the edges' names in the API, in the order of the keys
}

// withoutChanges returns the schema without the fields of Query that show the log of changes: what
// they answer depends on when they are asked, and gqlgen does not know them.
func withoutChanges(schema *ast.Schema) *ast.Schema {
	changed, query := *schema, *schema.Query
	query.Fields = slices.DeleteFunc(slices.Clone(query.Fields), func(f *ast.FieldDefinition) bool { return binding.IsOfChanges(f.Name) })
	changed.Query, changed.Types = &query, maps.Clone(schema.Types)
	changed.Types[query.Name] = &query
	changed.PossibleTypes = maps.Clone(schema.PossibleTypes)
	changed.PossibleTypes[query.Name] = []*ast.Definition{&query}
	return &changed
}

// read reads all contents of a database with the queries of ent's client. It panics if it cannot.
func read(ctx context.Context, schema *ast.Schema, entities []*entity.Entity, client any) *contents {
	c := &contents{schema: withoutChanges(schema), entities: map[string]*entity.Entity{}, rows: map[string][]*row{}, byID: map[string]*row{}, deleted: map[string][]*row{}, gone: map[string]*row{}, viewer: viewer.FromContext(ctx)}
	c.all = c
	found := map[*row]reflect.Value{}
	for _, e := range entities {
		c.entities[e.Name] = e
		if len(e.Fields) == 0 || e.Fields[0].Refers != e.Name {
			continue // its key has several columns: it only joins others
		}
		c.rows[e.Name] = nil // there, if only without rows
		for _, value := range everything(ctx, client, e) {
			r := c.newRow(e, value.Elem())
			found[r] = value.Elem()
			c.rows[e.Name] = append(c.rows[e.Name], r)
			c.byID[r.id.String()] = r
		}
		slices.SortFunc(c.rows[e.Name], func(a, b *row) int { return compareValues(a.key, b.key) })
		if e.Deleted != "" {
			for _, value := range everything(entity.WithDeleted(ctx), client, e) {
				if r := c.newRow(e, value.Elem()); r.values[e.Deleted] != nil {
					found[r] = value.Elem()
					c.deleted[e.Name], c.gone[r.id.String()] = append(c.deleted[e.Name], r), r
				}
			}
			slices.SortFunc(c.deleted[e.Name], func(a, b *row) int { return compareValues(a.key, b.key) })
		}
	}
	for r, value := range found {
		c.relate(r, part(value, "Edges"))
	}
	return c
}

// listed returns the entity that a type is a connection of. is is false if the type is none.
func (c *contents) listed(of string) (name string, is bool) {
	if !strings.HasSuffix(of, "Connection") {
		return of, false
	}
	name = c.schema.Types[of].Fields.ForName("nodes").Type.Name()
	return name, c.entities[name] != nil
}

// everything returns the rows of an entity, with all their related rows. It calls by reflection
// what code would call as client.Thing.Query().WithParts().All(ctx).
func everything(ctx context.Context, client any, e *entity.Entity) []reflect.Value {
	query := part(reflect.ValueOf(client).Elem(), e.Name).MethodByName("Query").Call(nil)[0]
	for _, edge := range e.Edges {
		for method := range query.Type().Methods() {
			if folded(method.Name) == "with"+folded(edge.Name) {
				query = query.Method(method.Index).Call(nil)[0]
			}
		}
	}
	result := query.MethodByName("All").Call([]reflect.Value{reflect.ValueOf(ctx)})
	if err, failed := result[1].Interface().(error); failed {
		panic(fmt.Sprintf("read all of %s: %v", e.Name, err))
	}
	var rows []reflect.Value
	for i := range result[0].Len() {
		rows = append(rows, result[0].Index(i))
	}
	return rows
}

// part returns the field of a struct whose name is the given one but for its spelling. It returns
// the zero Value if there is none.
func part(of reflect.Value, name string) reflect.Value {
	return of.FieldByNameFunc(func(field string) bool { return folded(field) == folded(name) })
}

func folded(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func (c *contents) newRow(e *entity.Entity, value reflect.Value) *row {
	r := &row{entity: e, values: map[string]any{}, related: map[string][]*row{}}
	for _, f := range e.Fields {
		r.values[f.Column] = plain(part(value, f.Column), f.Kind)
		if f.Kind == entity.Bytes && !f.Nullable && r.values[f.Column] == nil {
			r.values[f.Column] = []byte{} // SQLite's driver reads no bytes as nil
		}
	}
	r.key = r.values[e.Fields[0].Column]
	r.id = idOf(e, r.key)
	return r
}

// idOf returns the ID of the row of an entity with a key.
func idOf(e *entity.Entity, key any) ids.ID {
	switch key := key.(type) {
	case int64:
		return ids.OfNumber(e.Prefix, key)
	case string:
		return ids.OfText(e.Prefix, key)
	}
	return ids.ID{Prefix: e.Prefix, UUID: key.(uuid.UUID)}
}

// relate fills r.related from the edges that ent has loaded.
func (c *contents) relate(r *row, edges reflect.Value) {
	for _, edge := range r.entity.Edges {
		if join, ok := c.rows[edge.Join]; ok {
			r.related[edge.Name] = c.joined(r, &edge, join)
			continue
		}
		loaded := part(edges, edge.Name)
		if loaded.Kind() == reflect.Pointer {
			loaded = reflect.Append(reflect.MakeSlice(reflect.SliceOf(loaded.Type()), 0, 1), loaded)
		}
		for i := range loaded.Len() {
			if one := loaded.Index(i); !one.IsNil() {
				to := c.entities[edge.To]
				key := plain(part(one.Elem(), to.Fields[0].Column), entity.ID)
				if known := c.byID[idOf(to, key).String()]; known != nil { // it is not one that is deleted
					r.related[edge.Name] = append(r.related[edge.Name], known)
				}
			}
		}
		slices.SortFunc(r.related[edge.Name], func(a, b *row) int { return compareValues(a.key, b.key) })
	}
}

// joined returns the rows to which the rows of a join table lead. Ent's queries do not ask whether
// the viewer sees the rows in between.
func (c *contents) joined(r *row, edge *entity.Edge, join []*row) (far []*row) {
	for _, j := range join {
		if to := c.byID[idOf(c.entities[edge.To], j.values[edge.Far]).String()]; to != nil && j.values[edge.Column] == r.key {
			far = append(far, to)
		}
	}
	slices.SortFunc(far, func(a, b *row) int { return compareValues(a.key, b.key) })
	return far
}

// value returns the value of a field in the API that shows a column, of its own or of a related
// row. It returns nil if there is none.
func (r *row) value(name string) (f *entity.Field, value any) {
	if f := r.entity.Field(name); f != nil {
		return f, r.values[f.Column]
	}
	edge, column := r.entity.Shown(name)
	if edge == nil || len(r.related[edge.Name]) == 0 {
		return nil, nil
	}
	other := r.related[edge.Name][0]
	return fieldOf(other.entity, column), other.values[column]
}

func fieldOf(e *entity.Entity, column string) *entity.Field {
	for i := range e.Fields {
		if e.Fields[i].Column == column {
			return &e.Fields[i]
		}
	}
	return nil
}

// truth is the value of a condition. A comparison with NULL is neither true nor false.
type truth int

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// holds evaluates a where input, which is true if all its conditions are. said is false if it has
// none.
func (c *contents) holds(r *row, where map[string]any) (all truth, said bool) {
	all = isTrue
	for condition, value := range where {
		if value == nil {
			continue
		}
		if one, ok := c.one(r, condition, value); ok {
			all, said = min(all, one), true
		}
	}
	return all, said
}

func (c *contents) one(r *row, condition string, value any) (truth, bool) {
	switch condition {
	case "not":
		inner, said := c.holds(r, value.(map[string]any))
		return isTrue - inner, said
	case "and":
		return c.every(r, value.([]any))
	case "or":
		return c.any(r, value.([]any)), true
	}
	if edge, with := c.edge(r.entity.Name, condition); edge != nil {
		for _, related := range r.related[edge.Name] {
			holds := isTrue
			if with {
				holds, _ = c.every(related, value.([]any))
			}
			if holds == isTrue {
				return truthOf(value != false), true
			}
		}
		return truthOf(value == false), true
	}
	if edge, op := c.count(r.entity.Name, condition); edge != nil {
		return truthOf(compares(op, len(r.related[edge.Name])-value.(int))), true
	}
	field, op := c.field(r.entity.Name, condition)
	_, has := r.value(strings.TrimSuffix(condition, op))
	if field.MatchBy != "" {
		has = r.values[field.MatchBy]
	}
	return c.compare(field, op, has, value), true
}

// every evaluates whether all where inputs of a list are true, leaving out those without
// conditions.
func (c *contents) every(r *row, list []any) (all truth, said bool) {
	all = isTrue
	for _, w := range list {
		if one, ok := c.holds(r, w.(map[string]any)); ok {
			all, said = min(all, one), true
		}
	}
	return all, said
}

// any evaluates whether at least one where input of a list is true. One without conditions is
// always true.
func (c *contents) any(r *row, list []any) truth {
	best := isFalse
	for _, w := range list {
		one, said := c.holds(r, w.(map[string]any))
		if !said {
			one = isTrue
		}
		best = max(best, one)
	}
	return best
}

// edge returns the edge of a condition hasEdge or hasEdgeWith. It returns nil for other conditions.
func (c *contents) edge(name, condition string) (edge *entity.Edge, with bool) {
	rest, ok := strings.CutPrefix(condition, "has")
	if !ok || rest == "" {
		return nil, false
	}
	if edge := c.entities[name].Edge(strings.ToLower(rest[:1]) + rest[1:]); edge != nil {
		return edge, false
	}
	rest, with = strings.CutSuffix(rest, "With")
	return c.entities[name].Edge(strings.ToLower(rest[:1]) + rest[1:]), with
}

// count returns the edge of a condition on the number of related rows, and how it is compared. It
// returns nil for other conditions.
func (c *contents) count(name, condition string) (*entity.Edge, string) {
	before, op, _ := strings.Cut(condition, "Count")
	edge := c.entities[name].Edge(before)
	if edge == nil || edge.Unique || c.entities[name].Field(before+"Count") != nil {
		return nil, ""
	}
	return edge, op
}

// operators are what may follow the name of a column in a condition, longer ones first.
var operators = []string{"IsNil", "NotNil", "IsEmpty", "PathEquals", "HasPrefix", "HasSuffix", "HasEvery", "HasSome", "HasKey", "Has", "ContainsFold", "Contains", "EqualFold",
	"NotIn", "In", "NEQ", "GTE", "LTE", "GT", "LT", ""}

// field returns the column that a condition compares, of the own or of a related row, and the
// operator.
func (c *contents) field(name, condition string) (*entity.Field, string) {
	for _, op := range operators {
		rest, ok := strings.CutSuffix(condition, op)
		if !ok {
			continue
		}
		if f := c.entities[name].Field(rest); f != nil {
			return f, op
		}
		if edge, column := c.entities[name].Shown(rest); edge != nil {
			return fieldOf(c.entities[edge.To], column), op
		}
	}
	panic(fmt.Sprintf("%sWhereInput.%s: nobody knows what this means", name, condition))
}

func (c *contents) compare(f *entity.Field, op string, has, value any) truth {
	switch op {
	case "IsNil":
		return truthOf((has == nil) == value.(bool))
	case "NotNil", "NEQ", "NotIn":
		return isTrue - c.compare(f, map[string]string{"NotNil": "IsNil", "NotIn": "In"}[op], has, value)
	case "In":
		best := isFalse
		for _, v := range value.([]any) {
			best = max(best, c.compare(f, "", has, v))
		}
		return best
	}
	if has == nil {
		return isUnknown
	}
	if f.Kind == entity.List {
		return truthOf(c.hasElements(f, op, has, value))
	}
	if f.Kind == entity.JSON {
		return truthOf(documentHolds(op, has.(json.RawMessage), value))
	}
	wanted := c.received(f, value)
	if search := searches[op]; search != nil {
		return truthOf(search(has.(string), wanted.(string)))
	}
	return truthOf(compares(op, compareValues(has, wanted)))
}

// compares reports whether an operator holds of values that compare so.
func compares(op string, order int) bool {
	return map[string]bool{"": order == 0, "NEQ": order != 0, "GT": order > 0, "GTE": order >= 0, "LT": order < 0, "LTE": order <= 0}[op]
}

// searches are the operators that look for a text in another one.
var searches = map[string]func(text, sought string) bool{
	"HasPrefix": strings.HasPrefix,
	"HasSuffix": strings.HasSuffix,
	"Contains":  strings.Contains,
	"EqualFold": func(text, sought string) bool { return entity.Capitals(text) == entity.Capitals(sought) },
	"ContainsFold": func(text, sought string) bool {
		return strings.Contains(entity.Capitals(text), entity.Capitals(sought))
	},
}
