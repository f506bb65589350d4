package differ

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
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
	left      int         // how many fields the operation may still get
	keys      int         // response keys made so far that are like no other
	refuse    bool        // one value that is refused is still to come
	decoded   bool        // it came, and is refused when it is decoded
	plain     bool        // no variables, since this is one's value
	keyed     []enumValue // what the groups are formed by whose arguments are made now
	moving    bool        // rows change: there are times and cursors that no two databases have in common
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

// pages is how many connections and lists of rows may stand inside each other. It keeps answers
// from becoming too large: the fields of a list are not bounded by a page.
const pages = 3

// field makes a selection of a field, under a new response key or one that is in the scope.
func (g *generator) field(parent *ast.Definition, s *scope, depth int) string {
	g.left--
	var fields []*ast.FieldDefinition
	for _, def := range parent.Fields {
		if g.moving && summarized(parent, def) {
			continue // by keys and times
		}
		if g.moving && (def.Type.Name() == "Cursor" || def.Type.Name() == "Time") {
			continue
		}
		leaf := g.schema.Types[def.Type.Name()].IsLeafType()
		list := many(parent, def) || strings.HasPrefix(def.Type.Name(), "__")
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

// many reports whether a field is a connection, or a list that is no part of one.
func many(parent *ast.Definition, def *ast.FieldDefinition) bool {
	return strings.HasSuffix(def.Type.Name(), "Connection") || def.Type.Elem != nil && (!strings.HasSuffix(parent.Name, "Connection") || def.Name == "groups")
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
	case many(h.parent, h.def):
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

// seeded returns the choices that belong to a seed.
func seeded(seed uint64) choices {
	r := rand.New(rand.NewPCG(seed, 5))
	c := make(choices, 20+r.IntN(400))
	for i := range c {
		c[i] = byte(r.Uint32())
	}
	return c
}
