package scaffold

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/index"
	"forge/internal/rule"
	"forge/internal/write"
)

// types defines what shows an entity: its type, its page, and a place in the page.
func (g *generator) types(e *entity.Entity) {
	n := g.names[e.Name]
	d := &definition{kind: "type", name: e.Name, node: true, description: sentence(cmp.Or(g.Comments[e.Name], a(n.one)))}
	g.define(d)
	d.add("id", ": ID!")
	g.columns(d, e, 0, 0)
	for _, edge := range e.Edges {
		for _, shown := range slices.Sorted(maps.Keys(edge.Shows)) {
			g.shows(d, e, &edge, shown)
		}
	}
	g.related(d, e, true)
	g.columns(d, e, 1, 2)
	g.notRelated(e)
	g.related(d, e, false)
	page := &definition{kind: "type", name: e.Name + "Connection", description: "A page of " + n.many + "."}
	page.add("edges", ": ["+e.Name+"Edge!]!")
	page.describe("The edges' nodes.", "nodes", ": ["+e.Name+"!]!")
	page.add("pageInfo", ": PageInfo!")
	page.describe("How many match `where` in all, on every page.", "totalCount", ": Int!")
	g.define(page)
	place := &definition{kind: "type", name: e.Name + "Edge", description: upper(a(n.one)) + "'s place in a list."}
	place.add("cursor", ": Cursor!")
	place.add("node", ": "+e.Name+"!")
	g.define(place)
}

// columns adds the fields that show columns, of some ranks.
func (g *generator) columns(d *definition, e *entity.Entity, from, to int) {
	for _, f := range g.fields(e) {
		if from <= rank(f) && rank(f) <= to {
			d.describe(g.about(e, f, true), f.Name, ": "+g.scalar(e, f)+bang(!f.Nullable && rule.Visible(e, f.Name) == entity.ToAll), f.Name)
		}
	}
}

// related adds the fields of edges to one row, or of those to many.
func (g *generator) related(d *definition, e *entity.Entity, unique bool) {
	for _, edge := range g.edges(e) {
		if edge.Unique == unique {
			d.describe(sentence(g.Comments[e.Name+"."+edge.Name]), edge.Name, g.edgeType(e, edge), edge.Name)
		}
	}
}

// notRelated notes the edges that somebody is to see, and that lead to no type.
func (g *generator) notRelated(e *entity.Entity) {
	for _, edge := range e.Edges {
		if rule.Visible(e, edge.Name) != entity.ToNobody && !g.shown(edge.To) {
			g.note("%s.%s: left out, as %s has no type; give that a Policy that lets somebody read, and name its fields in entity.Annotation{ShownToAll: …}", e.Name, edge.Name, edge.To)
		}
	}
}

// shows adds a field that shows a column of a related row.
func (g *generator) shows(d *definition, e *entity.Entity, edge *entity.Edge, name string) {
	to := g.entities[edge.To]
	if to == nil || rule.Visible(e, name) == entity.ToNobody {
		return
	}
	if f := columnOf(to, edge.Shows[name]); f != nil && readable(g.entities, f) && f.Kind != entity.Enum {
		d.describe(g.about(to, f, true), name, ": "+g.scalar(to, f)+bang(!f.Nullable && rule.Visible(e, name) == entity.ToAll), name)
	}
}

// columnOf returns the field of an entity that is stored in a column, or nil.
func columnOf(e *entity.Entity, column string) *entity.Field {
	i := slices.IndexFunc(e.Fields, func(f entity.Field) bool { return f.Column == column })
	if i < 0 {
		return nil
	}
	return &e.Fields[i]
}

// edgeType returns the arguments and the type of the field of an edge.
func (g *generator) edgeType(e *entity.Entity, edge *entity.Edge) string {
	always := rule.Visible(e, edge.Name) == entity.ToAll
	switch {
	case edge.Unique:
		return ": " + edge.To + bang(g.required(e, edge))
	case g.new[edge.To] || g.doc.defined[edge.To+"Connection"] != nil:
		return g.arguments(g.entities[edge.To], false) + ": " + edge.To + "Connection" + bang(always)
	}
	return ": [" + edge.To + "!]" + bang(always)
}

