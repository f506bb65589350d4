package api_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	gql "forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/cursorcipher"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// contents is all that the API can show of a database, read by one plain ent query for each entity.
type contents struct {
	*model
	nodes   map[ids.ID]gql.Node
	stocked map[uuid.UUID]bool // the products that have a stock
	lines   map[uuid.UUID]line // the rows, as far as their order is concerned
	viewer  viewer.Viewer
	all     *contents // what there is for those who may see everything
}

// readContents reads all contents of a database. It panics if it cannot.
func readContents(ctx context.Context, t testing.TB, db *ent.Client) *contents {
	w := &world{
		users: db.User.Query().AllX(ctx), teams: db.Team.Query().AllX(ctx), heroes: db.Hero.Query().AllX(ctx), products: db.Product.Query().AllX(ctx),
		stock: db.Inventory.Query().AllX(ctx), orders: db.Order.Query().AllX(ctx), items: db.OrderItem.Query().AllX(ctx),
	}
	c := &contents{newModel(t, w), map[ids.ID]gql.Node{}, map[uuid.UUID]bool{}, map[uuid.UUID]line{}, viewer.FromContext(ctx), nil}
	c.all = c
	for name, rows := range c.rows {
		slices.SortFunc(rows, func(a, b modelRow) int { x, y := a.key(), b.key(); return bytes.Compare(x[:], y[:]) })
		for _, row := range rows {
			c.lines[row.key()] = c.line(name, row)
		}
	}
	for _, u := range w.users {
		c.nodes[u.GlobalID()] = &gql.User{ID: u.GlobalID(), Username: u.Username, Email: u.Email, Role: new(gql.Role(u.Role)), IsActive: &u.IsActive,
			Version: new(int32(u.Version)), CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
	}
	for _, m := range w.teams {
		c.nodes[m.GlobalID()] = &gql.Team{ID: m.GlobalID(), Name: m.Name, Headquarters: m.Headquarters,
			Version: new(int32(m.Version)), CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt}
	}
	for _, h := range w.heroes {
		c.nodes[h.GlobalID()] = &gql.Hero{ID: h.GlobalID(), Name: h.Name, Age: h.Age,
			Version: new(int32(h.Version)), CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt}
	}
	stock := map[uuid.UUID]int32{}
	for _, s := range w.stock {
		stock[s.ProductID], c.stocked[s.ProductID] = s.Quantity, true
	}
	for _, p := range w.products {
		c.nodes[p.GlobalID()] = &gql.Product{ID: p.GlobalID(), Sku: p.Sku, Name: p.Name, PriceCents: p.PriceCents, Stock: stock[p.ID],
			Version: new(int32(p.Version)), CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt}
	}
	for _, o := range w.orders {
		c.nodes[o.GlobalID()] = &gql.Order{ID: o.GlobalID(), Status: gql.OrderStatus(o.Status), TotalCents: o.TotalCents,
			Version: new(int32(o.Version)), CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
	}
	for _, it := range w.items {
		c.nodes[it.GlobalID()] = &gql.OrderItem{ID: it.GlobalID(), Quantity: it.Quantity, UnitPriceCents: it.UnitPriceCents}
	}
	return c
}

// fieldwise is a field middleware that takes the place of the read engine. It answers each field by
// itself, from the field's parent, as gqlgen intends.
type fieldwise struct {
	contents func(context.Context) *contents
}

// field is the middleware.
func (p fieldwise) field(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if u, ok := parentOf(fc).(*gql.User); ok && ownersOnly[fc.Field.Name] {
		if v := p.contents(ctx).viewer; v.Role != viewer.Admin && u.ID.UUID != v.ID {
			return nil, apperr.Forbidden("", "you may not see this")
		}
	}
	value, err := next(ctx)
	if err != nil || value == nil {
		return value, err
	}
	if fc.Object == "Mutation" || strings.HasSuffix(fc.Object, "Connection") || strings.HasSuffix(fc.Object, "Edge") {
		return value, nil // payloads say what is meant; pages are filled when they are made
	}
	q := question{p.contents(ctx), fc.Field, graphql.GetOperationContext(ctx).Variables, value}
	if q.entities[fc.Object] != nil {
		return q.below(fc.Object, parentOf(fc).(gql.Node).GetID().UUID)
	}
	return q.meant()
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
	field  graphql.CollectedField
	vars   vars
	refers any
}

// meant answers a root field, or a field of a mutation's payload, from the reference that its
// resolver returned.
func (q question) meant() (any, error) {
	name := q.field.Definition.Type.Name()
	if of, ok := strings.CutSuffix(name, "Connection"); ok {
		return q.page(of, q.rows[of])
	}
	if node, ok := q.refers.(gql.Node); ok {
		if reflect.ValueOf(node).Kind() == reflect.Pointer && reflect.ValueOf(node).IsNil() {
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
		node, err := q.one(list.Index(i).Interface().(gql.Node).GetID(), "ids."+strconv.Itoa(i))
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
	if node := q.nodes[id]; node != nil {
		return node, nil
	}
	return nil, nil
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

// ownersOnly lists the fields that only the user and administrators may see.
var ownersOnly = map[string]bool{"email": true, "gravatarUrl": true, "role": true, "isActive": true, "version": true}

// below answers a field of the object with the key.
func (q question) below(name string, key uuid.UUID) (any, error) {
	if q.field.Name == "stock" && !q.stocked[key] {
		return nil, nil
	}
	edge := q.entities[name].Edge(q.field.Name)
	if edge == nil {
		return q.meant()
	}
	at := slices.IndexFunc(q.rows[name], func(r modelRow) bool { return r.key() == key })
	related := q.related(name, q.rows[name][at], edge)
	if strings.HasSuffix(q.field.Definition.Type.Name(), "Connection") {
		return q.page(edge.To, related)
	}
	var found []any
	for _, row := range related {
		found = append(found, q.nodes[ids.ID{Prefix: prefixOf(edge.To), UUID: row.key()}])
	}
	if !edge.Unique {
		return listLike(q.refers, found), nil
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// listLike returns the values as a slice of the same type as like. It returns nil if values is nil.
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
func (q question) page(name string, rows []modelRow) (any, error) {
	args := vars{}
	for _, a := range q.field.Definition.Arguments {
		args[a.Name] = q.plainly(a.Type, q.field.ArgumentMap(q.vars)[a.Name])
	}
	wanted, err := q.cut(name, args)
	if err != nil {
		return nil, err
	}
	where, _ := args["where"].(map[string]any)
	if err := q.check(name, where, "where", 0); err != nil {
		return nil, err
	}
	var lines []line
	for _, row := range rows {
		if holds, said := q.holds(name, row, where); holds == isTrue || !said {
			lines = append(lines, q.lines[row.key()])
		}
	}
	return q.connection(name, wanted.order, wanted.of(lines)), nil
}

// plainly returns an argument in the form that the tests' model uses: whole numbers are int, and a
// single value in place of a list is a list.
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
	case t.NamedType == "Int":
		n, err := strconv.Atoi(fmt.Sprint(value))
		if err != nil {
			panic(err)
		}
		return n
	}
	return value
}

// cut reads the arguments that say where the page begins and ends.
func (q question) cut(name string, args vars) (cut, error) {
	var wanted cut
	order, _ := json.Marshal(args["orderBy"])
	if err := json.Unmarshal(order, &wanted.order); err != nil {
		return cut{}, err
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
	for argument, to := range map[string]**line{"after": &wanted.after, "before": &wanted.before} {
		if text, given := args[argument].(string); given {
			if *to = q.find(name, wanted.order, text); *to == nil {
				return cut{}, apperr.BadInput(argument, "this is not a cursor of this list: take one from edges or pageInfo, and keep orderBy as it was")
			}
		}
	}
	return wanted, nil
}

// find returns the line with the cursor, or nil.
func (c *contents) find(name string, order ordering, cursor string) *line {
	for _, row := range c.all.rows[name] { // also of a row that the viewer does not see: it is but a place in the order
		if l := c.all.lines[row.key()]; c.cursor(name, order, l) == cursor {
			return &l
		}
	}
	return nil
}

// line returns a row with the values that it can be ordered by.
func (c *contents) line(name string, row modelRow) line {
	by := map[string]any{}
	for _, f := range c.entities[name].Fields {
		by[strings.ToUpper(f.Column)] = row[f.Name]
	}
	return newLine(prefixOf(name), row.key(), by)
}

// cursor returns the cursor of a line. It holds each term's value after the value's length, and the
// key, and is encrypted for the order.
func (c *contents) cursor(name string, order ordering, l line) string {
	print, desc := name, false
	var values []byte
	for i, term := range order {
		if order[:i].has(term.Field) {
			continue
		}
		desc = term.Direction == "DESC"
		print += "|" + strings.ToLower(term.Field) + strconv.FormatBool(desc)
		text := fmt.Sprint(l.by[term.Field])
		switch v := l.by[term.Field].(type) {
		case nil:
			values = append(values, 0)
			continue
		case time.Time:
			text = v.Format(time.RFC3339Nano)
		}
		values = append(binary.AppendUvarint(values, uint64(len(text))+1), text...)
	}
	print += "|id" + strconv.FormatBool(desc)
	h := fnv.New32a()
	_, _ = h.Write([]byte(print))
	return string(cursorcipher.New(nil).Append(nil, h.Sum32(), append(values, l.key[:]...)))
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
	case value == nil || edge != nil && !with:
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
	f, op := c.model.field(name, condition)
	if name == "User" && ownersOnly[f.Name] && c.viewer.Role != viewer.Admin {
		return apperr.Forbidden(path, "only an administrator may filter by this")
	}
	if op != "In" {
		return checkValue(f, value, path)
	}
	for i, entry := range inputs {
		if err := checkValue(f, entry, path+"."+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(f *entity.Field, value any, path string) error {
	text, _ := value.(string)
	if f.Kind == entity.ID && text != "" && !strings.HasPrefix(text, prefixOf(f.Refers)+"_") {
		return apperr.BadInput(path, "%s is the ID of something else: one of the form %s_… is wanted", text, prefixOf(f.Refers))
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

// connection fills a connection of the type that the resolver returned.
func (q question) connection(name string, order ordering, page pageWanted) any {
	conn := reflect.New(reflect.TypeOf(q.refers).Elem())
	info := &gql.PageInfo{HasNextPage: page.next, HasPreviousPage: page.previous}
	edges, nodes := conn.Elem().FieldByName("Edges"), conn.Elem().FieldByName("Nodes")
	edges.Set(reflect.MakeSlice(edges.Type(), 0, len(page.lines)))
	nodes.Set(reflect.MakeSlice(nodes.Type(), 0, len(page.lines)))
	for _, l := range page.lines {
		cursor := q.cursor(name, order, l)
		node := reflect.ValueOf(q.nodes[ids.ID{Prefix: prefixOf(name), UUID: l.key}])
		edge := reflect.New(edges.Type().Elem().Elem())
		edge.Elem().FieldByName("Cursor").SetString(cursor)
		edge.Elem().FieldByName("Node").Set(node)
		edges.Set(reflect.Append(edges, edge))
		nodes.Set(reflect.Append(nodes, node))
		if info.StartCursor == nil {
			info.StartCursor = &cursor
		}
		info.EndCursor = &cursor
	}
	conn.Elem().FieldByName("PageInfo").Set(reflect.ValueOf(info))
	conn.Elem().FieldByName("TotalCount").SetInt(int64(page.total))
	return conn.Interface()
}
