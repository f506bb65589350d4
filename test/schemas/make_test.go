package schemas_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// kind is a kind of column that random entities have.
type kind struct {
	name      string   // also the first part of the names of such columns
	ent       string   // the builder of the field in ent/schema, with %q for the name
	scalar    string   // the type in the SDL; "" for an enum of its own
	operators []string // of conditions
	orders    bool
}

// lists are the operators that lists are compared by.
var lists = []string{"IsNil", "NotNil", "Has", "HasEvery", "HasSome", "IsEmpty"}

// ranges are the operators that ordered values are compared by.
var ranges = []string{"", "NEQ", "IsNil", "NotNil", "In", "NotIn", "GT", "GTE", "LT", "LTE"}

// texts are the operators that texts are compared by.
var texts = append([]string{"HasPrefix", "HasSuffix", "Contains", "EqualFold", "ContainsFold"}, ranges...)

// among are the operators that values without an order are compared by.
var among = []string{"", "NEQ", "IsNil", "NotNil", "In", "NotIn"}

// kinds are the kinds of columns.
var kinds = []kind{
	{"text", "field.String(%q)", "String", texts, true},
	{"title", "field.String(%q).MaxLen(500)", "String", texts, true},
	{"essay", "field.Text(%q)", "String", texts, true},
	{"amount", "field.Int32(%q)", "Int", ranges, true},
	{"grade", "field.Int8(%q)", "Int", ranges, true},
	{"level", "field.Int16(%q)", "Int", ranges, true},
	{"count", "field.Uint16(%q)", "Int", ranges, true},
	{"step", "field.Int(%q)", "Int", ranges, true},
	{"part", "field.Uint8(%q)", "Int", ranges, true},
	{"open", "field.Bool(%q)", "Boolean", among[:4], false},
	{"moment", "field.Time(%q)", "Time", ranges, true},
	{"total", "field.Int64(%q)", "BigInt", ranges, true},
	{"size", "field.Uint32(%q)", "BigInt", ranges, true},
	{"huge", "field.Uint64(%q)", "BigInt", ranges, true},
	{"wide", "field.Uint(%q)", "BigInt", ranges, true},
	{"ratio", "field.Float(%q)", "Float", ranges, true},
	{"share", "field.Float32(%q)", "Float", ranges, true},
	{"price", "field.Other(%q, decimal.Decimal{}).SchemaType(price)", "Decimal", ranges, true},
	{"day", "field.Time(%q).SchemaType(day)", "Date", ranges, true},
	{"clock", "field.Time(%q).SchemaType(clock)", "LocalTime", ranges, true},
	{"span", "field.Int64(%q).GoType(time.Duration(0))", "Duration", ranges, true},
	{"token", "field.UUID(%q, uuid.UUID{}).SchemaType(blob)", "UUID", among, false},
	{"data", "field.Bytes(%q)", "Bytes", among, false},
	{"document", "field.JSON(%q, json.RawMessage{})", "JSON", []string{"", "IsNil", "HasKey", "Contains", "PathEquals"}, false},
	{"tags", "field.Strings(%q)", "[String!]", lists, false},
	{"scores", "field.Ints(%q)", "[Int!]", lists, false},
	{"totals", "field.JSON(%q, []int64{})", "[BigInt!]", lists, false},
	{"ratios", "field.Floats(%q)", "[Float!]", lists, false},
	{"flags", "field.JSON(%q, []bool{})", "[Boolean!]", lists, false},
	{"tokens", "field.JSON(%q, []uuid.UUID{})", "[UUID!]", lists, false},
	{"state", "field.Enum(%q).Values(\"NEW\", \"old\", \"Gone\")", "", among, true},
}

// key is a type of keys.
type key struct {
	ent, reference string // the builders of the key, and of a column that refers to it
}

// keys are the types of keys. The first is the most frequent.
var keys = []key{
	{`field.UUID("id", uuid.UUID{}).Default(entity.NewID).SchemaType(blob)`, `field.UUID(%q, uuid.UUID{}).SchemaType(blob)`},
	{`field.Int("id")`, `field.Int(%q)`},
	{`field.Int32("id")`, `field.Int32(%q)`},
	{`field.Int64("id")`, `field.Int64(%q)`},
	{`field.String("id")`, `field.String(%q)`},
}

// thing is a random entity.
type thing struct {
	name    string
	prefix  string
	key     key
	columns []column
	edges   []edge
	mixins  []string
	hides   bool   // an interceptor hides some rows
	exposed bool   // the SDL has a type for it; if not, it is reached by filters alone
	read    string // who may read its rows
	owner   string // the column with the owner, or ""
	owners  []string
}

type column struct {
	kind
	column   string
	nullable bool
	shown    bool // the SDL's type has it
}

func (c column) api() string { return camel(c.column) }

// sdl returns the type in the SDL.
func (c column) sdl(t *thing) string {
	if c.scalar == "" {
		return t.name + "State"
	}
	return c.scalar
}

