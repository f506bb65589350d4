// Package scaffold writes the standard part of an API: the types, inputs and root fields of
// entities in the schema, and who may call the root fields. What stands in the schema is left as it
// is. The package works with descriptions of the entities, which it can make from ent/schema (see
// Describe).
package scaffold

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/schema"
	"forge/internal/viewer"
)

// Source is what the standard part of an API follows from.
type Source struct {
	Entities []*entity.Entity
	Tables   []*schema.Table
	// Comments are what ent/schema says of entities, fields and edges, by names such as "Hero" and
	// "Hero.teamId".
	Comments map[string]string
	SDL      string // the schema as it stands
	// Unindexed offers conditions and orders on all columns, also where no index serves them.
	Unindexed bool
	// Special are the root fields that have code of their own, such as "Mutation.signUp". What they
	// take is not used in inputs of other mutations.
	Special map[string]bool
}

// Result is the standard part of an API.
type Result struct {
	SDL    string   // the schema with all that was added
	Shown  []string // the entities that have a type now, and had none
	Access []Access // for the root fields that were added
	Notes  []string // what was left out, and why
}

// Access says who may call a root field.
type Access struct {
	Field string // such as "Query.hero"
	Role  viewer.Role
	Roles []string // as in gqlexec.Access
}

// Write adds the standard part of entities to the schema. Without names, it adds those that are
// meant to be shown and have no type. Of a named entity that has a type, it adds the fields and
// edges that the type lacks; a name such as "Book.pages" is that of one field or edge. It returns a
// *RefusedError if something cannot be written, and then nothing is to be stored.
func Write(s Source, names ...string) (*Result, error) {
	g, err := newGenerator(s)
	if err != nil {
		return nil, err
	}
	if err := g.choose(names); err != nil {
		return nil, err
	}
	g.generate()
	if len(g.findings) > 0 {
		return nil, &RefusedError{g.findings}
	}
	return g.bound()
}

// newGenerator returns a generator for the schema of a source. It returns an error if that is not
// well formed.
func newGenerator(s Source) (*generator, error) {
	d, err := read(s.SDL)
	if err != nil {
		return nil, fmt.Errorf("schema.graphqls cannot be read: %w", err)
	}
	return &generator{Source: s, doc: d, entities: map[string]*entity.Entity{}, new: map[string]bool{}, more: map[string]map[string]bool{},
		names: map[string]naming{}, defs: map[string]*definition{}, accesses: map[string]Access{}}, nil
}

// RefusedError holds the reasons why nothing was written. Each is a sentence.
type RefusedError struct{ Findings []string }

// Error returns the findings, one for each line.
func (e *RefusedError) Error() string {
	if len(e.Findings) == 1 {
		return "nothing was written: " + e.Findings[0]
	}
	return fmt.Sprintf("nothing was written, for %d reasons:\n%s", len(e.Findings), strings.Join(e.Findings, "\n"))
}

// generator makes the standard part of an API.
type generator struct {
	Source
	doc      *document
	entities map[string]*entity.Entity
	names    map[string]naming
	new      map[string]bool            // the entities that get a type
	more     map[string]map[string]bool // the fields and edges that types of entities lack
	named    map[string][]string        // of entities that have a type, the fields that were asked for; "" for all

	current  string   // the entity that definitions are made for, or ""
	order    []string // the names of defs
	defs     map[string]*definition
	accesses map[string]Access
	notes    []string
	findings []string
}

func (g *generator) refuse(format string, args ...any) {
	if finding := fmt.Sprintf(format, args...); !slices.Contains(g.findings, finding) {
		g.findings = append(g.findings, finding)
	}
}

// note adds a note, unless it is about an entity that stands and that was not asked for.
func (g *generator) note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	if (g.current == "" || g.new[g.current] || g.named[g.current] != nil) && !slices.Contains(g.notes, note) {
		g.notes = append(g.notes, note)
	}
}

// choose finds the entities that get a type, and what other types lack.
func (g *generator) choose(names []string) error {
	g.named = map[string][]string{}
	for _, e := range g.Entities {
		g.entities[e.Name], g.names[e.Name] = e, nameOf(e)
	}
	for _, name := range names {
		if reason := g.ask(name); reason != "" {
			return &RefusedError{[]string{reason}}
		}
	}
	for _, e := range g.Entities {
		switch {
		case g.typed(e), e.Files:
		case len(names) > 0 || !Shows(e):
		case unfit(e) != "":
			g.note("%s has no type: %s", e.Name, unfit(e))
		default:
			g.new[e.Name] = true
		}
	}
	for _, e := range g.Entities {
		if g.typed(e) {
			g.more[e.Name] = g.lacking(e)
		}
	}
	return g.check()
}

