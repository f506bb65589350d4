package scaffold

import (
	"maps"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/read/index"
	"forge/internal/read/kind"
	"forge/internal/rule"
)

// readWhere describes the first where input of a schema.
const readWhere = "All that are given must hold; one that is `null` is as good as left out. A condition's name is a field's, by itself for equality, or with what it compares: " +
	"`GT`, `GTE`, `LT`, `LTE`, `In`, `HasPrefix`, `IsNil`. In texts, `%` and `_` are characters like others. `hasX` asks whether there are related rows; `hasXWith` whether there is " +
	"one for which all of the conditions hold. As in SQL, a field that has no value is neither equal nor unequal to anything. Conditions stand up to 10 deep inside each other, 500 in all, 20 of them over related rows."

// served are the operators that an index on a column serves.
var served = []string{"", "In", "GT", "GTE", "LT", "LTE", "HasPrefix", "IsNil"}

// whereInput defines the conditions on rows of an entity: those that an index serves.
func (g *generator) whereInput(e *entity.Entity) {
	n, name := g.names[e.Name], e.Name+"WhereInput"
	d := &definition{kind: "input", name: name, description: "Conditions on " + n.many + "; see `" + g.firstWhere() + "` for how they are read."}
	if g.firstWhere() == name {
		d.description = "Conditions on " + n.many + ". " + readWhere
	}
	d.describe("These do not all hold.", "not", ": "+name)
	d.describe("All of these hold.", "and", ": ["+name+"!]")
	d.describe("At least one of these holds; of none, none does.", "or", ": ["+name+"!]")
	d.add("id", ": ID")
	d.add("idIn", ": [ID!]")
	for _, f := range g.open(e) {
		g.conditions(d, e, f)
	}
	for i := range e.Edges {
		g.shownConditions(d, e, &e.Edges[i])
	}
	for _, edge := range g.edges(e) {
		g.edgeConditions(d, e, edge)
	}
	g.define(d)
}

// firstWhere returns the where input that says how conditions are read.
func (g *generator) firstWhere() string {
	for _, e := range g.Entities {
		if def := g.doc.defined[e.Name+"WhereInput"]; def != nil && len(def.Description) > 150 {
			return def.Name
		}
	}
	return g.firstList() + "WhereInput"
}

// conditions adds the conditions on a column.
func (g *generator) conditions(d *definition, e *entity.Entity, f *entity.Field) {
	compared, text := f.Column, ""
	if f.MatchBy != "" {
		compared, text = f.MatchBy, "Without regard to case."
	}
	if f.Kind == entity.JSON || f.Kind == entity.List || !g.indexed(e, compared) {
		return
	}
	k, _ := kind.Of(f.Kind)
	for _, op := range served {
		if !slices.Contains(k.Operators, op) || op == "IsNil" && !f.Nullable || f.MatchBy != "" && strings.Contains("GTE LTE", op) && op != "" {
			continue
		}
		d.describe(text, f.Name+op, ": "+kind.ArgumentType(op, g.scalar(e, f)), f.Name, strings.TrimSuffix(f.Name, "Id"))
	}
}

// shownConditions adds conditions on the columns that an edge shows.
func (g *generator) shownConditions(d *definition, e *entity.Entity, edge *entity.Edge) {
	to := g.entities[edge.To]
	for _, name := range slices.Sorted(maps.Keys(edge.Shows)) {
		column := edge.Shows[name]
		f := columnOf(to, column)
		if f == nil || f.Nullable || f.Kind == entity.Enum || !readable(g.entities, f) || rule.Visible(e, name) != entity.ToAll || !g.indexed(to, column) || !g.indexed(to, edge.Column) {
			continue
		}
		k, _ := kind.Of(f.Kind)
		for _, op := range served {
			if slices.Contains(k.Operators, op) && op != "IsNil" {
				d.add(name+op, ": "+kind.ArgumentType(op, g.scalar(to, f)), name)
			}
		}
	}
}

// edgeConditions adds the conditions over related rows.
func (g *generator) edgeConditions(d *definition, e *entity.Entity, edge *entity.Edge) {
	if rule.Visible(e, edge.Name) != entity.ToAll {
		return
	}
	found := true // related rows are found by an index
	switch {
	case edge.Through != "":
		found = edge.Join == "" || g.indexed(g.entities[edge.Join], edge.Column)
	case !edge.OwnKey:
		found = g.indexed(g.entities[edge.To], edge.Column)
	}
	if found {
		d.add("has"+upper(edge.Name), ": Boolean", edge.Name)
	}
	if found && (!edge.OwnKey || g.indexed(e, edge.Column)) && (g.new[edge.To] || g.doc.defined[edge.To+"WhereInput"] != nil) {
		d.add("has"+upper(edge.Name)+"With", ": ["+edge.To+"WhereInput!]", edge.Name)
	}
}

// sorted returns the columns that pages can be ordered by: those that everybody sees, and whose
// order an index has.
func (g *generator) sorted(e *entity.Entity) (list []*entity.Field) {
	for _, f := range g.open(e) {
		k, _ := kind.Of(f.Kind)
		columns := []string{f.Column, e.Fields[0].Column}
		if k.Orders && g.indexed(e, columns...) && (!f.Nullable || g.Unindexed || index.Serves(g.Tables, e, true, columns...)) {
			list = append(list, f)
		}
	}
	return list
}

// ordersOf reports whether pages of an entity have an argument orderBy.
func (g *generator) ordersOf(e *entity.Entity) bool {
	if !g.new[e.Name] {
		return g.doc.defined[e.Name+"Order"] != nil
	}
	return (len(g.sorted(e)) > 0 || len(e.Search) > 0) && g.entities[e.Name+"Order"] == nil && g.entities[e.Name+"OrderField"] == nil
}

// orderTypes defines what pages of an entity can be ordered by.
func (g *generator) orderTypes(e *entity.Entity) {
	if g.new[e.Name] && !g.ordersOf(e) {
		if other := g.entities[e.Name+"Order"]; other != nil {
			g.note("%s: lists of %s have no orderBy, as its type would have the name of the entity %s", e.Name, g.names[e.Name].many, other.Name)
		}
		return
	}
	n := g.names[e.Name]
	d := &definition{kind: "input", name: e.Name + "Order", description: upper(a("order")) + " of " + n.many + "."}
	d.add("field", ": "+e.Name+"OrderField!")
	d.add("direction", ": OrderDirection! = ASC")
	if slices.ContainsFunc(g.sorted(e), func(f *entity.Field) bool { return f.Kind == entity.String }) {
		d.describe("The language in whose order texts are, as a tag such as `de` or `sv`, or `und` for no language in particular. Without it, texts are in the order of their code points.",
			"collation", ": String")
	}
	g.define(d)
	by := &definition{kind: "enum", name: e.Name + "OrderField", description: "What " + n.many + " can be ordered by."}
	for _, f := range g.sorted(e) {
		by.add(shout(f.Name), "", f.Name)
	}
	if len(e.Search) > 0 {
		by.describe("The best matches of `search` first, in both directions: those with more of its words whole. `direction` says how ties go.", "RELEVANCE", "")
	}
	g.define(by)
}
