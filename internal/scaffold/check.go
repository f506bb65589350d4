package scaffold

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/read/kind"
)

// nameForm is the form of names in GraphQL.
var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are names of types that an entity cannot have.
var reserved = []string{"Query", "Mutation", "Subscription", "Node", "PageInfo", "Cursor", "OrderDirection", "ConflictAction", "OnError", "TimeBucket",
	"ID", "String", "Int", "Float", "Boolean", "Time", "BigInt", "Decimal", "Date", "LocalTime", "Duration", "UUID", "Bytes", "JSON", kind.PathInput}

// check refuses entities whose names cannot stand in the schema.
func (g *generator) check() error {
	lists := map[string]string{}
	for _, e := range g.Entities {
		if g.new[e.Name] {
			g.checkName(e)
			g.checkList(e, lists)
			g.checkParts(e)
		}
	}
	if len(g.findings) > 0 {
		return &RefusedError{g.findings}
	}
	return nil
}

func (g *generator) checkName(e *entity.Entity) {
	switch {
	case slices.Contains(reserved, e.Name):
		g.refuse("%s: the API uses this name for something else; name the entity otherwise, such as %sEntry (its table may keep its name: entsql.Table(%q))", e.Name, e.Name, e.Table)
	case g.doc.defined[e.Name] != nil:
		g.refuse("%s: schema.graphqls has something else of this name; rename that, or name the entity otherwise, such as %[1]sEntry (its table may keep its name: entsql.Table(%q))", e.Name, e.Table)
	case strings.HasPrefix(e.Name, "__") || !nameForm.MatchString(e.Name):
		g.refuse("%s: GraphQL has no such names; a name consists of letters, digits and _, and begins neither with a digit nor with __", e.Name)
	case !e.Ruled:
		g.refuse("%s: nothing in ent/schema says who may see which rows of it; give it a Policy", e.Name)
	}
}

// checkList refuses root fields that would have the name of another one.
func (g *generator) checkList(e *entity.Entity, lists map[string]string) {
	n := g.names[e.Name]
	if n.field == n.list {
		g.refuse("%s: its name is the same in the plural, so that the root fields for one and for many would have one name; name the entity otherwise, such as %sEntry (its table may keep its name: entsql.Table(%q))",
			e.Name, e.Name, e.Table)
		return
	}
	for _, field := range []string{n.field, n.list} {
		if other := lists[field]; other != "" {
			g.refuse("%s: the root field %s would be that of %s as well; name one of the two otherwise, or give it another table: entsql.Table", e.Name, field, other)
		} else if g.doc.has("Query", field) && g.doc.defined["Query"].Fields.ForName(field).Type.Name() != e.Name && g.doc.defined["Query"].Fields.ForName(field).Type.Name() != e.Name+"Connection" {
			g.refuse("%s: Query has a field %s already, which shows something else; rename that one, or the entity", e.Name, field)
		}
		lists[field] = e.Name
	}
}

// checkParts refuses names of fields, edges and values that GraphQL does not have.
func (g *generator) checkParts(e *entity.Entity) {
	invalid := func(name string) bool { return !nameForm.MatchString(name) || strings.HasPrefix(name, "__") }
	for _, f := range e.Fields {
		if invalid(f.Name) {
			g.refuse("%s: GraphQL has no field of the name %q; give the column %s another name in ent/schema, and StorageKey(%q)", e.Name, f.Name, f.Column, f.Column)
		}
		if f.Name == "string" {
			g.refuse("%s: ent has a method of the name of the field string; give the column %s another name in ent/schema, and StorageKey(%q)", e.Name, f.Column, f.Column)
		}
		names := f.ValueNames()
		for i, name := range names {
			if invalid(name) || slices.Contains(names[:i], name) {
				g.refuse("%s.%s: GraphQL has no name of its own for the enum value %q; use field.String with a CHECK in ent/schema, or other values", e.Name, f.Name, f.Values[i])
			}
		}
	}
	for _, f := range g.open(e) {
		if shout(f.Name) == "COUNT" && kind.Groups(f.Kind) && !g.isUnique(e, f) {
			g.refuse("%s: groups are ordered by COUNT, their number of rows, which the key %s would be called as well; give it another name in ent/schema, and keep the column by StorageKey(%q)", e.Name, f.Name, f.Column)
		}
	}
	for _, edge := range e.Edges {
		if invalid(edge.Name) {
			g.refuse("%s: GraphQL has no field of the name %q; rename the edge", e.Name, edge.Name)
		}
	}
}

// Unset returns a sentence for each field that an input of a standard mutation could have for an
// edge which the schema shows, and does not have. That may be meant so, and is no mistake.
func Unset(s Source) (notes []string) {
	g, err := newGenerator(s)
	if err != nil {
		return nil
	}
	var shown []string // edges, with the names of their entities
	for _, e := range s.Entities {
		for _, edge := range e.Edges {
			if g.doc.has(e.Name, edge.Name) {
				shown = append(shown, e.Name+"."+edge.Name)
			}
		}
	}
	if len(shown) == 0 || g.choose(shown) != nil {
		return nil
	}
	g.generate()
	insertions, _ := g.chosen()
	for _, i := range insertions {
		d := g.defs[i.into]
		for _, m := range i.members {
			edge := slices.IndexFunc(m.of, func(name string) bool { return slices.Contains(shown, d.entity+"."+name) })
			if d.writes && edge >= 0 {
				notes = append(notes, fmt.Sprintf("%s has no field %s; to set the edge by it, run go run . scaffold %s.%s", d.name, m.name, d.entity, m.of[edge]))
			}
		}
	}
	for _, note := range g.notes {
		if strings.Contains(note, withoutBack) {
			notes = append(notes, note)
		}
	}
	slices.Sort(notes)
	return notes
}
