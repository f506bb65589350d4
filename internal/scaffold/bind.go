package scaffold

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/write"
)

// bound returns the result once the binders accept it. What they cannot bind, and is one condition
// or order among others, is left out.
func (g *generator) bound() (*Result, error) {
	if g.checkKinds(); len(g.findings) > 0 {
		return nil, &RefusedError{g.findings}
	}
	before := g.findingsOf(g.SDL)
	for range 10 {
		insertions, definitions := g.chosen()
		text := g.doc.with(insertions, definitions)
		if text == g.SDL {
			return g.result(text, insertions, definitions), nil
		}
		var mine []string
		for _, finding := range g.findingsOf(text) {
			if !slices.Contains(before, finding) && g.wrote(finding, insertions, definitions) {
				mine = append(mine, finding)
			}
		}
		if len(mine) == 0 {
			return g.result(text, insertions, definitions), nil
		}
		if !g.leaveOut(mine) {
			return nil, &RefusedError{mine}
		}
	}
	return nil, errors.New("the schema could not be bound; this is a fault of Forge")
}

// checkKinds refuses types that stand, and are of another kind than those that new entities need.
func (g *generator) checkKinds() {
	kinds := map[ast.DefinitionKind]string{ast.Object: "type", ast.InputObject: "input", ast.Enum: "enum", ast.Interface: "interface", ast.Scalar: "scalar", ast.Union: "union"}
	for _, name := range g.order {
		d, stands := g.defs[name], g.doc.defined[name]
		if stands != nil && kinds[stands.Kind] != d.kind && (g.new[d.entity] || d.entity == "") {
			g.refuse("%s: the schema has it as %s, and it has to be %s; rename the one that stands", name, a(kinds[stands.Kind]), a(d.kind))
		}
	}
}

// chosen returns what is to be added: the definitions of new entities, the members that types that
// stand lack, and what these need.
func (g *generator) chosen() (insertions []insertion, definitions []*definition) {
	taken := map[string]bool{}
	var take func(name string)
	take = func(name string) {
		d := g.defs[name]
		if d == nil || taken[name] || g.doc.defined[name] != nil {
			return
		}
		taken[name] = true
		for _, m := range d.members {
			for _, used := range m.typeNames() {
				take(used)
			}
		}
		if d.node {
			take("Node")
		}
	}
	for _, name := range g.order {
		into := insertion{into: name, members: g.missing(g.defs[name])}
		for _, m := range into.members {
			for _, used := range m.typeNames() {
				take(used)
			}
		}
		if g.doc.defined[name] != nil && len(into.members) > 0 {
			insertions = append(insertions, into)
		}
		if isRoot(name) && len(g.defs[name].members) > 0 || g.new[name] {
			take(name)
		}
	}
	for _, name := range g.order {
		if taken[name] {
			definitions = append(definitions, g.defs[name])
		}
	}
	return insertions, definitions
}

func isRoot(name string) bool { return name == "Query" || name == "Mutation" || name == "Subscription" }

// missing returns the members that a type that stands lacks. Inputs of mutations that stand get
// none but those of an entity that was asked for.
func (g *generator) missing(d *definition) (members []member) {
	of := d.entity
	if g.doc.defined[d.name] == nil || d.writes && len(g.named[of]) == 0 {
		return nil
	}
	for _, m := range d.members {
		lacks := slices.ContainsFunc(m.of, func(name string) bool { return g.more[of][name] })
		if (isRoot(d.name) || d.name == "ChangeType" || lacks) && !g.doc.has(d.name, m.name) {
			members = append(members, m)
		}
	}
	return members
}

// result returns what is to be stored.
func (g *generator) result(text string, insertions []insertion, definitions []*definition) *Result {
	r := &Result{SDL: text, Shown: slices.Sorted(maps.Keys(g.new)), Notes: g.notes}
	add := func(root string, members []member) {
		for _, m := range members {
			if access, ok := g.accesses[root+"."+m.name]; ok {
				r.Access = append(r.Access, access)
			}
		}
	}
	for _, i := range insertions {
		add(i.into, i.members)
	}
	for _, d := range definitions {
		add(d.name, d.members)
	}
	return r
}

