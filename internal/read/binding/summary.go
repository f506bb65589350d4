package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/kind"
	"forge/internal/rule"
)

// Measure is what a column of a query holds that computes something over groups of rows: the result
// of a function, or what the rows of a group have in common.
type Measure struct {
	Function kind.Function // "" for what the rows of a group have in common
	Of       entity.Kind   // the kind of the column that the function computes with
	Bucket   string        // the unit of time to which the values are cut, or ""
	Zone     string        // the time zone of the bucket
	Local    bool          // PostgreSQL stores the times without a zone; see kind.IsLocal
	Null     bool          // the rows are not grouped by the column, so there is no value
}

// TotalCount is the field totalCount of a connection, and the number of rows in any aggregate.
var TotalCount = &Field{Visible: entity.ToAll, Shows: &entity.Field{Kind: entity.Int},
	Column: &Column{Kind: entity.Int, Measure: &Measure{Function: kind.Count}}}

// Summary says what the aggregates and groups of a connection may compute.
type Summary struct {
	// Measures holds the results of functions by the names that they have in conditions, such as
	// sumPriceCents.
	Measures map[string]*Field
	// Keys holds what rows can be grouped by: columns, and edges to one row. The names are those of
	// columns and edges in the API.
	Keys map[string]*Field
	By   map[string]*Field  // the same, by the values of the enum of the argument by
	Rank map[string]*Field  // what groups can be ordered by: members of Measures and Keys, by the values of the enum
	Have map[string]*Having // by the fields of the argument having
}

// Having is a condition on groups.
type Having struct {
	Op    string // as of Filter
	Field *Field // a member of Measures
}

// MeasureName returns the name in Summary.Measures of a function of a column or edge.
func MeasureName(f kind.Function, name string) string { return string(f) + title(name) }

