package scaffold

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/index"
	"forge/internal/read/kind"
	"forge/internal/rule"
	"forge/internal/write"
)

// generate makes the whole standard part of all entities that have a type, or get one.
func (g *generator) generate() {
	var all []*entity.Entity
	for _, e := range g.Entities {
		if g.shown(e.Name) {
			all = append(all, e)
		}
	}
	for _, e := range all {
		g.claim(e)
	}
	if len(g.findings) > 0 {
		return
	}
	g.define(&definition{kind: "type", name: "Query", description: "Everything that can be read. A reading operation sees one state of the database throughout."})
	g.define(&definition{kind: "type", name: "Mutation", description: "Everything that can be changed. All fields of one operation are one unit of work: all are stored, or none is."})
	g.define(&definition{kind: "type", name: "Subscription", description: "Everything that can be waited for. An operation has one of these fields."})
	for _, e := range all {
		if e.Files {
			continue // its type is written by hand
		}
		g.current = e.Name
		g.types(e)
		g.whereInput(e)
		g.orderTypes(e)
		g.inputs(e)
		g.aggregates(e)
		g.rootFields(e)
		g.changes(e)
	}
	g.current = ""
	g.changesOfAll()
	g.common()
}

// shown reports whether an entity has a type, or gets one.
func (g *generator) shown(name string) bool {
	return g.new[name] || g.entities[name] != nil && g.typed(g.entities[name])
}

// pageSuffixes are the ends of the names of what pages of an entity, and its changes, consist of.
var pageSuffixes = []string{"Connection", "Edge", "WhereInput", "Changes", "Change"}

// claim refuses an entity whose types would have the names of others. It is called before anything
// is defined.
func (g *generator) claim(e *entity.Entity) {
	for _, suffix := range pageSuffixes {
		other := g.entities[e.Name+suffix]
		if other != nil && (g.new[e.Name] || g.new[other.Name]) && (e.Logged || !strings.HasPrefix(suffix, "Change")) {
			g.refuse("%s: its name is that of a type which belongs to %s; name one of the two otherwise", other.Name, e.Name)
		}
	}
}

// define adds a definition. It returns false if there is one of the name, or an entity. An entity
// that gets a type is refused then.
func (g *generator) define(d *definition) bool {
	taken := g.entities[d.name] != nil && !d.node
	if taken && g.new[d.name] && g.current != "" {
		g.refuse("%s: its name is that of a type which belongs to %s; name one of the two otherwise", d.name, g.current)
	}
	if taken || g.defs[d.name] != nil {
		return false
	}
	d.entity = g.current
	g.defs[d.name] = d
	g.order = append(g.order, d.name)
	return true
}

// fields returns the columns of an entity that somebody sees, without the key.
func (g *generator) fields(e *entity.Entity) (list []*entity.Field) {
	for i := range e.Fields {
		f := &e.Fields[i]
		if f.Name != "id" && readable(g.entities, f) && rule.Visible(e, f.Name) != entity.ToNobody {
			list = append(list, f)
		}
	}
	return ownFirst(list)
}

// ownFirst puts what the server sets by itself behind all else: the version, and the times.
func ownFirst(list []*entity.Field) []*entity.Field {
	slices.SortStableFunc(list, func(a, b *entity.Field) int { return rank(a) - rank(b) })
	return list
}

func rank(f *entity.Field) int {
	switch {
	case f.Name == "version" && f.Kind == entity.Int && f.Default:
		return 1
	case f.Kind == entity.Time && f.Default:
		return 2
	}
	return 0
}

