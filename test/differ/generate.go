package differ

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// choices is the source of a generator's decisions. When no choices are left, every decision is the
// first one possible. So the operation is finite, and fewer choices make a smaller operation.
type choices []byte

// below takes a number from 0 to n-1.
func (c *choices) below(n int) int {
	if len(*c) == 0 || n < 2 {
		return 0
	}
	b := int((*c)[0])
	*c = (*c)[1:]
	return b % n
}

// often is true in the given percentage of cases.
func (c *choices) often(percent int) bool { return c.below(100) >= 100-percent }

func choose[T any](c *choices, list []T) T { return list[c.below(len(list))] }

// operation is an operation with its variables.
type operation struct {
	query   string
	vars    map[string]any
	refused bool // one of its arguments must be refused
	decoded bool // gqlgen refuses that argument, if the engine has not done so before
}

// generator makes a random operation by walking through the schema.
type generator struct {
	choices
	*contents
	values    *valuePool
	inputs    map[string][]any // see App.Inputs
	variables []variable
	fragments []*namedFragment
	left      int  // how many fields the operation may still get
	keys      int  // response keys made so far that are like no other
	refuse    bool // one value that is refused is still to come
	decoded   bool // it came, and is refused when it is decoded
	plain     bool // no variables, since this is one's value
	moving    bool // rows change: there are times and cursors that no two databases have in common
}

// variable is a variable of the operation.
type variable struct {
	name, declared string
	value          any
	given          bool
}

type namedFragment struct {
	name, on, text string
	scope          *scope
}

// makeOperation returns the operation that the choices lead to.
func makeOperation(from choices, c *contents, values *valuePool) operation {
	g := &generator{choices: from, contents: c, values: values, left: 40}
	g.refuse = g.often(15)
	wanted := g.refuse
	selected := g.set(c.schema.Query, &scope{}, 0)
	return g.finish(ast.Query, selected, wanted && !g.refuse)
}

// finish puts the parts of an operation together.
func (g *generator) finish(kind ast.Operation, selected string, refused bool) operation {
	op := operation{vars: map[string]any{}, refused: refused, decoded: g.decoded}
	var declared []string
	for _, v := range g.variables {
		declared = append(declared, "$"+v.name+": "+v.declared)
		if v.given {
			op.vars[v.name] = v.value
		}
	}
	op.query = string(kind)
	if len(declared) > 0 {
		op.query += "(" + strings.Join(declared, ", ") + ")"
	}
	op.query += selected
	for _, f := range g.fragments {
		op.query += " fragment " + f.name + " on " + f.on + f.text
	}
	return op
}

// scope holds the fields of an object by their response keys. Fields with the same key are merged,
// so they must agree with each other.
type scope struct {
	heads []*head
}

// head is a field without its selections.
type head struct {
	parent *ast.Definition
	key    string
	call   string // its name and arguments
	def    *ast.FieldDefinition
	inside *scope // shared by all with the key; nil of a leaf
}

// under returns the head with the response key, or nil.
func (s *scope) under(key string) *head {
	for _, h := range s.heads {
		if h.key == key {
			return h
		}
	}
	return nil
}

// takes reports whether a head agrees with the others in the scope. It is at least as strict as the
// GraphQL specification (section 5.3.2).
func (s *scope) takes(new *head) bool {
	for _, h := range s.heads {
		switch {
		case h.key != new.key:
		case h.def.Type.String() != new.def.Type.String():
			return false
		case h.call == new.call:
			if h.inside != nil && !h.inside.takesAll(new.inside) {
				return false
			}
		case h.inside != nil, h.parent == new.parent, h.parent.Kind != ast.Object, new.parent.Kind != ast.Object:
			return false
		}
	}
	return true
}

func (s *scope) takesAll(other *scope) bool {
	return !slices.ContainsFunc(other.heads, func(h *head) bool { return !s.takes(h) })
}

// add adds a head to the scope and returns it. If there is one with the same key and parent, add
// returns that one.
func (s *scope) add(new *head) *head {
	var inside *scope
	if new.inside != nil {
		inside = &scope{}
	}
	if known := s.under(new.key); known != nil {
		inside = known.inside
	}
	if inside != nil {
		for _, h := range new.inside.heads {
			inside.add(h)
		}
	}
	for _, h := range s.heads {
		if h.key == new.key && h.parent == new.parent {
			return h
		}
	}
	added := &head{new.parent, new.key, new.call, new.def, inside}
	s.heads = append(s.heads, added)
	return added
}

