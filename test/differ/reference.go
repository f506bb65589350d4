package differ

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/search"
	"forge/internal/viewer"
)

// identified is a value that refers to an entity.
type identified interface{ GetID() ids.ID }

// fieldwise is a field middleware that takes the place of the read engine. It answers each field by
// itself, from the field's parent, as gqlgen intends.
type fieldwise struct {
	contents func(context.Context) *contents
	models   map[string]reflect.Type // gqlgen's structs, by their names in Go, in lower case
	file     reflect.Type            // that of files, or nil
}

// modelsOf returns gqlgen's structs. resolvers is the interface of all resolvers.
func modelsOf(resolvers reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if name := folded(t.Name()); t.Kind() == reflect.Struct && found[name] == nil {
			found[name] = t
			for field := range t.Fields() {
				add(field.Type)
			}
		}
	}
	for root := range resolvers.Methods() {
		for method := range root.Type.Out(0).Methods() {
			add(method.Type.Out(0))
		}
	}
	return found
}

// field is the middleware.
func (p fieldwise) field(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	var parent *row
	of := parentOf(fc)
	if s, ok := remembered(ctx, of); ok && isComputed(fc) {
		value, err := next(ctx)
		if err != nil {
			return value, err
		}
		return p.question(ctx, value).computed(s)
	}
	if id, ok := p.idOf(of); ok {
		c := p.contents(ctx)
		if parent = cmp.Or(c.byID[id.String()], c.gone[id.String()]); !c.sees(parent, fc.Field.Name) {
			return nil, apperr.Forbidden("", "you may not see this")
		}
	}
	value, err := next(ctx)
	if err != nil || value == nil && p.models[folded(fc.Object)] == nil {
		return value, err
	}
	if fc.Object == "Mutation" || strings.HasSuffix(fc.Object, "Connection") || strings.HasSuffix(fc.Object, "Edge") {
		return value, nil // payloads say what is meant; pages are filled when they are made
	}
	q := p.question(ctx, value)
	if parent != nil {
		return q.below(parent)
	}
	return q.meant()
}

// question returns the question that the field of ctx asks. value is what its resolver returned.
func (p fieldwise) question(ctx context.Context, value any) question {
	fc := graphql.GetFieldContext(ctx)
	return question{p.contents(ctx), p.models, ctx.Value(summariesKey{}).(*sync.Map), fc.Field, graphql.GetOperationContext(ctx).Variables, value, nil}
}

// idOf returns the ID of an object that stands for a row. Not every one is a Node: files are none.
func (p fieldwise) idOf(object any) (ids.ID, bool) {
	if node, ok := object.(identified); ok {
		return node.GetID(), true
	}
	v := reflect.Indirect(reflect.ValueOf(object))
	if !v.IsValid() || v.Type() != p.file {
		return ids.ID{}, false
	}
	id, ok := v.FieldByName("ID").Interface().(ids.ID)
	return id, ok
}

// isComputed reports whether a field of an object that stands for rows is computed over them.
func isComputed(fc *graphql.FieldContext) bool {
	return !strings.HasSuffix(fc.Object, "Connection") || fc.Field.Name == "aggregate" || fc.Field.Name == "groups"
}

// parentOf returns the object that a field belongs to.
func parentOf(fc *graphql.FieldContext) any {
	if fc.Parent == nil || fc.Parent.Result == nil {
		return nil
	}
	parent := reflect.ValueOf(fc.Parent.Result)
	for parent.Kind() == reflect.Pointer && (parent.Elem().Kind() == reflect.Pointer || parent.Elem().Kind() == reflect.Interface) {
		parent = parent.Elem() // of a list, it is a pointer into the list
	}
	if parent.Kind() == reflect.Interface {
		parent = parent.Elem()
	}
	return parent.Interface()
}

// question is a field that has to be answered. refers is the value that its resolver returned.
type question struct {
	*contents
	models    map[string]reflect.Type
	summaries *sync.Map
	field     graphql.CollectedField
	vars      map[string]any
	refers    any
	from      *row // whose edge a connection follows, or nil
}

