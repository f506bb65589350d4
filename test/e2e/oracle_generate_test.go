package e2e

import (
	"encoding/json"
	"fmt"
	"forge/test/gqltest"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

type request = gqltest.Request

// operationMaker writes operations on a schema. The same seed gives the same operations.
type operationMaker struct {
	*rand.Rand
	schema *ast.Schema
	ids    map[string][]string // the IDs of some rows, by type
	names  []string            // values that rows have
	// data limits the operations to arguments that the oracle's resolvers know, so that both can
	// execute them.
	data bool

	declared  []string // the variables of the operation, as it declares them
	values    map[string]any
	fragments []string
	aliases   int
	entity    string // what the arguments are about, if it is an entity
}

// These are values that a document can have and JSON cannot.
type (
	enum     string // a name
	raw      string // any text, which is written into the document as it is
	variable string
)

// make returns an operation.
func (m *operationMaker) make() request {
	m.declared, m.values, m.fragments, m.aliases = nil, map[string]any{}, nil, 0
	kind, root := "query", m.schema.Query
	if !m.data && m.one(3) {
		kind, root = "mutation", m.schema.Mutation
	}
	body := m.selections(root, 4)
	if kind == "mutation" { // must change nothing: the first field fails, so the others are not run
		body = strings.Replace(body, "{", `{ none: deleteTeam(id: "team_00000000000000000000000000") { deletedId }`, 1)
	}
	head := kind
	if m.one(2) || len(m.declared) > 0 || kind == "mutation" {
		head += " Q"
	}
	if len(m.declared) > 0 {
		head += "(" + strings.Join(m.declared, m.of(" ", ", ")) + ")"
	}
	parts := append([]string{head + " " + body}, m.fragments...)
	m.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	r := request{Query: strings.Join(parts, "\n"), Variables: m.values}
	if kind == "mutation" && m.one(2) {
		r.Query, r.OperationName = r.Query+" query Other { __typename }", "Other"
	}
	return r
}

// one returns true once in n times.
func (m *operationMaker) one(n int) bool { return m.IntN(n) == 0 }

func (m *operationMaker) of(choices ...string) string { return choices[m.IntN(len(choices))] }

// selections returns a set of selections on a type, fragments among them.
func (m *operationMaker) selections(def *ast.Definition, depth int) string {
	var set []string
	for range 1 + m.IntN(3) {
		set = append(set, m.selection(def, depth))
		if m.one(6) {
			set = append(set, m.selection(def, depth))
		}
	}
	return "{ " + strings.Join(set, " ") + " }"
}

func (m *operationMaker) selection(def *ast.Definition, depth int) string {
	kind := m.IntN(12)
	if depth <= 0 {
		kind = 4
	}
	switch kind {
	case 0:
		return "__typename"
	case 1:
		return "..." + m.directives() + " " + m.selections(def, depth-1)
	case 2:
		return "... on " + def.Name + m.directives() + " " + m.selections(def, depth-1)
	case 3:
		name := fmt.Sprintf("f%d", len(m.fragments))
		at := len(m.fragments)
		m.fragments = append(m.fragments, "") // the name is taken
		m.fragments[at] = "fragment " + name + " on " + def.Name + " " + m.selections(def, depth-1)
		return "..." + name + m.directives()
	}
	if def.Kind == ast.Interface && m.one(2) {
		types := m.schema.GetPossibleTypes(def)
		on := types[m.IntN(len(types))]
		return "... on " + on.Name + " " + m.selections(on, depth-1)
	}
	return m.field(def, depth)
}

// field returns a field of a type, sometimes twice, with different selections.
func (m *operationMaker) field(def *ast.Definition, depth int) string {
	fields := slices.DeleteFunc(slices.Clone(def.Fields), func(f *ast.FieldDefinition) bool { return !m.answers(def, f, depth) })
	if len(fields) == 0 {
		return "__typename"
	}
	f := fields[m.IntN(len(fields))]
	head := f.Name + m.arguments(f) + m.directives()
	if head != f.Name || m.one(5) {
		m.aliases++
		head = fmt.Sprintf("a%d: %s", m.aliases, head)
	}
	of := m.schema.Types[f.Type.Name()]
	if !composite(of) {
		return head
	}
	again := ""
	if m.one(5) {
		again = " " + head + " " + m.selections(of, depth-1)
	}
	return head + " " + m.selections(of, depth-1) + again
}

// answers reports whether a field may be selected.
func (m *operationMaker) answers(def *ast.Definition, f *ast.FieldDefinition, depth int) bool {
	if slices.Contains([]string{"gravatarUrl", "unitsSold", "rivals", "search", "aggregate", "groups", "orderItems",
		"authProviders", "hasTotp", "passkeys", "sessions", "signIns", "identities", "photos", "picture", "server"}, f.Name) || def.Name == "OrderItem" && f.Name == "order" {
		return false // code or the database computes it, or the rows that the oracle has do not lead there
	}
	if composite(m.schema.Types[f.Type.Name()]) && depth <= 0 {
		return false
	}
	if !m.data {
		return true
	}
	// Cursors differ between servers, and so do the descriptions of the specification's own types. The
	// oracle has neither a log of changes nor webhooks.
	hidden := strings.HasPrefix(def.Name, "__") && (f.Name == "description" || f.Name == "ofType" && depth < 1)
	return !strings.HasSuffix(f.Type.Name(), "Cursor") && !slices.Contains([]string{"changes", "viewer", "webhooks"}, f.Name) && !hidden
}

func composite(def *ast.Definition) bool {
	return def.Kind == ast.Object || def.Kind == ast.Interface || def.Kind == ast.Union
}

func (m *operationMaker) directives() string {
	if !m.one(8) {
		return ""
	}
	condition := m.literal(m.value(ast.NonNullNamedType("Boolean", nil), "if", 1))
	return " @" + m.of("include", "skip") + "(if: " + condition + ")"
}

// known matches the arguments and conditions that the oracle's resolvers know.
var known = regexp.MustCompile(`^(id|ids|idIn|first|last|offset|where|orderBy|not|and|or|includeDeprecated|name|username|sku|priceCents` +
	`|(name|username|sku)(GT|GTE|LT|LTE|HasPrefix|In)|priceCents(GT|GTE|LT|LTE|In))$`)

func (m *operationMaker) arguments(f *ast.FieldDefinition) string {
	var written []string
	m.entity = strings.TrimSuffix(f.Type.Name(), "Connection")
	for _, a := range f.Arguments {
		required := a.Type.NonNull && a.DefaultValue == nil
		if m.data && !known.MatchString(a.Name) || !required && !m.one(3) {
			continue
		}
		if m.data && a.Name == "last" && strings.Contains(strings.Join(written, " "), "first:") {
			continue
		}
		written = append(written, a.Name+": "+m.literal(m.argument(a.Type, a.Name, a.DefaultValue != nil)))
	}
	if len(written) == 0 {
		return ""
	}
	return "(" + strings.Join(written, m.of(" ", ", ")) + ")"
}

// argument returns a value for an argument. If the argument has a default, the value may be a
// variable that is null, even if the argument must not be null.
func (m *operationMaker) argument(t *ast.Type, name string, hasDefault bool) any {
	if hasDefault && t.NonNull && m.one(3) {
		nullable := *t
		nullable.NonNull = false
		return m.declare(&nullable, name)
	}
	return m.value(t, name, 3)
}

// value returns a value of a type, for an argument or field of that name.
func (m *operationMaker) value(t *ast.Type, name string, depth int) any {
	if m.one(5) {
		return m.declare(t, name)
	}
	return m.constant(t, name, depth, true)
}

// declare declares a variable of a type, and may leave it without a value.
func (m *operationMaker) declare(t *ast.Type, name string) any {
	v := fmt.Sprintf("v%d", len(m.declared))
	declared := "$" + v + ": " + t.String()
	optional := !t.NonNull
	if m.one(4) {
		declared += " = " + m.literal(m.constant(t, name, 2, false))
		optional = true
	}
	if m.one(9) {
		declared = m.of(`"one" `, `"""two"""`) + declared
	}
	m.declared = append(m.declared, declared)
	switch {
	case optional && m.one(3):
	case !t.NonNull && m.one(3):
		m.values[v] = nil
	default:
		m.values[v] = m.inJSON(m.constant(t, name, 2, false))
		if !m.data && m.one(6) {
			m.values[v] = m.spoil(m.values[v])
		}
	}
	return variable(v)
}

// constant returns a value for a type. If variables is true, the value may contain variables.
func (m *operationMaker) constant(t *ast.Type, name string, depth int, variables bool) any {
	if !t.NonNull && m.one(12) {
		return nil
	}
	if t.Elem != nil {
		if m.one(6) {
			// A single value in the place of a list with one entry.
			return m.constant(t.Elem, name, depth, false)
		}
		list := []any{}
		for range m.IntN(4) {
			list = append(list, m.inside(t.Elem, name, depth, variables))
		}
		return list
	}
	def := m.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.Enum:
		return enum(def.EnumValues[m.IntN(len(def.EnumValues))].Name)
	case ast.InputObject:
		return m.object(def, depth, variables)
	}
	return m.scalar(def.Name, name)
}

