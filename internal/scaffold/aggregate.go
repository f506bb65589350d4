package scaffold

import (
	"strings"

	"forge/internal/entity"
	"forge/internal/read/kind"
	"forge/internal/rule"
)

// measured are the functions of columns, with the type that holds their results.
var measured = []struct {
	function   kind.Function
	type_, say string
}{
	{kind.Sum, "Sum", "Sums. Like all that follow, they are null if there is nothing to compute them of."},
	{kind.Avg, "Average", "Averages. Null if there is nothing to compute them of."},
	{kind.Min, "Extremes", "The smallest values. Null if there is nothing to compute them of."},
	{kind.Max, "Extremes", "The largest values. Null if there is nothing to compute them of."},
}

// groupSuffixes are the ends of the names of what aggregates and groups consist of.
var groupSuffixes = []string{"Aggregate", "Sum", "Average", "Extremes", "Group", "GroupKey", "GroupBy", "GroupField", "Having", "GroupOrder", "GroupOrderField"}

// aggregates defines what is computed over rows of an entity, and over groups of them.
func (g *generator) aggregates(e *entity.Entity) {
	if g.new[e.Name] {
		for _, suffix := range groupSuffixes {
			if g.entities[e.Name+suffix] != nil || g.doc.defined[e.Name+suffix] != nil {
				g.note("%s: its lists have no aggregate and no groups, as one of their types would have the name %s, which is taken", e.Name, e.Name+suffix)
				return
			}
		}
	} else if g.doc.defined[e.Name+"Aggregate"] == nil {
		return
	}
	keys := g.groupKeys(e)
	page := g.defs[e.Name+"Connection"]
	page.describe("What is computed over all that match `where`.", "aggregate", ": "+e.Name+"Aggregate!")
	g.aggregate(e, len(keys) > 0)
	if len(keys) > 0 {
		page.describe("Groups of all that match `where`: 20 if `first` says nothing, 1,000 at most. `by` has up to 8 entries.", "groups",
			"(by: ["+e.Name+"GroupBy!]!, having: "+e.Name+"Having, orderBy: ["+e.Name+"GroupOrder!], first: Int): ["+e.Name+"Group!]!")
		g.groups(e, keys)
	}
}

// measurable returns the columns that functions compute with.
func (g *generator) measurable(e *entity.Entity) (list []*entity.Field) {
	for _, f := range g.open(e) {
		if f.Kind != entity.ID && f.Name != "version" {
			list = append(list, f)
		}
	}
	return list
}

// results returns the columns that a function has a result for, with the scalars of the results.
func (g *generator) results(e *entity.Entity, function kind.Function) (fields []*entity.Field, scalars []string) {
	for _, f := range g.measurable(e) {
		of, ok := function.Result(f.Kind)
		if !ok {
			continue
		}
		fields = append(fields, f)
		if of == f.Kind {
			scalars = append(scalars, g.scalar(e, f))
			continue
		}
		k, _ := kind.Of(of)
		scalars = append(scalars, k.Scalar(&entity.Field{Kind: of}))
	}
	return fields, scalars
}

func (g *generator) aggregate(e *entity.Entity, grouped bool) {
	n := g.names[e.Name]
	d := &definition{kind: "type", name: e.Name + "Aggregate", description: "What is computed over all " + n.many + " that match, not only those of the page."}
	d.add("count", ": Int!")
	if grouped {
		d.describe("How many different values there are, without null.", "countDistinct", "(field: "+e.Name+"GroupField!): Int!")
	}
	g.define(d)
	for _, m := range measured {
		fields, scalars := g.results(e, m.function)
		if len(fields) == 0 {
			continue
		}
		var of []string
		results := &definition{kind: "type", name: e.Name + m.type_}
		for i, f := range fields {
			of = append(of, f.Name)
			results.add(f.Name, ": "+scalars[i], f.Name)
		}
		d.describe(m.say, string(m.function), ": "+results.name+"!", of...)
		g.define(results) // min and max share one
	}
}

// groupKey is what rows are grouped by: a column, or an edge whose key is a column.
type groupKey struct{ name, typed, about string }

func (g *generator) groupKeys(e *entity.Entity) (keys []groupKey) {
	for _, f := range g.open(e) {
		if kind.Groups(f.Kind) && f.Name != "version" && !g.isUnique(e, f) {
			keys = append(keys, groupKey{f.Name, g.scalar(e, f), strings.TrimSuffix(f.Name, "Id")})
		}
	}
	for _, edge := range g.edges(e) {
		if edge.Unique && edge.OwnKey && edge.Files == nil && columnOf(e, edge.Column) != nil && rule.Visible(e, edge.Name) == entity.ToAll {
			keys = append(keys, groupKey{edge.Name, edge.To, edge.Name})
		}
	}
	return keys
}

func (g *generator) groups(e *entity.Entity, keys []groupKey) {
	n := g.names[e.Name]
	group := &definition{kind: "type", name: e.Name + "Group", description: upper(a("group")) + " of " + n.many + ", and what is computed over them."}
	group.add("key", ": "+e.Name+"GroupKey!")
	group.add("aggregate", ": "+e.Name+"Aggregate!")
	key := &definition{kind: "type", name: e.Name + "GroupKey", description: "What the " + n.many + " of a group have in common. Only what stands in `by` can be selected."}
	by := &definition{kind: "input", name: e.Name + "GroupBy", description: "What groups of " + n.many + " are formed by."}
	by.add("field", ": "+e.Name+"GroupField!")
	by.describe("Cut a time to the moment at which a unit of time began.", "bucket", ": TimeBucket")
	by.describe("Of the bucket: UTC, or an area and a place, as in `Europe/Berlin`. UTC if none is given.", "timeZone", ": String")
	field := &definition{kind: "enum", name: e.Name + "GroupField"}
	rank := &definition{kind: "enum", name: e.Name + "GroupOrderField", description: "What groups of " + n.many + " can be ordered by: their keys, which have to stand in `by`, and what is computed over them."}
	for _, k := range keys {
		key.add(k.name, ": "+k.typed, k.name, k.about)
		field.add(shout(k.name), "", k.name, k.about)
		rank.add(shout(k.name), "", k.name, k.about)
	}
	having := &definition{kind: "input", name: e.Name + "Having", description: "Conditions on groups of " + n.many + "; all that are given must hold."}
	for _, op := range []string{"", "NEQ", "GT", "GTE", "LT", "LTE"} {
		having.add("count"+op, ": Int")
	}
	rank.add("COUNT", "")
	g.ranked(e, having, rank)
	order := &definition{kind: "input", name: e.Name + "GroupOrder", description: upper(a("order")) + " of groups of " + n.many + ". What is equal is ordered by the keys, as they stand in `by`."}
	order.add("field", ": "+e.Name+"GroupOrderField!")
	order.add("direction", ": OrderDirection! = ASC")
	for _, d := range []*definition{group, key, by, field, having, order, rank} {
		g.define(d)
	}
}

// ranked adds the results of functions to the conditions and the orders of groups.
func (g *generator) ranked(e *entity.Entity, having, rank *definition) {
	for _, m := range measured {
		fields, scalars := g.results(e, m.function)
		for i, f := range fields {
			if f.Kind == entity.String || f.Kind == entity.Enum {
				continue
			}
			for _, op := range []string{"GT", "GTE", "LT", "LTE"} {
				having.add(string(m.function)+upper(f.Name)+op, ": "+scalars[i], f.Name)
			}
			rank.add(shout(string(m.function)+upper(f.Name)), "", f.Name)
		}
	}
}