// edge is a relation from a thing to another one, or to itself.
type edge struct {
	name, back string // back is the name of the edge in the other direction; "" without one
	to         *thing
	of         string // one: many-to-one; only: one-to-one; many: many-to-many; see owned
	nullable   bool
	pages      bool // the edges to many are connections, not lists
	owned      bool // it is the other end of another thing's edge
	// through is the entity of a many-to-many edge's join table, or nil, and via the edge to it.
	// The edges of a connection show the columns of it if linked.
	through *thing
	via     string
	linked  bool
	implied bool // ent adds the edge for another one with through
}

// words are the first parts of the names of things.
var words = []string{"Apple", "Brick", "Cloud", "Drum", "Engine", "Forest", "Garden", "Harbor", "Island", "Jacket", "Kettle", "Lantern", "Mirror", "Needle"}

// makeSchema returns the random schema of a seed. No name is in another schema of the same run.
func makeSchema(seed uint64, suffix string) []*thing {
	r := rand.New(rand.NewPCG(seed, 11))
	often := func(percent int) bool { return r.IntN(100) < percent }
	names := slices.Clone(words)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var all []*thing
	for i := range 1 + r.IntN(6) {
		t := &thing{name: names[i] + suffix, prefix: strings.ToLower(names[i] + suffix), key: keys[max(0, r.IntN(len(keys)+2)-2)], read: "Everyone"}
		all = append(all, t)
		for _, mixin := range []string{"Timed", "Versioned"} {
			if often(40) {
				t.mixins = append(t.mixins, mixin)
			}
		}
		if t.hides = often(25); t.hides {
			t.mixins = append(t.mixins, "Hiding")
		}
		for range 1 + r.IntN(5) {
			k := kinds[r.IntN(len(kinds))]
			c := column{kind: k, column: k.name, nullable: often(50), shown: often(90)}
			for n := 2; slices.ContainsFunc(t.columns, func(other column) bool { return other.column == c.column }); n++ {
				c.column = fmt.Sprintf("%s_%s", k.name, []string{"", "", "b", "c", "d", "e"}[n])
			}
			t.columns = append(t.columns, c)
		}
		if often(15) {
			t.read = "Admins"
		}
		t.exposed = i == 0 || often(85)
		for n := range r.IntN(4) {
			to := all[r.IntN(len(all))]
			e := edge{name: fmt.Sprintf("%s_%c", []string{"link", "item", "part"}[r.IntN(3)], 'p'+n), to: to, of: []string{"one", "one", "only", "many"}[r.IntN(4)],
				nullable: to == t || often(50), pages: often(70)}
			if often(80) {
				e.back = fmt.Sprintf("back_%s_%s", strings.ToLower(names[i]), e.name)
			}
			if e.of == "many" && e.back == "" && to != t {
				e.back = "back_" + strings.ToLower(names[i]) + "_" + e.name
			}
			t.edges = append(t.edges, e)
			if e.of == "one" && t.owner == "" && strings.HasPrefix(to.key.ent, "field.UUID") && often(40) {
				t.owner = e.name + "_id"
				if often(60) {
					t.read = "Owners"
				}
				for _, c := range t.columns {
					if c.nullable && often(50) {
						t.owners = append(t.owners, c.api())
					}
				}
			}
			if e.back != "" {
				to.edges = append(to.edges, edge{name: e.back, back: e.name, to: t, of: e.of, nullable: true, pages: often(70), owned: true})
			}
		}
	}
	for _, t := range slices.Clone(all) {
		for i := range t.edges {
			if e := &t.edges[i]; e.of == "many" && !e.owned && e.to != t && often(50) {
				all = append(all, t.joined(e, suffix, r))
			}
		}
	}
	return all
}

// joined makes an entity of the join table of a many-to-many edge.
func (t *thing) joined(e *edge, suffix string, r *rand.Rand) *thing {
	often := func(percent int) bool { return r.IntN(100) < percent }
	name := strings.TrimSuffix(t.name, suffix) + title(strings.ReplaceAll(e.name, "_", "")) + "Pair" + suffix
	join := &thing{name: name, prefix: strings.ToLower(name), key: keys[r.IntN(len(keys))], read: "Everyone", exposed: often(60), hides: often(40)}
	if join.hides {
		join.mixins = append(join.mixins, "Hiding")
	}
	if often(25) {
		join.read = "Admins"
	}
	for _, k := range []kind{kinds[r.IntN(8)], kinds[8+r.IntN(len(kinds)-8)]} {
		join.columns = append(join.columns, column{kind: k, column: k.name, nullable: often(50), shown: true})
	}
	join.edges = []edge{{name: "near", to: t, of: "one"}, {name: "far", to: e.to, of: "one"}}
	other := &e.to.edges[slices.IndexFunc(e.to.edges, func(o edge) bool { return o.name == e.back && o.to == t })]
	via := "pairs_" + strings.ToLower(t.name) + "_" + e.name
	for _, end := range []*edge{e, other} {
		end.through, end.via, end.linked = join, via, end.pages && often(60)
	}
	for _, of := range []*thing{e.to, t} { // last, as e may be one of what append copies
		of.edges = append(of.edges, edge{name: via, to: join, of: "one", nullable: true, pages: often(70), owned: true, implied: true})
	}
	return join
}

// camel returns the name of a column in the API.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts[1:] {
		parts[i+1] = title(p)
	}
	return strings.Join(parts, "")
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