// set makes a selection set.
func (g *generator) set(parent *ast.Definition, s *scope, depth int) string {
	var selections []string
	for range 1 + g.below(4) {
		selections = append(selections, g.selection(parent, s, depth))
	}
	return " { " + strings.Join(selections, " ") + " }"
}

func (g *generator) selection(parent *ast.Definition, s *scope, depth int) string {
	switch g.below(14) {
	case 11:
		return g.inline(parent, s, depth)
	case 12:
		if spread := g.spread(parent, s, depth); spread != "" {
			return spread
		}
	case 13:
		return "__typename" + g.switches()
	case 9, 10:
		var again []*head
		for _, h := range s.heads {
			if h.parent == parent {
				again = append(again, h)
			}
		}
		if len(again) > 0 {
			return g.rest(choose(&g.choices, again), depth)
		}
	}
	return g.field(parent, s, depth)
}

// conditions returns the types that a fragment inside of parent can have as its condition. "" means
// no condition.
func (g *generator) conditions(parent *ast.Definition) []string {
	list := append([]string{"", parent.Name}, parent.Interfaces...)
	if parent.Kind == ast.Interface {
		for _, def := range g.schema.GetPossibleTypes(parent) {
			list = append(list, def.Name)
		}
		slices.Sort(list[2:])
	}
	return list
}

func (g *generator) inline(parent *ast.Definition, s *scope, depth int) string {
	on := choose(&g.choices, g.conditions(parent))
	text := "..."
	if on != "" {
		text += " on " + on
		parent = g.schema.Types[on]
	}
	return text + g.switches() + g.set(parent, s, depth)
}

// spread makes a spread of a new or an existing fragment. It returns "" if the fragment would not
// agree with s.
func (g *generator) spread(parent *ast.Definition, s *scope, depth int) string {
	on := choose(&g.choices, g.conditions(parent)[1:])
	variables, fragments := len(g.variables), len(g.fragments)
	var f *namedFragment
	for _, known := range g.fragments {
		if known.on == on && g.often(50) {
			f = known
		}
	}
	if f == nil {
		f = &namedFragment{on: on, scope: &scope{}}
		f.text = g.set(g.schema.Types[on], f.scope, depth)
		g.keys++
		f.name = fmt.Sprintf("f%d", g.keys)
		g.fragments = append(g.fragments, f)
	}
	if !s.takesAll(f.scope) {
		g.variables, g.fragments = g.variables[:variables], g.fragments[:fragments]
		return ""
	}
	for _, h := range f.scope.heads {
		s.add(h)
	}
	return "..." + f.name + g.switches()
}

// pages is how many connections may stand inside each other. It keeps answers from becoming too
// large.
const pages = 3

// field makes a selection of a field, under a new response key or one that is in the scope.
func (g *generator) field(parent *ast.Definition, s *scope, depth int) string {
	g.left--
	var fields []*ast.FieldDefinition
	for _, def := range parent.Fields {
		if g.moving && (def.Type.Name() == "Cursor" || def.Type.Name() == "Time") {
			continue
		}
		leaf := g.schema.Types[def.Type.Name()].IsLeafType()
		list := strings.HasSuffix(def.Type.Name(), "Connection") || strings.HasPrefix(def.Type.Name(), "__")
		if leaf || g.left > 0 && (!list || depth < pages) {
			fields = append(fields, def)
		}
	}
	if len(fields) == 0 {
		return "__typename"
	}
	h := &head{parent: parent, def: choose(&g.choices, fields)}
	h.call = h.def.Name + g.arguments(h.def)
	if !g.schema.Types[h.def.Type.Name()].IsLeafType() {
		h.inside = &scope{}
	}
	h.key = h.def.Name
	if g.often(25) {
		h.key = choose(&g.choices, []string{"a", "b", "id", "name", "nodes", "totalCount", choose(&g.choices, parent.Fields).Name})
	}
	for strings.HasPrefix(h.key, "__") && h.key != h.def.Name || !s.takes(h) {
		g.keys++
		h.key = fmt.Sprintf("k%d", g.keys)
	}
	return g.rest(s.add(h), depth)
}

// rest writes a field with its own selections.
func (g *generator) rest(h *head, depth int) string {
	text := h.call
	if h.key != h.def.Name {
		text = h.key + ": " + text
	}
	text += g.switches()
	if h.inside == nil {
		return text
	}
	of := g.schema.Types[h.def.Type.Name()]
	switch {
	case strings.HasSuffix(of.Name, "Connection"):
		depth++
	case strings.HasPrefix(of.Name, "__"):
		depth += 2
	}
	if g.left <= 0 {
		return text + " { __typename }"
	}
	return text + g.set(of, h.inside, depth)
}

