package api_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/entity"
)

// model evaluates conditions over rows in memory, as schema.graphqls describes them.
type model struct {
	t        testing.TB
	schema   *ast.Schema
	entities map[string]*entity.Entity
	rows     map[string][]modelRow // by entity; deleted rows are not among them
}

// modelRow holds a row's values by their API names; nil is NULL.
type modelRow map[string]any

func (r modelRow) key() uuid.UUID { return r["id"].(uuid.UUID) }

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

func newModel(t testing.TB, w *world) *model {
	m := &model{t: t, schema: generated.NewExecutableSchema(generated.Config{}).Schema(), entities: map[string]*entity.Entity{}, rows: map[string][]modelRow{}}
	for _, e := range ent.Entities {
		m.entities[e.Name] = e
	}
	text := func(s *string) any {
		if s == nil {
			return nil
		}
		return *s
	}
	ref := func(id *uuid.UUID) any {
		if id == nil {
			return nil
		}
		return *id
	}
	for _, u := range w.users {
		if u.DeletedAt == nil {
			m.add("User", modelRow{"id": u.ID, "username": u.Username, "email": text(u.EmailKey), "createdAt": u.CreatedAt, "updatedAt": u.CreatedAt})
		}
	}
	for _, x := range w.teams {
		m.add("Team", modelRow{"id": x.ID, "name": x.Name, "createdAt": x.CreatedAt, "updatedAt": x.CreatedAt})
	}
	for _, h := range w.heroes {
		row := modelRow{"id": h.ID, "name": h.Name, "age": nil, "teamId": ref(h.TeamID), "ownerId": ref(h.OwnerID), "createdAt": h.CreatedAt, "updatedAt": h.CreatedAt}
		if h.Age != nil {
			row["age"] = *h.Age
		}
		m.add("Hero", row)
	}
	stock := map[uuid.UUID]any{}
	for _, s := range w.stock {
		stock[s.ProductID] = s.Quantity
	}
	for _, p := range w.products {
		m.add("Product", modelRow{"id": p.ID, "sku": p.Sku, "name": p.Name, "priceCents": p.PriceCents, "stock": stock[p.ID], "createdAt": p.CreatedAt, "updatedAt": p.CreatedAt})
	}
	for _, o := range w.orders {
		m.add("Order", modelRow{"id": o.ID, "userId": ref(o.UserID), "status": string(o.Status), "totalCents": o.TotalCents, "createdAt": o.CreatedAt, "updatedAt": o.CreatedAt})
	}
	for _, it := range w.items {
		m.add("OrderItem", modelRow{"id": it.ID, "orderId": it.OrderID, "productId": it.ProductID})
	}
	return m
}

func (m *model) add(name string, row modelRow) { m.rows[name] = append(m.rows[name], row) }