// findingsOf returns what of a schema the engines cannot bind.
func (g *generator) findingsOf(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	s, err := Load(text)
	if err != nil {
		return []string{err.Error()}
	}
	return Findings(s, g.Source)
}

// Findings returns what of a schema does not fit the entities of a source, a sentence for each
// place. Fields that have resolvers are among them.
func Findings(s *ast.Schema, of Source) (findings []string) {
	_, err := binding.Bind(binding.Contract{Schema: s, Entities: of.Entities})
	if mismatch, ok := errors.AsType[*binding.MismatchError](err); ok {
		findings = mismatch.Findings
	}
	_, more := write.Bind(write.Contract{Schema: s, Entities: of.Entities, Tables: of.Tables})
	return append(findings, more...)
}

// directives are those of gqlgen.
const directives = `directive @goField(forceResolver: Boolean, name: String, omittable: Boolean, type: String, autoBindGetterHaser: Boolean, forceGenerate: Boolean, batch: Boolean) on INPUT_FIELD_DEFINITION | FIELD_DEFINITION
directive @goModel(model: String, models: [String!], forceGenerate: Boolean) on OBJECT | INPUT_OBJECT | SCALAR | ENUM | INTERFACE | UNION
directive @goTag(key: String!, value: String) on INPUT_FIELD_DEFINITION | FIELD_DEFINITION
directive @goEnum(value: String) on ENUM_VALUE
directive @goExtraField(name: String, type: String!, overrideTags: String, description: String) repeatable on OBJECT | INPUT_OBJECT`

// Load returns the schema of a text. It returns an error if the text is not valid.
func Load(text string) (*ast.Schema, error) {
	sources := []*ast.Source{{Name: "schema.graphqls", Input: text}}
	if strings.Contains(text, "@go") && !strings.Contains(text, "directive @go") {
		sources = append(sources, &ast.Source{Name: "gqlgen.graphqls", Input: directives})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, fmt.Errorf("schema.graphqls: %w", err)
	}
	return s, nil
}

// wrote reports whether a finding is about something that is to be added.
func (g *generator) wrote(finding string, insertions []insertion, definitions []*definition) bool {
	name, at := placeOf(finding)
	for _, i := range insertions {
		if i.into == name && slices.ContainsFunc(i.members, func(m member) bool { return m.name == at }) {
			return true
		}
	}
	defined := slices.ContainsFunc(definitions, func(d *definition) bool { return d.name == name })
	if d := g.defs[name]; d != nil && g.new[d.entity] {
		defined = true // also if it stood there before the entity
	}
	_, computed := g.computed(name, at)
	return defined && !computed || !strings.Contains(finding, ": ")
}

// computed returns the computed field that a finding is about. Its resolver is written by hand.
func (g *generator) computed(name, field string) (entity.Computed, bool) {
	if e := g.entities[name]; e != nil {
		c, ok := e.Computed[field]
		return c, ok
	}
	return entity.Computed{}, false
}

// placeOf returns the type and the field or argument at which a finding is.
func placeOf(finding string) (name, member string) {
	at, _, _ := strings.Cut(finding, ": ")
	name, member, _ = strings.Cut(at, ".")
	member, _, _ = strings.Cut(member, "(")
	return name, member
}

// leaveOut takes out the members that the findings are about, with a note for each. It returns
// false if one of them has to be there.
func (g *generator) leaveOut(findings []string) bool {
	for _, finding := range findings {
		name, at := placeOf(finding)
		d := g.defs[name]
		if d == nil || !strings.Contains(finding, "it can be read in two ways") && !optional(name) {
			return false
		}
		i := slices.IndexFunc(d.members, func(m member) bool { return m.name == at })
		if i < 0 || len(d.members) == 1 {
			return false
		}
		d.members = slices.Delete(d.members, i, i+1)
		g.note("left out: %s", finding)
	}
	return true
}

// optional reports whether a type does without each of its members.
func optional(name string) bool {
	return strings.HasSuffix(name, "WhereInput") || strings.HasSuffix(name, "OrderField") || strings.HasSuffix(name, "Having") || strings.HasSuffix(name, "GroupField")
}
