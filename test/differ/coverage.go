package differ

import (
	"fmt"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Coverage counts the parts that operations consist of.
type Coverage struct {
	schema *ast.Schema

	mu         sync.Mutex
	parts      map[string]int // by their schema coordinates
	operations int
	// The operations that brought more than 100 bytes of data, that had errors, and that had an
	// argument meant to be refused.
	full, failed, refused int
}

// NewCoverage returns a coverage of the application's schema.
func (d *Differ) NewCoverage() *Coverage {
	return &Coverage{schema: d.contents.schema, parts: map[string]int{}}
}

// add counts the parts of an operation.
func (c *Coverage) add(op operation, got reply) {
	doc, err := gqlparser.LoadQueryWithRules(c.schema, op.query, nil)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", op.query, err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.operations++
	for _, o := range doc.Operations {
		c.set(o.SelectionSet)
		for _, v := range o.VariableDefinitions {
			c.parts["variable"]++
			c.sent(v.Type, op.vars[v.Variable])
			if v.DefaultValue != nil {
				c.parts["default of a variable"]++
				c.value(v.DefaultValue)
			}
		}
	}
	for _, f := range doc.Fragments {
		c.parts["fragment"]++
		c.set(f.SelectionSet)
	}
	if len(got.Errors) > 0 {
		c.failed++
	}
	if op.refused {
		c.refused++
	}
	if len(got.Data) > 100 {
		c.full++
	}
}

func (c *Coverage) set(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			coordinate := s.ObjectDefinition.Name + "." + s.Name
			c.parts[coordinate]++
			for _, a := range s.Arguments {
				c.parts[coordinate+"("+a.Name+":)"]++
				c.value(a.Value)
			}
			if s.Alias != s.Name {
				c.parts["alias"]++
			}
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.InlineFragment:
			c.parts["... on "+s.TypeCondition]++
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			c.directives(s.Directives)
		}
	}
}

func (c *Coverage) directives(list ast.DirectiveList) {
	for _, d := range list {
		c.parts["@"+d.Name]++
		c.parts["@"+d.Name+fmt.Sprint(d.Arguments[0].Value.Kind == ast.Variable)]++
	}
}

func (c *Coverage) value(v *ast.Value) {
	if v.Kind == ast.EnumValue {
		c.parts[v.Definition.Name+"."+v.Raw]++
	}
	for _, child := range v.Children {
		if v.Kind == ast.ObjectValue {
			c.parts[v.Definition.Name+"."+child.Name]++
		}
		c.value(child.Value)
	}
}

// sent counts the parts of a variable's value.
func (c *Coverage) sent(t *ast.Type, value any) {
	if t.Elem == nil && c.schema.Types[t.Name()].Kind == ast.Scalar {
		return
	}
	switch v := value.(type) {
	case []any:
		for _, entry := range v {
			c.sent(t.Elem, entry)
		}
	case map[string]any:
		for name, entry := range v {
			c.parts[t.Name()+"."+name]++
			c.sent(c.schema.Types[t.Name()].Fields.ForName(name).Type, entry)
		}
	case string:
		if c.schema.Types[t.Name()].Kind == ast.Enum {
			c.parts[t.Name()+"."+v]++
		}
	}
}

// Missing returns what the operations lack: parts of the schema that can be read, and parts of the
// language. It also says if too few operations brought data, or errors.
func (c *Coverage) Missing() (missing []string) {
	if c.full < c.operations/2 || c.failed < c.operations/50 || c.refused < c.operations/50 {
		missing = append(missing, "enough of each kind: "+c.String())
	}
	wanted := map[string]bool{"alias": true, "fragment": true, "variable": true, "default of a variable": true, "... on ": true, "... on Node": true,
		"@skiptrue": true, "@skipfalse": true, "@includetrue": true, "@includefalse": true}
	c.want(wanted, map[*ast.Definition]bool{}, c.schema.Query)
	for part := range wanted {
		if c.parts[part] == 0 {
			missing = append(missing, part)
		}
	}
	return missing
}

// String says how many operations there were.
func (c *Coverage) String() string {
	return fmt.Sprintf("of %d operations %d brought more than 100 bytes of data, %d had errors, %d of these by an argument meant to be refused",
		c.operations, c.full, c.failed, c.refused)
}

// want adds the parts of a type, and of all types that it leads to. Introspection is left out,
// because the engine does not answer it.
func (c *Coverage) want(wanted map[string]bool, known map[*ast.Definition]bool, def *ast.Definition) {
	if known[def] {
		return
	}
	known[def] = true
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		if wanted[def.Name+"."+f.Name] = true; summarized(def, f) {
			continue // there are too many results for each to be asked for
		}
		of := c.schema.Types[f.Type.Name()]
		if of.Kind != ast.Enum || def.Kind == ast.InputObject {
			c.want(wanted, known, of)
		}
		for _, a := range f.Arguments {
			wanted[def.Name+"."+f.Name+"("+a.Name+":)"] = true
			c.want(wanted, known, c.schema.Types[a.Type.Name()])
		}
	}
	for _, v := range def.EnumValues {
		wanted[def.Name+"."+v.Name] = true
	}
	for _, possible := range c.schema.GetPossibleTypes(def) {
		c.want(wanted, known, possible)
	}
}