// matching returns the IDs of the rows for which a where input is true, in the order of their keys.
func (m *model) matching(name string, where map[string]any) []string {
	keys := []uuid.UUID{}
	for _, row := range m.rows[name] {
		if holds, said := m.holds(name, row, where); holds == isTrue || !said {
			keys = append(keys, row.key())
		}
	}
	slices.SortFunc(keys, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	list := []string{}
	for _, key := range keys {
		list = append(list, idOf(m.entities[name].Prefix, key))
	}
	return list
}

// holds evaluates a where input, which is true if all its conditions are. said is false if it has
// none.
func (m *model) holds(name string, row modelRow, where map[string]any) (all truth, said bool) {
	all = isTrue
	for condition, value := range where {
		if value == nil {
			continue
		}
		if one, ok := m.one(name, row, condition, value); ok {
			all, said = min(all, one), true
		}
	}
	return all, said
}

func (m *model) one(name string, row modelRow, condition string, value any) (truth, bool) {
	switch condition {
	case "not":
		inner, said := m.holds(name, row, value.(map[string]any))
		return isTrue - inner, said
	case "and":
		return m.every(name, row, value.([]any))
	case "or":
		return m.any(name, row, value.([]any)), true
	}
	if edge, with := m.edge(name, condition); edge != nil {
		for _, related := range m.related(name, row, edge) {
			holds := isTrue
			if with {
				holds, _ = m.every(edge.To, related, value.([]any))
			}
			if holds == isTrue {
				return truthOf(value != false), true
			}
		}
		return truthOf(value == false), true
	}
	if edge, op := m.count(name, condition); edge != nil {
		return truthOf(compares(op, len(m.related(name, row, edge))-value.(int))), true
	}
	field, op := m.field(name, condition)
	return m.compare(field, op, row[strings.TrimSuffix(condition, op)], value), true
}

// every evaluates whether all where inputs of a list are true, leaving out those without
// conditions.
func (m *model) every(name string, row modelRow, list []any) (all truth, said bool) {
	all = isTrue
	for _, w := range list {
		if one, ok := m.holds(name, row, w.(map[string]any)); ok {
			all, said = min(all, one), true
		}
	}
	return all, said
}

// any evaluates whether at least one where input of a list is true. One without conditions is
// always true.
func (m *model) any(name string, row modelRow, list []any) truth {
	best := isFalse
	for _, w := range list {
		one, said := m.holds(name, row, w.(map[string]any))
		if !said {
			one = isTrue
		}
		best = max(best, one)
	}
	return best
}

// edge returns the edge of a condition hasEdge or hasEdgeWith. It returns nil for other conditions.
func (m *model) edge(name, condition string) (edge *entity.Edge, with bool) {
	rest, ok := strings.CutPrefix(condition, "has")
	if !ok {
		return nil, false
	}
	rest, with = strings.CutSuffix(rest, "With")
	return m.entities[name].Edge(strings.ToLower(rest[:1]) + rest[1:]), with
}

// count returns the edge of a condition on the number of related rows, and how it is compared. It
// returns nil for other conditions.
func (m *model) count(name, condition string) (*entity.Edge, string) {
	before, op, found := strings.Cut(condition, "Count")
	if !found {
		return nil, ""
	}
	return m.entities[name].Edge(before), op
}

func (m *model) related(name string, row modelRow, edge *entity.Edge) (found []modelRow) {
	holder := m.entities[edge.To]
	if edge.OwnKey {
		holder = m.entities[name]
	}
	foreign := ""
	for _, f := range holder.Fields {
		if f.Column == edge.Column {
			foreign = f.Name
		}
	}
	for _, other := range m.rows[edge.To] {
		if edge.OwnKey && row[foreign] == other["id"] || !edge.OwnKey && other[foreign] == row["id"] {
			found = append(found, other)
		}
	}
	return found
}

// has reports whether a row has a value with the name.
func has(row modelRow, name string) bool { _, has := row[name]; return has }

func (m *model) field(name, condition string) (*entity.Field, string) {
	for _, op := range []string{"IsNil", "NotNil", "HasPrefix", "HasSuffix", "ContainsFold", "Contains", "EqualFold", "NotIn", "In", "NEQ", "GTE", "LTE", "GT", "LT", ""} {
		if rest, ok := strings.CutSuffix(condition, op); ok {
			f := m.entities[name].Field(rest)
			if edge, _ := m.entities[name].Shown(rest); edge != nil {
				f = &entity.Field{Name: rest, Kind: entity.Int}
			}
			if f != nil {
				if rows := m.rows[name]; len(rows) > 0 && !has(rows[0], rest) {
					m.t.Fatalf("%sWhereInput.%s: the model has no values of %s", name, condition, rest)
				}
				return f, op
			}
		}
	}
	m.t.Fatalf("%sWhereInput.%s: the model does not know what this means", name, condition)
	return nil, ""
}

func (m *model) compare(f *entity.Field, op string, has, value any) truth {
	switch op {
	case "IsNil":
		return truthOf((has == nil) == value.(bool))
	case "NotNil", "NEQ", "NotIn":
		return isTrue - m.compare(f, map[string]string{"NotNil": "IsNil", "NotIn": "In"}[op], has, value)
	case "In":
		best := isFalse
		for _, v := range value.([]any) {
			best = max(best, m.compare(f, "", has, v))
		}
		return best
	}
	if has == nil {
		return isUnknown
	}
	if search := searches[op]; search != nil {
		sought := value.(string)
		if f.MatchBy != "" {
			sought = entity.Fold(sought)
		}
		return truthOf(search(has.(string), sought))
	}
	return truthOf(compares(op, compareStored(f, has, value)))
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

// compareStored compares the value of a row with a value that a client sent.
func compareStored(f *entity.Field, has, sent any) int {
	switch has := has.(type) {
	case uuid.UUID:
		return cmp.Compare(idOf(prefixOf(f.Refers), has), sent.(string))
	case int32:
		return cmp.Compare(int(has), sent.(int))
	case time.Time:
		moment, err := time.Parse(time.RFC3339Nano, sent.(string))
		if err != nil {
			panic(err)
		}
		return has.Compare(moment)
	case string:
		if f.MatchBy != "" {
			sent = entity.Fold(sent.(string))
		}
		return cmp.Compare(has, sent.(string))
	}
	panic(fmt.Sprintf("%s holds a %T", f.Name, has))
}

func prefixOf(name string) string {
	for _, e := range ent.Entities {
		if e.Name == name {
			return e.Prefix
		}
	}
	panic("no entity " + name)
}

// samples returns values to try the conditions of a field with: some that rows have, some close to
// these, and some that no row has.
func (m *model) samples(name string, f *entity.Field) (list []any) {
	for _, row := range m.rows[name] {
		switch v := row[f.Name].(type) {
		case uuid.UUID:
			list = append(list, idOf(prefixOf(f.Refers), v))
		case int32:
			list = append(list, int(v))
		case time.Time:
			list = append(list, v.Format(time.RFC3339Nano), v.In(time.FixedZone("", 2*60*60)).Format(time.RFC3339Nano))
		case string:
			list = append(list, v, strings.ToUpper(v))
		}
	}
	switch f.Kind {
	case entity.ID:
		list = append(list, idOf(prefixOf(f.Refers), uuid.UUID{}), idOf(prefixOf(f.Refers), uuid.Max))
	case entity.Int:
		list = append(list, -1<<31, -1, 0, 8, 1<<31-1)
	case entity.Time:
		list = append(list, "0001-01-01T00:00:00Z", "2026-01-02T15:04:05.5Z", "9999-12-31T23:59:59.999999Z")
	case entity.String:
		list = append(list, "", "a", "ad", "%", "_", "ada_", "da", "ad%", "\U0010FFFF", "ada\U0010FFFF", "\U0010FFFF\U0010FFFF\U0010FFFF",
			"z\uD7FF", "SKU-", "SKU-0", `a"b\`, "'", "\x7F", "ẞ", "READER1@STRASSE.EXAMPLE")
	case entity.Enum:
		list = list[:0]
		for _, v := range m.schema.Types[name+strings.ToUpper(f.Name[:1])+f.Name[1:]].EnumValues {
			list = append(list, v.Name)
		}
	}
	slices.SortFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(list)
}

// variants returns values to try a single condition with.
func (m *model) variants(r *rand.Rand, name string, def *ast.FieldDefinition) (list []any) {
	some := func(of string) map[string]any { return m.random(r, of, 1) }
	switch edge, with := m.edge(name, def.Name); {
	case def.Name == "not":
		return []any{nil, map[string]any{}, some(name), some(name), some(name)}
	case def.Name == "and" || def.Name == "or":
		return []any{nil, []any{}, []any{map[string]any{}}, []any{some(name)}, []any{some(name), some(name)}, []any{some(name), map[string]any{}}}
	case edge != nil && with:
		return []any{nil, []any{}, []any{map[string]any{}}, []any{some(edge.To)}, []any{some(edge.To), some(edge.To)}, []any{map[string]any{}, some(edge.To)}}
	case edge != nil:
		return []any{nil, true, false}
	}
	if edge, _ := m.count(name, def.Name); edge != nil {
		return []any{nil, -1, 0, 1, 2, 3, 5, 10, 1<<31 - 1}
	}
	f, op := m.field(name, def.Name)
	samples := m.samples(name, f)
	switch op {
	case "IsNil", "NotNil":
		return []any{nil, true, false}
	case "In", "NotIn":
		return []any{nil, []any{}, []any{samples[0]}, samples, []any{pick(r, samples), pick(r, samples), pick(r, samples)}}
	case "HasPrefix", "HasSuffix", "Contains", "EqualFold", "ContainsFold":
		for _, s := range awkwardPrefixes {
			list = append(list, s)
		}
		r.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		for _, s := range samples[:min(len(samples), 8)] {
			runes := []rune(s.(string))
			list = append(list, s, string(runes[:len(runes)/2]), string(runes[len(runes)/3:]), strings.ToUpper(string(runes[len(runes)/4:len(runes)/2])))
		}
		return append(list, nil)
	}
	r.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	return append(samples[:min(len(samples), 12)], nil)
}

// awkwardPrefixes hold wildcards of LIKE, other cases, and characters at the ends of ranges.
var awkwardPrefixes = []string{"", "a", "ad", "ada", "Ada", "ADA", "ad%", "ada%", "%", "_", "ada_", "\U0010FFFF", "ada\U0010FFFF", "\U0010FFFF\U0010FFFF",
	"\U0010FFFF\U0010FFFF\U0010FFFF", "z\uD7FF", "z\uE000", "SKU-", `a"b\`, "ada\u2028", "ä", "Ω", "🦸", "'", "\x7F"}

// random returns a random where input of several conditions, nested up to depth times.
func (m *model) random(r *rand.Rand, name string, depth int) map[string]any {
	where := map[string]any{}
	fields := m.schema.Types[name+"WhereInput"].Fields
	for range 1 + r.IntN(2) {
		def := pick(r, fields)
		edge, with := m.edge(name, def.Name)
		several := func(of string) (list []any) {
			for range 1 + r.IntN(2) {
				list = append(list, m.random(r, of, depth-1))
			}
			return list
		}
		switch nested := def.Name == "and" || def.Name == "or" || def.Name == "not" || with; {
		case nested && depth == 0:
		case def.Name == "not":
			where["not"] = m.random(r, name, depth-1)
		case def.Name == "and" || def.Name == "or":
			where[def.Name] = several(name)
		case with:
			where[def.Name] = several(edge.To)
		case edge != nil:
			where[def.Name] = r.IntN(2) == 0
		default:
			if edge, _ := m.count(name, def.Name); edge != nil {
				where[def.Name] = r.IntN(5)
				continue
			}
			f, op := m.field(name, def.Name)
			samples := m.samples(name, f)
			switch op {
			case "IsNil", "NotNil":
				where[def.Name] = r.IntN(2) == 0
			case "In", "NotIn":
				where[def.Name] = []any{pick(r, samples), pick(r, samples)}
			default:
				where[def.Name] = pick(r, samples)
			}
		}
	}
	return where
}

// literal writes a value in the syntax of GraphQL.
func (m *model) literal(t *ast.Type, value any) string {
	def := m.schema.Types[t.Name()]
	switch v := value.(type) {
	case nil:
		return "null"
	case []any:
		var b strings.Builder
		for _, entry := range v {
			b.WriteString(m.literal(t.Elem, entry) + " ")
		}
		return "[" + b.String() + "]"
	case map[string]any:
		var b strings.Builder
		for name, entry := range v {
			b.WriteString(name + ": " + m.literal(def.Fields.ForName(name).Type, entry) + " ")
		}
		return "{" + b.String() + "}"
	case string:
		if def.Kind == ast.Enum {
			return v
		}
	}
	b, _ := json.Marshal(value)
	return string(b)
}

// rooted returns how to send a condition on an entity to the API: for the list of the entity, or
// for a list of rows that are related to it.
func (m *model) rooted(name string, where map[string]any) (root, of string, input map[string]any) {
	for _, f := range m.schema.Query.Fields {
		if f.Type.Name() == name+"Connection" {
			return f.Name, name, where
		}
	}
	if name != "OrderItem" {
		m.t.Fatalf("there is no list of %s to try its conditions on", name)
	}
	return "orders", "Order", map[string]any{"hasItemsWith": []any{where}}
}