// open returns those of the columns that everybody sees. Keys of other rows are as visible as the
// edges that they are of, and stand among them.
func (g *generator) open(e *entity.Entity) (list []*entity.Field) {
	for i := range e.Fields {
		f := &e.Fields[i]
		edge := g.pointedBy(e, f)
		if edge != nil && edge.Files != nil {
			continue // it has one row, whose file is asked for by other fields of it
		}
		if f.Name != "id" && readable(g.entities, f) && (rule.Visible(e, f.Name) == entity.ToAll ||
			edge != nil && f.Name == edge.Name+"Id" && rule.Visible(e, edge.Name) == entity.ToAll) {
			list = append(list, f)
		}
	}
	return ownFirst(list)
}

// pointedBy returns the edge whose key a column holds, or nil.
func (g *generator) pointedBy(e *entity.Entity, f *entity.Field) *entity.Edge {
	for i := range e.Edges {
		if edge := &e.Edges[i]; edge.OwnKey && edge.Through == "" && edge.Column == f.Column {
			return edge
		}
	}
	return nil
}

// edges returns the edges of an entity that somebody sees, and that lead to a type.
func (g *generator) edges(e *entity.Entity) (list []*entity.Edge) {
	for i := range e.Edges {
		edge := &e.Edges[i]
		join := g.entities[edge.Join]
		if g.shown(edge.To) && rule.Visible(e, edge.Name) != entity.ToNobody && (join == nil || join.Ruled) {
			list = append(list, edge)
		}
	}
	return list
}

// readable reports whether the engine can read a column.
func readable(entities map[string]*entity.Entity, f *entity.Field) bool {
	k, ok := kind.Of(f.Kind)
	if !ok || f.Sensitive {
		return false
	}
	if f.Kind == entity.ID {
		if entities[f.Refers] == nil || entities[f.Refers].Prefix == "" {
			return false
		}
		k = kind.OfKey(entities[f.Refers].Keys)
	}
	for dialect := range f.Stored {
		if !k.Stores(f, dialect) {
			return false
		}
	}
	return true
}

// scalar returns the GraphQL type of a column, without !.
func (g *generator) scalar(e *entity.Entity, f *entity.Field) string {
	k, _ := kind.Of(f.Kind)
	switch f.Kind {
	case entity.ID:
		return "ID"
	case entity.Enum:
		return g.enum(e, f)
	}
	return k.Scalar(f)
}

// enum returns the name of a column's enum: the one that the schema has for it, or a new one.
func (g *generator) enum(e *entity.Entity, f *entity.Field) string {
	if def := g.doc.defined[e.Name]; def != nil && def.Fields.ForName(f.Name) != nil {
		return def.Fields.ForName(f.Name).Type.Name()
	}
	name := e.Name + upper(f.Name)
	for g.doc.defined[name] != nil && !sameValues(g.doc, name, f.ValueNames()) || g.entities[name] != nil {
		name += "Value"
	}
	if g.doc.defined[name] == nil {
		d := &definition{kind: "enum", name: name, description: sentence(cmp.Or(g.Comments[e.Name+"."+f.Name], "What the "+words(f.Name)+" of "+a(g.names[e.Name].one)+" can be"))}
		for _, value := range f.ValueNames() {
			d.add(value, "")
		}
		g.define(d)
	}
	return name
}

func sameValues(d *document, name string, values []string) bool {
	def := d.defined[name]
	if len(def.EnumValues) != len(values) {
		return false
	}
	return !slices.ContainsFunc(values, func(v string) bool { return def.EnumValues.ForName(v) == nil })
}

// indexed reports whether an index serves conditions on columns.
func (g *generator) indexed(e *entity.Entity, columns ...string) bool {
	return g.Unindexed || index.Serves(g.Tables, e, false, columns...)
}

// uniques returns the unique keys of an entity, by the names that upserts have for them.
func (g *generator) uniques(e *entity.Entity) map[string][]string {
	if len(e.Fields) == 0 {
		return nil
	}
	return write.UniqueKeys(g.Tables, e)
}

// isUnique reports whether a column is unique by itself.
func (g *generator) isUnique(e *entity.Entity, f *entity.Field) bool {
	for _, columns := range g.uniques(e) {
		if len(columns) == 1 && (columns[0] == f.Column || f.MatchBy != "" && columns[0] == f.MatchBy) {
			return true
		}
	}
	return false
}