// switches makes @skip and @include. Most of them leave the field in.
func (g *generator) switches() string {
	var text string
	for _, name := range []string{"skip", "include"} {
		if g.often(7) {
			text += " @" + name + "(if: " + g.text(ast.NonNullNamedType("Boolean", nil), g.value(ast.NonNullNamedType("Boolean", nil), func() any {
				return (name == "include") != g.often(25)
			})) + ")"
		}
	}
	return text
}

// The generator has values of the types nil, bool, int and string, and of these:
type (
	enumValue string
	listValue []any
	object    []objectField // in the order in which it is written
	reference struct {      // to a variable
		name  string
		value any
	}
)

type objectField struct {
	name  string
	value any
}

// value returns a value for type t, made by make, or a reference to a variable with such a value.
func (g *generator) value(t *ast.Type, make func() any) any {
	if g.plain || !g.often(30) {
		return make()
	}
	restore := g.withoutVariables()
	made := make()
	restore()
	return g.variable(t, made)
}

// withoutVariables keeps the generator from using variables until restore is called.
func (g *generator) withoutVariables() (restore func()) {
	was := g.plain
	g.plain = true
	return func() { g.plain = was }
}

// variable declares a variable. It gets the value from the client, or as its default.
func (g *generator) variable(t *ast.Type, value any) reference {
	v := variable{name: fmt.Sprintf("v%d", len(g.variables)), declared: t.String(), value: sent(value), given: true}
	nullable := strings.TrimSuffix(v.declared, "!")
	switch {
	case value == nil && g.often(50):
		v.given = false
	case value != nil && g.often(30):
		v.declared, v.given = nullable+" = "+g.text(t, value), false
	case value != nil && g.often(20):
		v.declared = nullable + "!"
	}
	g.variables = append(g.variables, v)
	return reference{v.name, value}
}

// effective returns a value with each variable replaced by its value.
func effective(value any) any {
	switch v := value.(type) {
	case reference:
		return v.value
	case listValue:
		list := listValue{}
		for _, entry := range v {
			list = append(list, effective(entry))
		}
		return list
	case object:
		var fields object
		for _, f := range v {
			fields = append(fields, objectField{f.name, effective(f.value)})
		}
		return fields
	}
	return value
}

// sent returns a value as it is in the JSON of a request.
func sent(value any) any {
	switch v := value.(type) {
	case listValue:
		list := []any{}
		for _, entry := range v {
			list = append(list, sent(entry))
		}
		return list
	case object:
		fields := map[string]any{}
		for _, f := range v {
			fields[f.name] = sent(f.value)
		}
		return fields
	case enumValue:
		return string(v)
	}
	return value
}