func (m *operationMaker) inside(t *ast.Type, name string, depth int, variables bool) any {
	if variables {
		return m.value(t, name, depth)
	}
	return m.constant(t, name, depth, false)
}

func (m *operationMaker) object(def *ast.Definition, depth int, variables bool) any {
	object := map[string]any{}
	for _, f := range def.Fields {
		required := f.Type.NonNull && f.DefaultValue == nil
		switch {
		case m.data && !required && f.Name != "direction" && !known.MatchString(f.Name):
		case !required && (!m.one(4) || depth <= 0):
		case variables && f.DefaultValue != nil:
			object[f.Name] = m.argument(f.Type, f.Name, true)
		default:
			object[f.Name] = m.inside(f.Type, f.Name, depth-1, variables)
		}
	}
	// The order of rows that compare equal depends on the server.
	if m.data && def.Fields.ForName("direction") != nil {
		object["field"] = enum(map[string]string{"UserOrder": "USERNAME", "ProductOrder": "SKU", "TeamOrder": "NAME"}[def.Name])
		if object["field"] == enum("") {
			object["field"] = enum("CREATED_AT")
		}
	}
	return object
}

func (m *operationMaker) scalar(scalar, name string) any {
	switch scalar {
	case "Boolean":
		return m.one(2)
	case "Int":
		if m.data && name == "first" && m.one(12) {
			return 101 // an error of the field
		}
		return m.IntN(9)
	case "ID":
		of := m.ids[m.entity]
		if of == nil || m.one(20) {
			of = m.ids[m.of("User", "Hero", "Team", "Product", "Order", "OrderItem")]
		}
		return of[m.IntN(len(of))]
	case "Time":
		return "2026-01-02T15:04:05Z"
	}
	if !m.data && m.one(4) {
		return raw(m.of(oddTexts...))
	}
	return m.names[m.IntN(len(m.names))]
}