// meant answers a root field, or a field of a mutation's payload, from the reference that its
// resolver returned.
func (q question) meant() (any, error) {
	name := q.field.Definition.Type.Name()
	if of, ok := q.listed(name); ok {
		return q.page(q.rows[of])
	}
	if node, ok := q.refers.(identified); ok {
		if v := reflect.ValueOf(node); v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, nil
		}
		return q.one(node.GetID(), "id")
	}
	list := reflect.ValueOf(q.refers)
	if list.Kind() != reflect.Slice || q.entities[name] == nil && name != "Node" {
		return q.refers, nil
	}
	if q.field.Name == "nodes" && list.Len() > 100 {
		return nil, apperr.BadInput("ids", "%d IDs; up to 100 are allowed", list.Len())
	}
	var found []any
	for i := range list.Len() {
		node, err := q.one(list.Index(i).Interface().(identified).GetID(), "ids."+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		found = append(found, node)
	}
	return listLike(q.refers, found), nil
}

// one returns the object with the ID, or nil if there is none. It returns an error if the ID is not
// of the field's type.
func (q question) one(id ids.ID, argument string) (any, error) {
	name := q.field.Definition.Type.Name()
	if name != "Node" && id.Prefix != q.entities[name].Prefix {
		return nil, apperr.BadInput(argument, "%s is the ID of something else: one of the form %s_… is wanted", id, q.entities[name].Prefix)
	}
	if name == "Node" && !q.shows(id.Prefix) {
		return nil, apperr.BadInput(argument, "%s is not the ID of anything that can be read", id)
	}
	return q.node(q.byID[id.String()]), nil
}

// node returns the object that shows a row: a struct of gqlgen's with the ID, and with what
// computed fields need. It returns nil if there is no row.
func (q question) node(r *row) any {
	if r == nil {
		return nil
	}
	object := reflect.New(q.models[folded(r.entity.Name)])
	object.Elem().FieldByName("ID").Set(reflect.ValueOf(r.id))
	for _, computed := range r.entity.Computed {
		for _, name := range computed.Needs {
			to := object.Elem().FieldByNameFunc(func(goName string) bool { return folded(goName) == folded(name) })
			if f, value := r.value(name); value != nil {
				if f.Kind == entity.Decimal {
					to.Set(convert(reflect.ValueOf(value), to.Type())) // not what is written for it
					continue
				}
				to.Set(reflect.ValueOf(q.like(to.Type(), f, value)))
			}
		}
	}
	return object.Interface()
}

// shows reports whether the viewer may see any object whose ID has the prefix.
func (c *contents) shows(prefix string) bool {
	for name, e := range c.entities {
		if e.Prefix == prefix {
			return c.schema.Types[name] != nil
		}
	}
	return false
}

// sees reports whether the viewer may see a field of a row.
func (c *contents) sees(r *row, name string) bool {
	switch visible := r.entity.Visible[name]; {
	case visible == entity.ToNobody:
		return false
	case visible == entity.ToAll, c.viewer.Role == viewer.Admin:
		return true
	}
	return r.values[r.entity.Owner] == c.viewer.ID && c.viewer.ID != uuid.Nil
}