// text writes a value in the syntax of GraphQL.
func (g *generator) text(t *ast.Type, value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case reference:
		return "$" + v.name
	case enumValue:
		return string(v)
	case listValue:
		var entries []string
		for _, entry := range v {
			entries = append(entries, g.text(t.Elem, entry))
		}
		return "[" + strings.Join(entries, ", ") + "]"
	case object:
		var fields []string
		for _, f := range v {
			fields = append(fields, f.name+": "+g.text(g.schema.Types[t.Name()].Fields.ForName(f.name).Type, f.value))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
	return strings.TrimSpace(b.String())
}

// arguments makes the arguments of a field, in random order.
func (g *generator) arguments(def *ast.FieldDefinition) string {
	name, paged := strings.CutSuffix(def.Type.Name(), "Connection")
	var order ordering
	var texts []string
	for _, a := range slices.Backward(def.Arguments) { // orderBy stands behind the cursors, which depend on it
		if g.moving && a.Type.Name() == "Cursor" {
			continue
		}
		if (!a.Type.NonNull || a.DefaultValue != nil) && !g.often(25) && (a.Name != "where" || !g.often(50)) {
			continue
		}
		value := g.value(a.Type, func() any {
			if !a.Type.NonNull && g.often(6) {
				return nil
			}
			if paged {
				return g.pageArgument(name, a, order)
			}
			return g.argument(def, a)
		})
		if a.Name == "orderBy" {
			order = orderingOf(effective(value))
		}
		texts = append(texts, a.Name+": "+g.text(a.Type, value))
	}
	if len(texts) == 0 {
		return ""
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

func orderingOf(value any) (order ordering) {
	entries, isList := value.(listValue)
	if !isList && value != nil {
		entries = listValue{value}
	}
	text, _ := json.Marshal(sent(entries))
	if err := json.Unmarshal(text, &order); err != nil {
		panic(err)
	}
	return order
}

// argument makes an argument of a field that is not a connection.
func (g *generator) argument(of *ast.FieldDefinition, a *ast.ArgumentDefinition) any {
	if g.schema.Mutation != nil && g.schema.Mutation.Fields.ForName(of.Name) == of {
		return g.input(of.Name, a.Name, a.Type)
	}
	switch a.Type.Name() {
	case "ID":
		one := func() any {
			return g.value(ast.NonNullNamedType("ID", nil), func() any { return g.id(of.Type.Name()) })
		}
		if a.Type.Elem == nil {
			return one()
		}
		return g.list(one)
	case "Boolean":
		return g.often(50)
	case "Int": // of a computed field, or of search
		if a.Name == "size" {
			return choose(&g.choices, []int{80, 1, 2048})
		}
		return choose(&g.choices, []int{3, 1, 0, 100})
	}
	if a.Name == "text" {
		return choose(&g.choices, []string{"a", "t", "n", "A", "\u00e9", "0", "nothing"})
	}
	types := []string{"Node", "Cursor", "Nothing"} // of __type(name:)
	for _, name := range g.values.shown {
		types = append(types, name, name+"WhereInput")
	}
	return choose(&g.choices, types)
}

// list makes a list, or a single value that stands for a list of one entry.
func (g *generator) list(one func() any) any {
	if g.often(10) {
		defer g.withoutVariables()() // one would have to be a list
		return one()
	}
	list := listValue{}
	for range g.below(4) {
		list = append(list, one())
	}
	return list
}

func (g *generator) refused() bool {
	if g.refuse && g.often(50) {
		g.refuse = false
		return true
	}
	return false
}

// id makes an ID of the type. Its row may exist or not.
func (g *generator) id(name string) any {
	of := name
	if g.entities[of] == nil {
		of = choose(&g.choices, g.values.shown)
	}
	if g.refused() {
		return g.badID(name)
	}
	return choose(&g.choices, g.values.ids[of])
}

// badID makes a value that is not an ID of the type.
func (g *generator) badID(name string) any {
	if other := choose(&g.choices, g.values.shown); name != "Node" && other != name && g.often(50) {
		return choose(&g.choices, g.values.ids[other])
	}
	g.decoded = true
	prefix := g.entities[choose(&g.choices, g.values.shown)].Prefix
	return choose(&g.choices, []string{"", prefix, prefix + "_", "thing_00000000000000000000000001", strings.ToUpper(prefix) + "_00000000000000000000000001"})
}

// pageArgument makes an argument of a connection.
func (g *generator) pageArgument(name string, a *ast.ArgumentDefinition, order ordering) any {
	switch {
	case a.Type.Name() == "Cursor":
		if g.refused() {
			bad := []string{"", "AAAA", "!"}
			if len(g.rows[name]) > 0 {
				bad = append(bad, g.cursor(g.anyRow(name), order)+"AA")
			}
			return choose(&g.choices, bad)
		}
		if len(g.rows[name]) == 0 {
			return nil
		}
		return g.cursor(g.anyRow(name), order)
	case a.Type.Name() == "Int":
		if g.refused() {
			return -1 - g.below(100)
		}
		return choose(&g.choices, []int{2, 1, 0, 3, 5, 20, 100})
	case a.Name == "where":
		if g.refused() && g.often(30) {
			return g.deep()
		}
		return g.where(name, 2)
	}
	terms := g.schema.Types[name+"OrderField"].EnumValues
	return g.list(func() any {
		return g.value(a.Type.Elem, func() any {
			o := object{{"field", g.value(ast.NonNullNamedType(name+"OrderField", nil), func() any { return enumValue(choose(&g.choices, terms).Name) })}}
			if g.often(60) {
				o = append(o, objectField{"direction", g.value(ast.NonNullNamedType("OrderDirection", nil), func() any {
					return enumValue(choose(&g.choices, []string{"DESC", "ASC"}))
				})})
			}
			return o
		})
	})
}

func (g *generator) anyRow(name string) *row { return choose(&g.choices, g.rows[name]) }

// deep makes conditions that are nested too deep.
func (g *generator) deep() any {
	where := object{}
	for range 11 {
		where = object{{"not", where}}
	}
	return where
}

// where makes a where input whose conditions are nested up to the given depth.
func (g *generator) where(name string, depth int) any {
	where := object{}
	for range g.below(4) {
		def := choose(&g.choices, g.schema.Types[name+"WhereInput"].Fields)
		if related := g.values.related[name]; len(related) > 0 && g.often(40) {
			def = choose(&g.choices, related)
		}
		if slices.ContainsFunc(where, func(f objectField) bool { return f.name == def.Name }) {
			continue
		}
		of := name
		edge, with := g.edge(name, def.Name)
		if with {
			of = edge.To
		}
		nested := with || def.Name == "not" || def.Name == "and" || def.Name == "or"
		if nested && depth == 0 {
			continue
		}
		where = append(where, objectField{def.Name, g.value(def.Type, func() any {
			switch {
			case g.often(5):
				return nil
			case def.Name == "not":
				return g.where(name, depth-1)
			case nested:
				return g.list(func() any { return g.value(def.Type.Elem, func() any { return g.where(of, depth-1) }) })
			case edge != nil:
				return g.often(50)
			}
			return g.compared(name, def)
		})})
	}
	return where
}

// compared makes the value that a condition compares with.
func (g *generator) compared(name string, def *ast.FieldDefinition) any {
	f, op := g.contents.field(name, def.Name)
	switch op {
	case "IsNil", "IsEmpty":
		return g.often(50)
	case "In", "HasEvery", "HasSome":
		return g.list(func() any { return g.value(def.Type.Elem, func() any { return g.sample(name, f, op) }) })
	}
	return g.sample(name, f, op)
}

func (g *generator) sample(name string, f *entity.Field, op string) any {
	if f.Kind == entity.Enum {
		return enumValue(choose(&g.choices, f.Values))
	}
	if f.Kind != entity.Int && g.refused() { // a number that is no Int makes the whole operation invalid
		switch f.Kind {
		case entity.ID:
			return g.badID(f.Refers)
		case entity.Time:
			g.decoded = true
			return choose(&g.choices, []string{"", "now", "2026-01-02", "2026-13-02T15:04:05Z"})
		case entity.String:
			return "a\x00"
		}
	}
	if op == "HasPrefix" && g.often(50) {
		return choose(&g.choices, awkwardPrefixes)
	}
	return choose(&g.choices, g.values.of(name, f))
}

// valuePool holds values for arguments: some that rows have, and some that no row has.
type valuePool struct {
	shown   []string // the entities that can be seen
	ids     map[string][]string
	samples map[string][]any
	related map[string][]*ast.FieldDefinition // the conditions on related rows
}

func newValuePool(c *contents) *valuePool {
	p := &valuePool{ids: map[string][]string{}, samples: map[string][]any{}, related: map[string][]*ast.FieldDefinition{}}
	for name, e := range c.entities {
		if def := c.schema.Types[name]; def == nil || def.Kind != ast.Object {
			continue
		}
		p.shown = append(p.shown, name)
		for _, id := range c.samples(name, &e.Fields[0]) {
			p.ids[name] = append(p.ids[name], id.(string))
		}
	}
	for name := range c.entities {
		input := c.schema.Types[name+"WhereInput"]
		if input == nil {
			continue
		}
		for _, def := range input.Fields {
			if edge, _ := c.edge(name, def.Name); edge != nil {
				p.related[name] = append(p.related[name], def)
			} else if !slices.Contains([]string{"not", "and", "or"}, def.Name) {
				f, _ := c.field(name, def.Name)
				p.samples[name+"."+f.Name] = c.samples(name, f)
			}
		}
	}
	slices.Sort(p.shown)
	return p
}

func (p *valuePool) of(name string, f *entity.Field) []any { return p.samples[name+"."+f.Name] }

// awkwardPrefixes hold wildcards of LIKE, other cases, and characters at the ends of ranges.
var awkwardPrefixes = []string{"", "a", "ad", "ada", "Ada", "ADA", "ad%", "ada%", "%", "_", "ada_", "\U0010FFFF", "ada\U0010FFFF", "\U0010FFFF\U0010FFFF",
	"\U0010FFFF\U0010FFFF\U0010FFFF", "z\uD7FF", "z\uE000", "SKU-", `a"b\`, "ada\u2028", "ä", "Ω", "🦸", "'", "\x7F"}

// seeded returns the choices that belong to a seed.
func seeded(seed uint64) choices {
	r := rand.New(rand.NewPCG(seed, 5))
	c := make(choices, 20+r.IntN(400))
	for i := range c {
		c[i] = byte(r.Uint32())
	}
	return c
}