// required reports whether a shown row always has the row that an edge to one leads to.
func (g *generator) required(e *entity.Entity, edge *entity.Edge) bool {
	to := g.entities[edge.To]
	if !edge.Unique || !edge.OwnKey || edge.Nullable || to.Filtered || rule.Visible(e, edge.Name) != entity.ToAll {
		return false
	}
	policies := rule.Of(to)
	return len(policies) > 0 && !slices.ContainsFunc(policies, func(p rule.Policy) bool { return p.Read != rule.Everyone || p.Tenant != "" })
}

// bang returns ! if the condition holds.
func bang(is bool) string {
	if is {
		return "!"
	}
	return ""
}

// common defines the types that all entities share.
func (g *generator) common() {
	node := &definition{kind: "interface", name: "Node", description: "An object with an ID that is unique over all types."}
	node.add("id", ": ID!")
	page := &definition{kind: "type", name: "PageInfo", description: "Where a page stands in its list."}
	page.describe("Whether there is more behind the page.", "hasNextPage", ": Boolean!")
	page.describe("Whether there is more ahead of the page.", "hasPreviousPage", ": Boolean!")
	page.describe("The first edge's cursor; null when the page is empty.", "startCursor", ": Cursor")
	page.describe("The last edge's cursor; null when the page is empty.", "endCursor", ": Cursor")
	direction := &definition{kind: "enum", name: "OrderDirection", description: "The direction of an order. NULLs come last in both."}
	direction.describe("Smallest first.", "ASC", "")
	direction.describe("Largest first.", "DESC", "")
	conflict := &definition{kind: "enum", name: "ConflictAction", description: "What to do about a row that is there already, and has the same values in unique columns."}
	conflict.describe("Change the row as the input says.", "UPDATE", "")
	conflict.describe("Leave the row as it is, and answer with it.", "NOTHING", "")
	onError := &definition{kind: "enum", name: "OnError", description: "What a bulk mutation does about an entry that cannot be stored."}
	onError.describe("Store nothing and answer with the error.", "ABORT", "")
	onError.describe("Leave the entry out, store the others.", "SKIP", "")
	bucket := &definition{kind: "enum", name: "TimeBucket", description: "A unit of time. Weeks begin on Monday."}
	for _, unit := range binding.Buckets {
		bucket.add(unit, "")
	}
	path := &definition{kind: "input", name: kind.PathInput, description: "The value at a path of a document: names of members, and indexes of elements."}
	path.add("path", ": [String!]!")
	path.add("value", ": JSON")
	for _, d := range []*definition{node, page, direction, conflict, onError, bucket, path} {
		g.define(d)
	}
	for _, name := range slices.Sorted(maps.Keys(scalarTexts)) {
		g.define(&definition{kind: "scalar", name: name, description: scalarTexts[name]})
	}
}

// scalarTexts are the descriptions of the scalars.
var scalarTexts = map[string]string{
	"Cursor":    "A point in a list, to page from. Opaque; good for the same list in the same order.",
	"Time":      "A moment in RFC 3339 form, in UTC, to the microsecond: `2026-01-02T15:04:05.000006Z`.",
	"BigInt":    "A whole number of at most 64 bits, as a text.",
	"Decimal":   "A decimal number with all its digits, as a text. Arguments may be numbers as well.",
	"Date":      "A day: `2026-01-02`.",
	"LocalTime": "A time of day: `15:04:05.000006`.",
	"Duration":  "A length of time in the form of ISO 8601: `PT1H30M`.",
	"UUID":      "A UUID, in lower case.",
	"Bytes":     "Bytes in base64, with padding.",
	"JSON":      "A JSON document.",
}

// joinWords joins words to a list: "a, b and c".
func joinWords(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}