func title(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// summaryOf returns all that can be computed over an object's rows, whatever the schema offers.
func (b *binder) summaryOf(o *Object) *Summary {
	s := &Summary{Measures: map[string]*Field{string(kind.Count): TotalCount}, Keys: map[string]*Field{},
		By: map[string]*Field{}, Rank: map[string]*Field{}, Have: map[string]*Having{}}
	add := func(name string, shown *entity.Field, column Column) {
		visible := entity.ToAll
		if o.hides(name) {
			visible = entity.ToOwners
		}
		for _, function := range kind.OfColumns {
			result, ok := function.Result(column.Kind)
			if !ok {
				continue
			}
			of := &Field{Visible: visible, Shows: &entity.Field{Name: shown.Name, Kind: result},
				Column: &Column{Name: column.Name, Kind: result, Measure: &Measure{Function: function, Of: column.Kind}}}
			if result == column.Kind && function != kind.Avg { // an average may have more digits than the column
				of.Shows, of.Column.Postgres, of.Column.SQLite = shown, column.Postgres, column.SQLite
			}
			s.Measures[MeasureName(function, name)] = of
		}
	}
	for i := range o.Entity.Fields {
		f := &o.Entity.Fields[i]
		add(f.Name, f, *b.columnOf(f))
		if kind.Groups(f.Kind) {
			s.Keys[f.Name] = &Field{Column: b.columnOf(f), Shows: f, Visible: s.Measures[MeasureName(kind.CountDistinct, f.Name)].Visible}
		}
	}
	for i := range o.Entity.Edges {
		edge := &o.Entity.Edges[i]
		key := o.columnNamed(edge.Column)
		if !edge.Unique || !edge.OwnKey || key == nil {
			continue
		}
		add(edge.Name, key, *b.columnOf(key))
		s.Keys[edge.Name] = &Field{Edge: edge, To: b.Objects[edge.To], Shows: key, Column: b.columnOf(key), Visible: s.Measures[MeasureName(kind.CountDistinct, edge.Name)].Visible}
	}
	return s
}

// hides reports whether not everybody may see a column or edge. The column of a foreign key is as
// visible as its edge.
func (o *Object) hides(name string) bool {
	if edge, ok := strings.CutSuffix(name, "Id"); ok {
		name = edge
	}
	return rule.Visible(o.Entity, name) != entity.ToAll
}

// bindQuestions binds the fields aggregate and groups of a connection type. It returns those that
// the type has.
func (b *binder) bindQuestions(connection string, o *Object) map[string]*Field {
	def, found := b.Schema.Types[connection], map[string]*Field{}
	if def == nil {
		return nil
	}
	for _, d := range def.Fields {
		at, wanted := connection+"."+d.Name, o.ListName()+"Aggregate!"
		switch d.Name {
		case "groups":
			wanted = "[" + o.ListName() + "Group!]!"
		case "aggregate":
		default:
			continue
		}
		found[d.Name] = new(Field)
		switch {
		case o.Of != "":
			b.refuse(at, "the rows of a connection of %s come from several tables, over which nothing is computed; take it out", o.Of)
		case d.Type.String() != wanted:
			b.refuse(at, "its type is %s; allowed: %s", d.Type, wanted)
		default:
			b.bindSummary(o)
			if d.Name == "groups" {
				b.checkGroupArguments(at, d.Arguments, o.Entity.Name)
			} else {
				b.noArguments(at, d.Arguments)
			}
		}
	}
	return found
}

// bindSummary binds the types that aggregates and groups of an object consist of.
func (b *binder) bindSummary(o *Object) {
	if o.Summary != nil {
		return
	}
	o.Summary = b.summaryOf(o)
	name := o.Entity.Name
	b.bindAggregate(o, b.Schema.Types[name+"Aggregate"])
	group := b.Schema.Types[name+"Group"]
	if group == nil {
		return
	}
	b.written[name+"Group"] = true
	b.shape(name+"Group", map[string][]string{"key": {name + "GroupKey!"}, "aggregate": {name + "Aggregate!"}}, nil)
	b.bindAggregate(o, b.Schema.Types[name+"Aggregate"])
	b.bindGroupKey(o, b.Schema.Types[name+"GroupKey"])
	b.bindGroupFields(o, b.Schema.Types[name+"GroupField"])
	b.bindHaving(o, b.Schema.Types[name+"Having"])
	b.bindRank(o, b.Schema.Types[name+"GroupOrderField"])
	for input, fields := range map[string]map[string][]string{
		"GroupBy":    {"field": {name + "GroupField!"}, "bucket": {"TimeBucket"}, "timeZone": {"String"}},
		"GroupOrder": {"field": {name + "GroupOrderField!"}, "direction": {"OrderDirection", "OrderDirection!"}, "collation": {"String"}},
	} {
		b.written[name+input] = true
		b.shape(name+input, fields, nil)
		b.checkDefaults(name + input)
	}
	b.checkBuckets()
}

// checkGroupArguments compares the arguments of groups with those that the engine reads.
func (b *binder) checkGroupArguments(at string, args ast.ArgumentDefinitionList, name string) {
	allowed := map[string][]string{"by": {"[" + name + "GroupBy!]!"}, "having": {name + "Having"}, "orderBy": {"[" + name + "GroupOrder!]"}, "first": {"Int", "Int!"}}
	for _, arg := range args {
		place, types := at+"("+arg.Name+":)", allowed[arg.Name]
		switch {
		case types == nil:
			b.refuse(place, "nothing reads this argument; groups has by, having, orderBy and first")
		case !slices.Contains(types, arg.Type.String()):
			b.refuse(place, "its type is %s; allowed: %s", arg.Type, strings.Join(types, " or "))
		}
		b.checkDirectives(place, arg.Directives)
	}
	if args.ForName("by") == nil {
		b.refuse(at, "it has no argument by, which says what rows are grouped by; write by: [%sGroupBy!]!", name)
	}
}

// Buckets are the units to which times are cut, as PostgreSQL names them in capitals.
var Buckets = []string{"HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}

func (b *binder) checkBuckets() {
	if def := b.Schema.Types["TimeBucket"]; def != nil {
		for _, value := range def.EnumValues {
			if !slices.Contains(Buckets, value.Name) {
				b.refuse("TimeBucket."+value.Name, "times are not cut to it; allowed: %s", strings.Join(Buckets, ", "))
			}
		}
	}
}

// bindAggregate checks the type of an object's aggregates, and the types of its fields sum, avg,
// min and max. These may have any name, and may be shared.
func (b *binder) bindAggregate(o *Object, def *ast.Definition) {
	if def == nil || def.Kind != ast.Object || b.written[def.Name] {
		return
	}
	b.written[def.Name] = true
	b.checkDirectives(def.Name, def.Directives)
	for _, d := range def.Fields {
		at := def.Name + "." + d.Name
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		b.checkDirectives(at, d.Directives)
		switch function := kind.Function(d.Name); function {
		case kind.Count:
			b.wantType(at, d.Type, "Int!", "Int")
			b.noArguments(at, d.Arguments)
		case kind.CountDistinct:
			b.wantType(at, d.Type, "Int!", "Int")
			if len(d.Arguments) != 1 || d.Arguments[0].Name != "field" || d.Arguments[0].Type.String() != o.Entity.Name+"GroupField!" {
				b.refuse(at, "it has to have the one argument field: %sGroupField!", o.Entity.Name)
			}
			b.bindGroupFields(o, b.Schema.Types[o.Entity.Name+"GroupField"])
		case kind.Sum, kind.Avg, kind.Min, kind.Max:
			b.noArguments(at, d.Arguments)
			b.bindResults(at, o, function, d.Type)
		default:
			b.refuse(at, "nothing answers this field; %s has count, countDistinct, sum, avg, min and max", def.Name)
		}
	}
}

// wantType adds a finding if a type is none of those that are allowed.
func (b *binder) wantType(at string, t *ast.Type, allowed ...string) {
	if !slices.Contains(allowed, t.String()) {
		b.refuse(at, "its type is %s; allowed: %s", t, strings.Join(allowed, " or "))
	}
}

// bindResults checks the type of a field such as sum: its fields are columns of which the function
// has a result.
func (b *binder) bindResults(at string, o *Object, function kind.Function, t *ast.Type) {
	def := b.Schema.Types[t.Name()]
	if t.Elem != nil || !t.NonNull || def.Kind != ast.Object || b.Objects[def.Name] != nil {
		b.refuse(at, "its type is %s; allowed is a type whose fields are columns of %s, with a ! behind it", t, o.Entity.Name)
		return
	}
	b.written[def.Name] = true
	b.checkDirectives(def.Name, def.Directives)
	for _, d := range def.Fields {
		at := at + "." + d.Name
		own, result := o.Entity.Field(d.Name), o.Summary.Measures[MeasureName(function, d.Name)]
		switch {
		case strings.HasPrefix(d.Name, "__"):
		case own == nil:
			b.refuse(at, "%s has no column of this name in ent/schema", o.Entity.Name)
		case result == nil:
			b.refuse(at, "the column %s of %s is of type %s in ent/schema, which has no %s", own.Column, o.Entity.Name, own.Type, function)
		case b.readable(at, o.Entity, own):
			b.checkResult(at, o, d.Type, result.Shows)
			b.noArguments(at, d.Arguments)
			b.checkDirectives(at, d.Directives)
		}
	}
}

// checkResult checks the type of a field that is null if there are no rows to compute it of.
func (b *binder) checkResult(at string, o *Object, t *ast.Type, shown *entity.Field) {
	wanted := b.scalarOf(t.Name(), shown)
	b.wantType(at, t, wanted)
	if t.Name() == wanted && shown.Kind == entity.Enum {
		b.checkEnum(at, o.Entity, shown, wanted)
	}
}

// bindGroupKey checks the type that shows what the rows of a group have in common.
func (b *binder) bindGroupKey(o *Object, def *ast.Definition) {
	if def == nil || def.Kind != ast.Object {
		return
	}
	b.written[def.Name] = true
	b.checkDirectives(def.Name, def.Directives)
	for _, d := range def.Fields {
		at := def.Name + "." + d.Name
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		b.checkDirectives(at, d.Directives)
		b.noArguments(at, d.Arguments)
		switch key := o.Summary.Keys[d.Name]; {
		case key == nil:
			b.refuse(at, ungrouped, o.Entity.Name)
		case key.Edge != nil && key.To == nil:
			b.refuse(at, "the edge %s of %s leads to %s, which the schema has no type for", d.Name, o.Entity.Name, key.Edge.To)
		case key.Edge != nil:
			b.wantType(at, d.Type, key.Edge.To)
		case b.readable(at, o.Entity, key.Shows):
			b.checkResult(at, o, d.Type, key.Shows)
		}
	}
}

// ungrouped is the finding about a name that rows cannot be grouped by.
const ungrouped = "%[1]s has neither a column of this name in ent/schema that rows can be grouped by, nor an edge to one row whose key is a column of %[1]s"

// bindGroupFields binds the values of the enum that says what rows are grouped by.
func (b *binder) bindGroupFields(o *Object, def *ast.Definition) {
	if def == nil || def.Kind != ast.Enum || len(o.Summary.By) > 0 {
		return
	}
	b.checkDirectives(def.Name, def.Directives)
	for _, value := range def.EnumValues {
		at := def.Name + "." + value.Name
		b.checkDirectives(at, value.Directives)
		if key := b.only(at, value.Name, o, o.Summary.Keys); key != nil {
			o.Summary.By[value.Name] = key
		}
	}
}

// only returns the one field that an enum value names. It adds a finding and returns nil if there
// is none, or if there are several.
func (b *binder) only(at, value string, o *Object, among ...map[string]*Field) *Field {
	var found []*Field
	for _, fields := range among {
		for name, f := range fields {
			if GoName(name) == GoName(value) {
				found = append(found, f)
			}
		}
	}
	switch {
	case len(found) > 1:
		b.refuse(at, "it can be read in two ways, as %s has several columns that it may be about; rename one of them", o.Entity.Name)
	case len(found) == 0 && len(among) > 1:
		b.refuse(at, "groups of %s cannot be ordered by it: it is neither one of the group fields, nor COUNT, nor COUNT_DISTINCT_, SUM_, AVG_, MIN_ or MAX_ with a column that has such a result", o.Entity.Name)
	case len(found) == 0:
		b.refuse(at, ungrouped, o.Entity.Name)
	case found[0] == TotalCount || b.readable(at, o.Entity, o.columnNamed(found[0].Column.Name)):
		return found[0]
	}
	return nil
}

// bindRank binds the values of the enum that says what groups are ordered by.
func (b *binder) bindRank(o *Object, def *ast.Definition) {
	if def == nil || def.Kind != ast.Enum {
		return
	}
	b.checkDirectives(def.Name, def.Directives)
	for _, value := range def.EnumValues {
		at := def.Name + "." + value.Name
		b.checkDirectives(at, value.Directives)
		if f := b.only(at, value.Name, o, o.Summary.Keys, o.Summary.Measures); f != nil {
			o.Summary.Rank[value.Name] = f
		}
	}
}

// comparisons are the operators of conditions on groups.
var comparisons = []string{"", "NEQ", "GT", "GTE", "LT", "LTE"}

// bindHaving binds the conditions on groups.
func (b *binder) bindHaving(o *Object, def *ast.Definition) {
	if def == nil || def.Kind != ast.InputObject {
		return
	}
	b.written[def.Name] = true
	b.checkDirectives(def.Name, def.Directives)
	for _, d := range def.Fields {
		at := def.Name + "." + d.Name
		b.checkDirectives(at, d.Directives)
		var found []*Having
		for _, op := range comparisons {
			if name, ok := strings.CutSuffix(d.Name, op); ok && o.Summary.Measures[name] != nil {
				found = append(found, &Having{op, o.Summary.Measures[name]})
			}
		}
		switch {
		case len(found) == 0:
			b.refuse(at, "it compares nothing that groups of %s have; a condition is named count, or a function and a column, as sumPrice, followed by nothing or one of %s",
				o.Entity.Name, strings.Join(named(comparisons), ", "))
			continue
		case len(found) > 1:
			b.refuse(at, "it can be read in two ways, as %s has several columns that it may be about; rename one of them", o.Entity.Name)
			continue
		case d.DefaultValue != nil:
			b.refuse(at, "a condition cannot have a default; take it out")
		}
		if of := found[0].Field; of == TotalCount || b.readable(at, o.Entity, o.columnNamed(of.Column.Name)) {
			b.checkResult(at, o, d.Type, of.Shows)
			o.Summary.Have[d.Name] = found[0]
		}
	}
}