// arguments returns the arguments of a connection: with a description of each if the schema has
// none yet, and in one line otherwise.
func (g *generator) arguments(to *entity.Entity, root bool) string {
	args := []member{
		{"Page size, 0 to 100, counted from the start (or from `after`). 20 when neither `first` nor `last` is given.", "first", ": Int", nil},
		{"Start behind the edge with this cursor.", "after", ": Cursor", nil},
		{"Page size, 0 to 100, counted from the end (or from `before`).", "last", ": Int", nil},
		{"End ahead of the edge with this cursor.", "before", ": Cursor", nil},
		{"Leave out so many edges, counted from where the page would start.", "offset", ": Int", nil},
	}
	if g.new[to.Name] || g.doc.defined[to.Name+"WhereInput"] != nil {
		args = append(args, member{"Only those that match.", "where", ": " + to.Name + "WhereInput", nil})
	}
	if len(to.Search) > 0 {
		args = append(args, member{fmt.Sprintf("Only those with every word of this text: each is the beginning of a word of the %s. At most 256 bytes and 10 words.",
			joinWords(eachWords(to.Search), "or the")), "search", ": String", nil})
	}
	if g.ordersOf(to) {
		args = append(args, member{"In this order; ties go by ID. NULLs come last, in both directions.", "orderBy", ": [" + to.Name + "Order!]", nil})
	}
	if root && to.Deleted != "" && index.ServesDeleted(g.Tables, to) {
		args = append(args, member{"If true, those that were deleted, and no others. Only administrators may ask for them.", "deleted", ": Boolean", nil})
	}
	if root && g.explained() == "" && g.firstList() == to.Name {
		return described(args)
	}
	var texts []string
	for _, arg := range args {
		texts = append(texts, arg.name+arg.rest)
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

func eachWords(names []string) (list []string) {
	for _, name := range names {
		list = append(list, words(name))
	}
	return list
}

// explained returns a root field whose arguments the schema describes, or "".
func (g *generator) explained() string {
	query := g.doc.defined["Query"]
	if query == nil {
		return ""
	}
	for _, f := range query.Fields {
		if first := f.Arguments.ForName("first"); first != nil && first.Description != "" && f.Arguments.ForName("where") != nil {
			return f.Name
		}
	}
	return ""
}

// firstList returns the first new entity.
func (g *generator) firstList() string {
	for _, e := range g.Entities {
		if g.new[e.Name] {
			return e.Name
		}
	}
	return ""
}

// about describes a column: by its comment, by what values are allowed, and whether it is unique.
func (g *generator) about(e *entity.Entity, f *entity.Field, shown bool) string {
	allowed := g.allowed(e, f)
	if g.isUnique(e, f) {
		allowed = strings.TrimPrefix(allowed+", unique", ", ")
	}
	texts := []string{sentence(g.Comments[e.Name+"."+f.Name])}
	if allowed != "" {
		texts = append(texts, sentence(allowed))
	}
	if f.MatchBy != "" {
		texts = append(texts, "Upper and lower case make no difference.")
	}
	if shown && rule.Visible(e, f.Name) != entity.ToAll {
		texts = append(texts, "Null for those who may not see it.")
	}
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), " ")
}

// allowed says which values a column takes.
func (g *generator) allowed(e *entity.Entity, f *entity.Field) string {
	if f.Kind != entity.String && f.Kind != entity.Int && f.Kind != entity.BigInt {
		return ""
	}
	least, greatest, from, to := write.Range(g.Tables, e, f)
	unit := ""
	if f.Kind == entity.String {
		unit = " characters"
	}
	switch {
	case from && to:
		return fmt.Sprintf("%s to %s%s", digits(least), digits(greatest), unit)
	case from:
		return fmt.Sprintf("%s%s or more", digits(least), unit)
	case to:
		return fmt.Sprintf("at most %s%s", digits(greatest), unit)
	}
	return ""
}

// digits writes a number with a comma before each three digits.
func digits(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// rootFields defines the fields of Query and Mutation.
func (g *generator) rootFields(e *entity.Entity) {
	if !g.new[e.Name] {
		return
	}
	n, query := g.names[e.Name], g.defs["Query"]
	order := "in the order of their IDs"
	if e.Keys == ids.UUID && e.Fields[0].Default {
		order = "oldest first"
	}
	if g.ordersOf(e) {
		order += " unless `orderBy` says otherwise"
	}
	text := "All " + n.many + ", " + order + "."
	if list := g.explained(); list != "" {
		text += " The arguments are those of `" + list + "`."
	} else if first := g.firstList(); first != e.Name {
		text += " The arguments are those of `" + g.names[first].list + "`."
	}
	query.describe(upper(a(n.one))+" by ID, or null if there is none.", n.field, "(id: ID!): "+e.Name)
	query.describe(text, n.list, g.arguments(e, true)+": "+e.Name+"Connection!")
	role, roles, _ := callers(e, func(p rule.Policy) rule.Who { return p.Read })
	for _, field := range []string{n.field, n.list} {
		g.accesses["Query."+field] = Access{"Query." + field, role, roles}
	}
}