// typed reports whether the schema has the type of an entity, and not something else of its name.
func (g *generator) typed(e *entity.Entity) bool {
	def := g.doc.defined[e.Name]
	return def != nil && def.Kind == ast.Object && (def.Fields.ForName("id") != nil || !g.belongs(e.Name))
}

// belongs reports whether the standard part uses the name of a type for something else than an
// entity.
func (g *generator) belongs(name string) bool {
	return slices.Contains(reserved, name) || strings.HasSuffix(name, "Payload") || strings.HasPrefix(name, "Create") && strings.HasSuffix(name, "Error") ||
		slices.ContainsFunc(g.Entities, func(e *entity.Entity) bool {
			suffix, ok := strings.CutPrefix(name, e.Name)
			return ok && (slices.Contains(pageSuffixes, suffix) || slices.Contains(groupSuffixes, suffix))
		})
}

// ask takes a name that Write was called with. It returns why nothing can be written for it, or "".
func (g *generator) ask(asked string) string {
	name, member, one := strings.Cut(asked, ".")
	switch e := g.entities[name]; {
	case e == nil:
		return fmt.Sprintf("ent/schema has no entity %q; it has: %s", name, strings.Join(slices.Sorted(maps.Keys(g.entities)), ", "))
	case one && !g.typed(e):
		return fmt.Sprintf("schema.graphqls has no type %s to add %s to; scaffold %[1]s adds it", name, member)
	case one && (rule.Visible(e, member) == entity.ToNobody || e.Field(member) == nil && e.Edge(member) == nil):
		return asked + ": it is no field and no edge of ent/schema that is shown; name it in entity.Annotation{ShownToAll: …}"
	case g.typed(e):
		g.named[name] = append(g.named[name], member)
	case !Shows(e):
		return name + ": nothing of it is to be shown; name its fields in entity.Annotation{ShownToAll: …}, and let somebody Read in its Policy"
	case unfit(e) != "":
		return name + ": " + unfit(e)
	default:
		g.new[name] = true
	}
	return ""
}

// lacking returns the fields and edges that are to be added to a type that stands: edges to new
// types, and all if the entity was asked for.
func (g *generator) lacking(e *entity.Entity) map[string]bool {
	lacking := map[string]bool{}
	for _, edge := range e.Edges {
		if g.new[edge.To] && !g.doc.has(e.Name, edge.Name) {
			lacking[edge.Name] = true
		}
	}
	if len(g.named[e.Name]) == 0 {
		return lacking
	}
	if !slices.Contains(g.named[e.Name], "") {
		for _, name := range g.named[e.Name] {
			lacking[name] = true
		}
		return lacking
	}
	for _, f := range e.Fields {
		if !g.doc.has(e.Name, f.Name) && (rule.Visible(e, f.Name) != entity.ToNobody || g.pointedBy(e, &f) == nil) {
			lacking[f.Name] = true
		}
	}
	for _, edge := range e.Edges {
		if !g.doc.has(e.Name, edge.Name) {
			lacking[edge.Name] = true
		}
	}
	return lacking
}

// unfit returns why rows of an entity cannot be shown, or "".
func unfit(e *entity.Entity) string {
	switch {
	case len(e.Fields) == 0 || e.Fields[0].Refers != e.Name || e.Writer == nil:
		return "its rows have no ID; allowed is a key of one column: a UUID, as Identified gives it, a whole number, or a String"
	case e.Prefix == "":
		return fmt.Sprintf("its IDs have no prefix; give it one, as in entity.Annotation{Prefix: %q}", strings.ToLower(e.Name))
	}
	return ""
}

// Shows reports whether an entity is meant to be shown: its annotation or its policy shows at least
// one field, and its policy lets somebody read.
func Shows(e *entity.Entity) bool {
	if !readers(e) {
		return false
	}
	for _, f := range e.Fields {
		if rule.Visible(e, f.Name) != entity.ToNobody {
			return true
		}
	}
	for _, edge := range e.Edges {
		if rule.Visible(e, edge.Name) != entity.ToNobody {
			return true
		}
	}
	return false
}

// readers reports whether somebody may read rows of an entity.
func readers(e *entity.Entity) bool {
	_, _, ok := callers(e, func(p rule.Policy) rule.Who { return p.Read })
	return ok
}

// callers returns who may do something with rows of an entity at all. An entity without a policy of
// package rule is for administrators.
func callers(e *entity.Entity, what func(rule.Policy) rule.Who) (role viewer.Role, roles []string, ok bool) {
	var groups []rule.Who
	for _, p := range rule.Of(e) {
		groups = append(groups, what(p))
	}
	if len(groups) == 0 {
		return viewer.Admin, nil, true
	}
	return rule.Callers(rule.All(groups...))
}
