package differ

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/search"
)

// The generator has values of the types nil, bool, int and string, and of these:
type (
	enumValue string
	listValue []any
	object    []objectField // in the order in which it is written
	reference struct {      // to a variable
		name  string
		value any
	}
	document struct{ value any } // of JSON
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
	case document:
		return v.value
	}
	return value
}

// text writes a value in the syntax of GraphQL.
func (g *generator) text(t *ast.Type, value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case document:
		return literal(v.value)
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
	return literal(value)
}

// literal writes a JSON value in the syntax of GraphQL.
func literal(value any) string {
	switch v := value.(type) {
	case []any:
		var entries []string
		for _, entry := range v {
			entries = append(entries, literal(entry))
		}
		return "[" + strings.Join(entries, ", ") + "]"
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, name+": "+literal(v[name]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
	return strings.TrimSpace(b.String())
}

// arguments makes the arguments of a field, in random order.
func (g *generator) arguments(def *ast.FieldDefinition) string {
	name, paged := g.listed(def.Type.Name())
	var order ordering
	var texts []string
	all := slices.Clone(def.Arguments)
	if def.Name != "groups" {
		slices.Reverse(all) // orderBy stands behind the cursors, which depend on it, and behind by of groups
	}
	for _, a := range all {
		if g.moving && a.Type.Name() == "Cursor" {
			continue
		}
		needed := a.Name == "search" && order.has(relevance)
		if needed && g.refused() {
			continue
		}
		if !needed && (!a.Type.NonNull || a.DefaultValue != nil) && !g.often(25) && (a.Name != "where" || !g.often(50)) {
			continue
		}
		value := g.value(a.Type, func() any {
			if !needed && !a.Type.NonNull && g.often(6) {
				return nil
			}
			if paged {
				return g.pageArgument(name, def, a, order)
			}
			if def.Name == "groups" || def.Name == "countDistinct" {
				return g.summaryArgument(a)
			}
			return g.argument(def, a)
		})
		switch a.Name {
		case "orderBy":
			order = orderingOf(effective(value))
		case "search":
			words, _ := wordsOf(effective(value))
			order.of(words)
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
	if kind := g.schema.Types[a.Type.Name()].Kind; kind == ast.Enum || kind == ast.InputObject { // of a computed field
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
	return g.someID(of)
}

// someID returns an ID of the type. If there are no rows of it, it is that of none.
func (g *generator) someID(of string) any {
	if len(g.values.ids[of]) == 0 {
		return g.entities[of].Prefix + "_00000000000000000000000000"
	}
	return choose(&g.choices, g.values.ids[of])
}

// badID makes a value that is not an ID of the type.
func (g *generator) badID(name string) any {
	if other := choose(&g.choices, g.values.shown); name != "Node" && other != name && g.often(50) {
		return g.someID(other)
	}
	g.decoded = true
	prefix := g.entities[choose(&g.choices, g.values.shown)].Prefix
	return choose(&g.choices, []string{"", prefix, prefix + "_", "thing_00000000000000000000000001", strings.ToUpper(prefix) + "_00000000000000000000000001"})
}

// pageArgument makes an argument of a connection.
func (g *generator) pageArgument(name string, of *ast.FieldDefinition, a *ast.ArgumentDefinition, order ordering) any {
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
		if cursor := g.cursor(g.anyRow(name), order); cursor != "" {
			return cursor
		}
		return nil
	case a.Type.Name() == "Int":
		if g.refused() {
			return -1 - g.below(100)
		}
		return choose(&g.choices, []int{2, 1, 0, 3, 5, 20, 100})
	case a.Name == "deleted":
		return g.often(50)
	case a.Name == "search":
		if g.refused() {
			return choose(&g.choices, []string{"", "&|!", " \t", strings.Repeat("a", 257), "a b c d e f g h i j k"})
		}
		return g.search(name)
	case a.Name == "where":
		if g.refused() && g.often(30) {
			return g.deep()
		}
		return g.where(name, 2)
	}
	terms := slices.DeleteFunc(slices.Clone(g.schema.Types[name+"OrderField"].EnumValues), func(term *ast.EnumValueDefinition) bool {
		return term.Name == relevance && of.Arguments.ForName("search") == nil
	})
	return g.list(func() any {
		return g.value(a.Type.Elem, func() any {
			o := object{{"field", g.value(ast.NonNullNamedType(name+"OrderField", nil), func() any { return enumValue(choose(&g.choices, terms).Name) })}}
			if g.often(60) {
				o = append(o, objectField{"direction", g.value(ast.NonNullNamedType("OrderDirection", nil), func() any {
					return enumValue(choose(&g.choices, []string{"DESC", "ASC"}))
				})})
			}
			if g.schema.Types[name+"Order"].Fields.ForName("collation") != nil && g.often(25) {
				o = append(o, objectField{"collation", g.value(ast.NamedType("String", nil), func() any { return g.language(name, o) })})
			}
			return o
		})
	})
}

// language makes the collation of a term of an order.
func (g *generator) language(name string, term object) any {
	field := string(effective(term[0].value).(enumValue))
	if g.termOf(g.entities[name], orderTerm{Field: field}).kind() != entity.String && !g.refused() {
		return nil
	}
	if g.refused() {
		return choose(&g.choices, []string{"", "DE", "da", "C", `de" DESC --`})
	}
	return choose(&g.choices, []string{"de", "sv", "und"})
}

// search makes the text of a search: the beginnings of words of a row, or others.
func (g *generator) search(name string) string {
	words := []string{"a", "x'y", "Ä-1", "zz"}
	if len(g.rows[name]) > 0 {
		r := g.anyRow(name)
		for _, column := range r.entity.Search {
			_, value := r.value(column)
			text, _ := value.(string)
			words = append(words, search.Split(text)...)
		}
	}
	var text []string
	for range 1 + g.below(2) {
		word := []rune(choose(&g.choices, words))
		word = word[:min(len(word), 1+g.below(4))]
		if g.often(30) {
			word = []rune(strings.ToUpper(string(word)))
		}
		text = append(text, string(word))
	}
	return strings.Join(text, choose(&g.choices, []string{" ", ", ", "' OR "}))
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
	if edge, _ := g.count(name, def.Name); edge != nil {
		return choose(&g.choices, []int{1, 0, 2, 3, 5, -1, 1<<31 - 1})
	}
	f, op := g.contents.field(name, def.Name)
	switch op {
	case "IsNil", "NotNil", "IsEmpty":
		return g.often(50)
	case "In", "NotIn", "HasEvery", "HasSome":
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
	if f.Kind == entity.JSON {
		return g.document(op)
	}
	if searches[op] != nil && g.often(50) {
		return choose(&g.choices, awkwardPrefixes)
	}
	return choose(&g.choices, g.values.of(name, f))
}

// document makes the value that a condition on a JSON document compares with.
func (g *generator) document(op string) any {
	var of document
	if err := json.Unmarshal([]byte(choose(&g.choices, documents)), &of.value); err != nil {
		panic(err)
	}
	switch op {
	case "HasKey":
		return choose(&g.choices, steps)
	case "PathEquals":
		path := listValue{choose(&g.choices, steps)}
		if g.often(50) {
			path = append(path, choose(&g.choices, steps))
		}
		return object{{"path", path}, {"value", of}}
	}
	return of
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
		if e.Files {
			continue // no field takes the ID of a file
		}
		p.shown = append(p.shown, name)
		for _, id := range c.samples(name, &e.Fields[0]) {
			p.ids[name] = append(p.ids[name], id.(string))
		}
	}
	for name, e := range c.entities {
		if c.schema.Types[name+"Having"] != nil {
			for i := range e.Fields {
				p.samples[name+"."+e.Fields[i].Name] = c.samples(name, &e.Fields[i])
			}
		}
		input := c.schema.Types[name+"WhereInput"]
		if input == nil {
			continue
		}
		for _, def := range input.Fields {
			edge, _ := c.edge(name, def.Name)
			counted, _ := c.count(name, def.Name)
			if edge != nil || counted != nil {
				p.related[name] = append(p.related[name], def)
			} else if !slices.Contains([]string{"not", "and", "or"}, def.Name) {
				f, op := c.field(name, def.Name)
				of := name
				if shown, _ := c.entities[name].Shown(strings.TrimSuffix(def.Name, op)); shown != nil {
					of = shown.To
				}
				p.samples[name+"."+f.Name] = c.samples(of, f)
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