// below answers a field of the object that shows a row.
func (q question) below(r *row) (any, error) {
	edge := r.entity.Edge(q.field.Name)
	if edge == nil {
		if _, computed := r.entity.Computed[q.field.Name]; computed {
			return q.meant()
		}
		f, value := r.value(q.field.Name)
		if value == nil {
			return nil, nil
		}
		return q.like(reflect.TypeOf(q.refers), f, value), nil
	}
	related := r.related[edge.Name]
	if _, paged := q.listed(q.field.Definition.Type.Name()); paged {
		q.from = r
		return q.page(related)
	}
	var found []any
	for _, other := range related {
		found = append(found, q.node(other))
	}
	if !edge.Unique {
		return listLike(q.refers, found), nil
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// listLike returns the values as a slice of the same type as like.
func listLike(like any, values []any) any {
	list := reflect.MakeSlice(reflect.TypeOf(like), len(values), len(values))
	for i, value := range values {
		if value != nil {
			list.Index(i).Set(reflect.ValueOf(value))
		}
	}
	return list.Interface()
}

// page answers a connection with these rows.
func (q question) page(rows []*row) (any, error) {
	name, _ := q.listed(q.field.Definition.Type.Name())
	args := map[string]any{}
	for _, a := range q.field.Definition.Arguments {
		args[a.Name] = q.plainly(a.Type, q.field.ArgumentMap(q.vars)[a.Name])
	}
	if args["deleted"] == true {
		if q.viewer.Role != viewer.Admin {
			return nil, apperr.Forbidden("deleted", "only an administrator may ask for what is deleted")
		}
		rows = q.deleted[name]
	}
	words, err := wordsOf(args["search"])
	if err != nil {
		return nil, err
	}
	wanted, err := q.cut(name, args, words)
	if err != nil {
		return nil, err
	}
	where, _ := args["where"].(map[string]any)
	if err := q.check(name, where, "where", 0); err != nil {
		return nil, err
	}
	var kept []*row
	for _, r := range rows {
		if holds, said := q.holds(r, where); (holds == isTrue || !said) && r.found(words) {
			kept = append(kept, r)
		}
	}
	return q.remember(q.connection(wanted.order, wanted.of(kept)), summary{name: name, rows: kept}), nil
}

// wordsOf returns the words of an argument search.
func wordsOf(text any) ([]string, error) {
	given, ok := text.(string)
	if !ok {
		return nil, nil
	}
	words, err := search.Words(given)
	if err != nil {
		return nil, apperr.BadInput("search", "%s", err)
	}
	return words, nil
}

// found reports whether each of the words is the beginning of a word of the row.
func (r *row) found(words []string) bool {
	own := search.Split(strings.Join(r.searched(), " "))
	return !slices.ContainsFunc(words, func(word string) bool {
		return !slices.ContainsFunc(own, func(of string) bool { return strings.HasPrefix(of, word) })
	})
}

// searched returns the texts of the row that are searched.
func (r *row) searched() (texts []string) {
	for _, name := range r.entity.Search {
		_, value := r.value(name)
		text, _ := value.(string)
		texts = append(texts, text)
	}
	return texts
}

// plainly returns an argument in a simple form: whole numbers are int, and a single value in place
// of a list is a list.
func (c *contents) plainly(t *ast.Type, value any) any {
	switch {
	case value == nil:
		return nil
	case t.Elem != nil:
		var list []any
		for _, entry := range graphql.CoerceList(value) {
			list = append(list, c.plainly(t.Elem, entry))
		}
		return list
	case c.schema.Types[t.NamedType].Kind == ast.InputObject:
		fields := map[string]any{}
		for name, entry := range value.(map[string]any) {
			fields[name] = c.plainly(c.schema.Types[t.NamedType].Fields.ForName(name).Type, entry)
		}
		return fields
	case t.NamedType == "Float":
		return must(strconv.ParseFloat(fmt.Sprint(value), 64))
	case t.NamedType == "Int":
		n, err := strconv.Atoi(fmt.Sprint(value))
		if err != nil {
			panic(err)
		}
		return n
	}
	return value
}

// cut reads the arguments that say where the page begins and ends. words are those of a search.
func (q question) cut(name string, args map[string]any, words []string) (cut, error) {
	wanted := cut{contents: q.contents}
	order, _ := json.Marshal(args["orderBy"])
	if err := json.Unmarshal(order, &wanted.order); err != nil {
		return cut{}, err
	}
	wanted.order.of(words)
	for i, by := range wanted.order {
		if err := q.checkTerm(name, by, fmt.Sprintf("orderBy.%d.", i)); err != nil {
			return cut{}, err
		}
	}
	for argument, to := range map[string]**int{"first": &wanted.first, "last": &wanted.last, "offset": &wanted.offset} {
		n, given := args[argument].(int)
		switch {
		case !given:
			continue
		case argument == "offset" && n < 0:
			return cut{}, apperr.BadInput(argument, "offset is %d; it may not be negative, nor past 32 bits", n)
		case argument != "offset" && (n < 0 || n > 100):
			return cut{}, apperr.BadInput(argument, "%s is %d; from 0 to 100 is allowed", argument, n)
		}
		*to = &n
	}
	for argument, to := range map[string]**row{"after": &wanted.after, "before": &wanted.before} {
		if text, given := args[argument].(string); given {
			if *to = q.find(name, wanted.order, text); *to == nil {
				return cut{}, apperr.BadInput(argument, "this is not a cursor of this list: take one from edges or pageInfo, and keep orderBy as it was")
			}
		}
	}
	return wanted, nil
}

// closed reports whether only administrators may order by what a term compares.
func (c *contents) closed(e *entity.Entity, t term) bool {
	switch {
	case t.fits:
		return false
	case t.shown != "":
		return e.Visible[t.shown] != entity.ToAll
	case t.edge == nil:
		return e.Visible[t.column.Name] != entity.ToAll
	}
	return e.Visible[t.edge.Name] != entity.ToAll || t.column != nil && c.entities[t.edge.To].Visible[t.column.Name] != entity.ToAll
}

// checkTerm returns an error if the viewer may not order by what a term compares, if it has a
// collation that its values do not have, or if it needs a search.
func (c *contents) checkTerm(name string, by orderTerm, path string) error {
	term, language := c.termOf(c.entities[name], by), by.Collation
	if c.closed(c.entities[name], term) && c.viewer.Role != viewer.Admin {
		return apperr.Forbidden(path+"field", "only an administrator may order by this")
	}
	switch {
	case language == nil && term.fits && by.words == nil:
		return apperr.BadInput(path+"field", "rows have a relevance only for a search; it needs the argument search")
	case language == nil:
		return nil
	case term.kind() != entity.String:
		return apperr.BadInput(path+"collation", "only texts can be ordered by a language; leave collation out here")
	case !collation.Known(*language):
		return apperr.BadInput(path+"collation", "%.20q is no language that texts can be ordered by; allowed: %s", *language, strings.Join(collation.Languages(), ", "))
	}
	return nil
}

// check returns an error if a where input is not valid.
func (c *contents) check(name string, where map[string]any, path string, depth int) error {
	if depth > 10 {
		return apperr.BadInput(path, "conditions stand more than 10 deep inside each other")
	}
	for _, condition := range slices.Sorted(maps.Keys(where)) {
		value := where[condition]
		if err := c.checkOne(name, condition, value, path+"."+condition, depth); err != nil {
			return err
		}
	}
	return nil
}

func (c *contents) checkOne(name, condition string, value any, path string, depth int) error {
	of := name
	edge, with := c.edge(name, condition)
	if edge != nil {
		of = edge.To
	}
	inputs, _ := value.([]any)
	switch {
	case value == nil:
		return nil
	case c.hides(name, condition):
		return apperr.Forbidden(path, "only an administrator may filter by this")
	case edge != nil && !with:
		return nil
	case condition == "not":
		return c.check(of, value.(map[string]any), path, depth+1)
	case condition == "and" || condition == "or" || with:
		for i, input := range inputs {
			if err := c.check(of, input.(map[string]any), path+"."+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if counted, _ := c.count(name, condition); counted != nil {
		return nil
	}
	f, op := c.field(name, condition)
	if op == "IsNil" || op == "NotNil" || op == "IsEmpty" {
		return nil
	}
	if op != "In" && op != "NotIn" && op != "HasEvery" && op != "HasSome" {
		return c.checkValue(f, value, path)
	}
	for i, entry := range inputs {
		if err := c.checkValue(f, entry, path+"."+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

// hides reports whether a condition compares what the viewer may not see of every row.
func (c *contents) hides(name, condition string) bool {
	if condition == "not" || condition == "and" || condition == "or" || c.viewer.Role == viewer.Admin {
		return false
	}
	if edge, _ := c.edge(name, condition); edge != nil {
		return c.entities[name].Visible[edge.Name] != entity.ToAll
	}
	if edge, _ := c.count(name, condition); edge != nil {
		return c.entities[name].Visible[edge.Name] != entity.ToAll
	}
	_, op := c.field(name, condition)
	column := strings.TrimSuffix(condition, op)
	return c.entities[name].Visible[strings.TrimSuffix(column, "Id")] != entity.ToAll && c.entities[name].Visible[column] != entity.ToAll
}

func (c *contents) checkValue(f *entity.Field, value any, path string) error {
	text, _ := value.(string)
	if f.Kind == entity.ID && text != "" && !strings.HasPrefix(text, c.entities[f.Refers].Prefix+"_") {
		return apperr.BadInput(path, "%s is the ID of something else: one of the form %s_… is wanted", text, c.entities[f.Refers].Prefix)
	}
	if f.Kind == entity.Time {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			return apperr.BadInput(path, "%q is not a time", text)
		}
	}
	if f.Kind == entity.String && strings.ContainsRune(text, 0) {
		return apperr.BadInput(path, "this is not a text that can be compared: it holds a zero character or is not UTF-8")
	}
	return nil
}

// link fills the fields of a connection's edge that show columns of the row in between.
func (q question) link(edge reflect.Value, to *row) {
	for field := range edge.Type().Fields() {
		if field.Name == "Cursor" || field.Name == "Node" {
			continue
		}
		e := q.from.entity.Edge(q.field.Name)
		for _, join := range q.rows[e.Join] {
			if join.values[e.Column] != q.from.key || join.values[e.Far] != to.key {
				continue
			}
			f := join.entity.Fields[slices.IndexFunc(join.entity.Fields, func(f entity.Field) bool { return folded(f.Name) == folded(field.Name) })]
			if value := join.values[f.Column]; value != nil {
				set := edge.FieldByIndex(field.Index)
				set.Set(reflect.ValueOf(q.like(set.Type(), &f, value)))
			}
		}
	}
}

// connection returns a connection of the type that the resolver returned.
func (q question) connection(order ordering, shown page) any {
	conn := reflect.New(reflect.TypeOf(q.refers).Elem()).Elem()
	set := func(in reflect.Value, name string, value any) {
		if field := in.FieldByName(name); field.IsValid() {
			field.Set(reflect.ValueOf(value).Convert(field.Type()))
		}
	}
	info := reflect.New(q.models["pageinfo"])
	set(info.Elem(), "HasNextPage", shown.next)
	set(info.Elem(), "HasPreviousPage", shown.previous)
	edges, nodes := conn.FieldByName("Edges"), conn.FieldByName("Nodes")
	edges.Set(reflect.MakeSlice(edges.Type(), 0, len(shown.rows)))
	nodes.Set(reflect.MakeSlice(nodes.Type(), 0, len(shown.rows)))
	for i, r := range shown.rows {
		cursor := q.cursor(r, order)
		node := reflect.ValueOf(q.node(r))
		edge := reflect.New(edges.Type().Elem().Elem())
		set(edge.Elem(), "Cursor", cursor)
		edge.Elem().FieldByName("Node").Set(node)
		q.link(edge.Elem(), r)
		edges.Set(reflect.Append(edges, edge))
		nodes.Set(reflect.Append(nodes, node))
		if i == 0 {
			set(info.Elem(), "StartCursor", &cursor)
		}
		set(info.Elem(), "EndCursor", &cursor)
	}
	set(conn, "PageInfo", info.Interface())
	set(conn, "TotalCount", shown.total)
	return conn.Addr().Interface()
}