// oddTexts are strings as they are written in documents. Some of them are valid, and some are not.
var oddTexts = []string{
	`"\uD83D\uDE00"`, `"\uD83D"`, `"\uDE00\uD83D"`, `"\u{1F600}"`, `"\u{D83D}"`, `"\u{41}\u{0}\u{22}"`, `"\u{110000}"`, `"\u{}"`, `"\u12"`, `"\x"`,
	`"""a"""`, `"""a""""`, `""""a"""`, `"""a""""""`, `""""""`, `"""\""""""`, `"""\"""`, `"a""b"`, `""`, `"é😀"`, `"\\uD83D"`, "\"\n\"", `"# {"`,
	"\"\"\"\r\n  a\n b\r\"\"\"", `"a`, `"\"`, `'a'`, `1.5`, `1e5`, `00`, `1a`, `-`, `.5`, `{}`, `[]`, `{a: 1}`, `A`, `true`, `null`, `$a`, `2147483648`,
	`-2147483648`, `9223372036854775808`, `1.0`, `"\b\f\n\r\t\/\\\""`,
}

// inJSON returns a value of a document in the form that it has in variables.
func (m *operationMaker) inJSON(value any) any {
	switch value := value.(type) {
	case enum:
		return string(value)
	case raw:
		return "text"
	case []any:
		list := []any{}
		for _, element := range value {
			list = append(list, m.inJSON(element))
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, member := range value {
			object[name] = m.inJSON(member)
		}
		return object
	}
	return value
}

// spoil returns a value with a mistake in it.
func (m *operationMaker) spoil(value any) any {
	switch value := value.(type) {
	case []any:
		if len(value) > 0 && !m.one(3) {
			i := m.IntN(len(value))
			value[i] = m.spoil(value[i])
			return value
		}
	case map[string]any:
		names := slices.Sorted(maps.Keys(value))
		switch {
		case m.one(4):
			value[m.of("nothing", "__typename", "Name")] = 1
			return value
		case len(names) > 0 && m.one(3):
			delete(value, names[m.IntN(len(names))])
			return value
		case len(names) > 0:
			name := names[m.IntN(len(names))]
			value[name] = m.spoil(value[name])
			return value
		}
	}
	return []any{nil, true, 7, -1, 1.5, json.Number("2147483648"), json.Number("1.0"), "", "x", "asc", []any{}, []any{nil}, []any{[]any{1}}, map[string]any{},
		map[string]any{"a": 1}}[m.IntN(15)]
}

// literal returns a value as it is written in a document.
func (m *operationMaker) literal(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case variable:
		return "$" + string(value)
	case enum:
		return string(value)
	case raw:
		return string(value)
	case string:
		return m.text(value)
	case []any:
		var list []string
		for _, element := range value {
			list = append(list, m.literal(element))
		}
		return "[" + strings.Join(list, m.of(", ", " ")) + "]"
	case map[string]any:
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			fields = append(fields, name+": "+m.literal(value[name]))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	return fmt.Sprint(value)
}

// text writes a string in one of the ways in which it can be written.
func (m *operationMaker) text(s string) string {
	switch m.IntN(4) {
	case 0:
		return `"""` + s + `"""`
	case 1:
		var escaped strings.Builder
		for _, r := range s {
			switch {
			case m.one(2):
				fmt.Fprintf(&escaped, `\u{%X}`, r)
			case r > 0xFFFF:
				r -= 0x10000
				fmt.Fprintf(&escaped, `\u%04X\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
			default:
				fmt.Fprintf(&escaped, `\u%04x`, r)
			}
		}
		return `"` + escaped.String() + `"`
	}
	return strconv.Quote(s)
}

// tokens matches roughly the tokens of a document. It is used to make mistakes.
var tokens = regexp.MustCompile(`"""[^"]*"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|-?[0-9]+|[^\s]`)

// mutate makes a few mistakes in a document.
func (m *operationMaker) mutate(query string) string {
	parts := tokens.FindAllString(query, -1)
	for range 1 + m.IntN(2) {
		i := m.IntN(len(parts))
		kind := m.IntN(10)
		// Most mistakes are names.
		for tries := 0; kind > 6 && !isName(parts[i]) && tries < 100; tries++ {
			i = m.IntN(len(parts))
		}
		switch kind {
		default:
			parts[i] = m.name(parts)
		case 0:
			parts = slices.Delete(parts, i, i+1)
		case 1:
			parts = slices.Insert(parts, i, parts[i])
		case 2:
			j := m.IntN(len(parts))
			parts[i], parts[j] = parts[j], parts[i]
		case 3:
			parts[i] = m.of(oddTexts...)
		case 4:
			parts[i] = parts[m.IntN(len(parts))]
		case 5:
			parts[i] = m.of("id", "name", "users", "nodes", "User", "Hero", "Node", "on", "query", "fragment", "$v0", "first", "ASC", "!", "...", `"on"`, "@skip", "__type",
				"heroes", "String", "Int!", "[ID]", "{", "}", "(", ")", "(if: true)", "subscription", "mutation", "type X { a: Int }", "#", "f0", "Q", `"text"`, "&", "|")
		case 6:
			parts = slices.Insert(parts, i, m.of("id", "... on Hero { id }", "@include(if: true)", "a1: name", `"text"`, "...f0", "{ id }", "(id: 1)", ",", "\uFEFF", "x:", "fragment f9 on User { id }",
				"query Z { users { totalCount } }", "@nothing", "$v0: Int"))
		}
		if len(parts) == 0 {
			return ""
		}
	}
	return strings.Join(parts, " ")
}

func isName(token string) bool {
	return token[0] == '_' || 'a' <= token[0]|0x20 && token[0]|0x20 <= 'z'
}

// name returns a name of the schema, or of the document.
func (m *operationMaker) name(parts []string) string {
	if m.one(2) {
		for range 100 {
			if part := parts[m.IntN(len(parts))]; isName(part) {
				return part
			}
		}
	}
	types := slices.Sorted(maps.Keys(m.schema.Types))
	def := m.schema.Types[types[m.IntN(len(types))]]
	switch {
	case m.one(2) || len(def.Fields)+len(def.EnumValues) == 0:
		return def.Name
	case len(def.EnumValues) > 0:
		return def.EnumValues[m.IntN(len(def.EnumValues))].Name
	}
	return def.Fields[m.IntN(len(def.Fields))].Name
}
