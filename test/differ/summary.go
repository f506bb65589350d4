package differ

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/scalar"
	"forge/internal/viewer"
)

// summary is what an object of gqlgen's that is computed over rows stands for: a connection, an
// aggregate, a group, its key, or the results of a function.
type summary struct {
	name     string // of the entity
	rows     []*row
	by       []groupKey // of a group and of its key
	function string     // of results: sum, avg, min or max
}

// groupKey is what groups are formed by.
type groupKey struct {
	Field, Bucket, TimeZone string

	column *entity.Field
}

// summaries are those of one request, by the pointers to the objects.
type summariesKey struct{}

// withSummaries returns a context that remembers which objects are computed over which rows.
func withSummaries(ctx context.Context) context.Context {
	return context.WithValue(ctx, summariesKey{}, new(sync.Map))
}

// remember notes what an object stands for, and returns the object.
func (q question) remember(object any, s summary) any {
	q.summaries.Store(object, s)
	return object
}

// remembered returns what the object that a field belongs to stands for.
func remembered(ctx context.Context, parent any) (s summary, ok bool) {
	if reflect.ValueOf(parent).Kind() != reflect.Pointer {
		return s, false
	}
	found, ok := ctx.Value(summariesKey{}).(*sync.Map).Load(parent)
	if ok {
		s = found.(summary)
	}
	return s, ok
}

// summarized reports whether a field of a connection is computed from all rows that match.
func summarized(parent *ast.Definition, f *ast.FieldDefinition) bool {
	return strings.HasSuffix(parent.Name, "Connection") && (f.Name == "aggregate" || f.Name == "groups")
}

// object returns a new object of the type of a field.
func (q question) object(s summary) any {
	return q.remember(reflect.New(q.models[folded(q.field.Definition.Type.Name())]).Interface(), s)
}

// computed answers a field of an object that stands for s.
func (q question) computed(s summary) (any, error) {
	e, name := q.entities[s.name], q.field.Name
	switch {
	case s.function != "":
		f := e.Field(name)
		result := compute(s.function, f, s.rows)
		if result == nil {
			return nil, nil
		}
		return q.like(reflect.TypeOf(q.refers), resultOf(s.function, f), result), nil
	case name == "groups":
		return q.groups(s)
	case name == "count":
		return int32(len(s.rows)), nil
	case name == "countDistinct":
		f, fault := q.keyColumn(e, "field", fmt.Sprint(q.field.ArgumentMap(q.vars)["field"]))
		if fault != nil {
			return nil, fault
		}
		return int32(compute("countDistinct", f, s.rows).(int64)), nil
	case s.by != nil && name != "key" && name != "aggregate":
		return q.keyOf(s)
	case slices.Contains(functions, name):
		s.function = name
	}
	if name == "aggregate" && s.by != nil {
		s.by = nil
	}
	return q.object(s), nil
}

// keyOf answers a field of the key of a group.
func (q question) keyOf(s summary) (any, error) {
	e := q.entities[s.name]
	f, edge := columnOfKey(e, q.field.Name)
	i := slices.IndexFunc(s.by, func(k groupKey) bool { return k.column == f })
	if i < 0 {
		return nil, apperr.BadInput("by", "groups have this key only if they are formed by it: add {field: %s} to by", q.valueNamed(s.name, f))
	}
	value := s.by[i].of(s.rows[0])
	switch {
	case value == nil:
		return nil, nil
	case edge != nil:
		return q.node(q.byID[idOf(q.entities[edge.To], value).String()]), nil
	}
	return q.like(reflect.TypeOf(q.refers), f, value), nil
}

// valueNamed returns the first value of the enum of group fields that names a column.
func (q question) valueNamed(name string, f *entity.Field) string {
	var names []string
	for _, v := range q.schema.Types[name+"GroupField"].EnumValues {
		if of, _ := columnOfKey(q.entities[name], v.Name); of == f {
			names = append(names, v.Name)
		}
	}
	return slices.Min(names)
}

// columnOfKey returns the column that a key of groups names, and the edge if it names one.
func columnOfKey(e *entity.Entity, name string) (*entity.Field, *entity.Edge) {
	for i := range e.Fields {
		if folded(e.Fields[i].Name) == folded(name) {
			return &e.Fields[i], nil
		}
	}
	for i := range e.Edges {
		if edge := &e.Edges[i]; folded(edge.Name) == folded(name) {
			return fieldOf(e, edge.Column), edge
		}
	}
	panic(e.Name + " has no groups by " + name)
}

// closedTo reports whether only administrators may compute with a column or edge.
func (c *contents) closedTo(e *entity.Entity, f *entity.Field) bool {
	return c.viewer.Role != viewer.Admin && rule.Visible(e, strings.TrimSuffix(f.Name, "Id")) != entity.ToAll
}

// keyColumn returns the column that a value of the enum of group fields names.
func (c *contents) keyColumn(e *entity.Entity, path, value string) (*entity.Field, error) {
	f, _ := columnOfKey(e, value)
	if c.closedTo(e, f) {
		return nil, apperr.Forbidden(path, "only an administrator may group by this")
	}
	return f, nil
}

// of returns the value of a row that the key groups by.
func (k groupKey) of(r *row) any {
	value := r.values[k.column.Column]
	if at, ok := value.(time.Time); ok && k.Bucket != "" {
		zone := k.TimeZone
		if zone == "" {
			zone = "UTC"
		}
		return must(scalar.Bucket(k.Bucket, at, must(scalar.Zone(zone)))).UTC()
	}
	return value
}

// groups answers the field groups.
func (q question) groups(of summary) (any, error) {
	args := map[string]any{}
	for _, a := range q.field.Definition.Arguments {
		args[a.Name] = q.plainly(a.Type, q.field.ArgumentMap(q.vars)[a.Name])
	}
	first, given := args["first"].(int)
	if given && (first < 0 || first > 1000) {
		return nil, apperr.BadInput("first", "first is %d; from 0 to 1000 is allowed", first)
	} else if !given {
		first = 20
	}
	e := q.entities[of.name]
	keys, err := q.groupKeys(e, args["by"])
	if err != nil {
		return nil, err
	}
	conditions, err := q.groupConditions(e, args["having"])
	if err != nil {
		return nil, err
	}
	order, err := q.groupOrder(e, keys, args["orderBy"])
	if err != nil {
		return nil, err
	}
	list := grouped(of.rows, keys)
	list = slices.DeleteFunc(list, func(rows []*row) bool {
		return slices.ContainsFunc(conditions, func(holds condition) bool { return !holds(rows) })
	})
	slices.SortFunc(list, func(a, b []*row) int {
		for _, compare := range order {
			if n := compare(a, b); n != 0 {
				return n
			}
		}
		return 0
	})
	var found []any
	for _, rows := range list[:min(first, len(list))] {
		found = append(found, q.object(summary{name: of.name, rows: rows, by: keys}))
	}
	return listLike(q.refers, found), nil
}

// groupKeys reads the argument by.
func (q question) groupKeys(e *entity.Entity, by any) (keys []groupKey, err error) {
	entries, _ := by.([]any)
	if len(entries) == 0 || len(entries) > 8 {
		return nil, apperr.BadInput("by", "by has %d entries; from 1 to 8 are allowed", len(entries))
	}
	for i, entry := range entries {
		path := fmt.Sprintf("by.%d.", i)
		var k groupKey
		if err := json.Unmarshal([]byte(jsonOf(entry)), &k); err != nil {
			panic(err)
		}
		if k.column, err = q.keyColumn(e, path+"field", k.Field); err != nil {
			return nil, err
		}
		switch {
		case slices.ContainsFunc(keys, func(known groupKey) bool { return known.column == k.column }):
			return nil, apperr.BadInput(path+"field", "%s stands in by already, as what it names is the same column", k.Field)
		case k.Bucket == "" && k.TimeZone != "":
			return nil, apperr.BadInput(path+"timeZone", "a time zone is for a bucket, and there is none; name one, or leave the time zone out")
		case k.Bucket != "" && k.column.Kind != entity.Time:
			return nil, apperr.BadInput(path+"bucket", "a bucket is for a Time or a Date, and this is neither; leave it out")
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// grouped returns the rows in groups that have the same keys.
func grouped(rows []*row, keys []groupKey) (list [][]*row) {
	places := map[string]int{}
	for _, r := range rows {
		var values []any
		for _, k := range keys {
			values = append(values, k.of(r))
		}
		name := fmt.Sprintf("%#v", values)
		place, known := places[name]
		if !known {
			place, list = len(list), append(list, nil)
			places[name] = place
		}
		list[place] = append(list[place], r)
	}
	return list
}

// condition is one of the argument having.
type condition func(rows []*row) bool

// groupConditions reads the argument having.
func (q question) groupConditions(e *entity.Entity, having any) (all []condition, err error) {
	input, _ := having.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(input)) {
		if input[name] == nil {
			continue
		}
		measured, op := name, ""
		for _, of := range []string{"NEQ", "GTE", "LTE", "GT", "LT"} {
			if rest, ok := strings.CutSuffix(name, of); ok {
				measured, op = rest, of
				break
			}
		}
		function, f := measureOf(e, measured)
		if f != nil && q.closedTo(e, f) {
			return nil, apperr.Forbidden("having."+name, "only an administrator may compare this")
		}
		wanted := q.received(resultOf(function, f), input[name])
		all = append(all, func(rows []*row) bool {
			has := compute(function, f, rows)
			return has != nil && compares(op, compareValues(has, wanted))
		})
	}
	return all, nil
}

// groupOrder reads the argument orderBy. The keys break ties.
func (q question) groupOrder(e *entity.Entity, keys []groupKey, by any) (order []func(a, b []*row) int, err error) {
	entries, _ := by.([]any)
	var known []string
	add := func(name string, value func([]*row) any, desc bool, language *string) {
		if slices.Contains(known, name) {
			return
		}
		known = append(known, name)
		order = append(order, func(a, b []*row) int { return compareNullable(value(a), value(b), desc, language) })
	}
	for i, entry := range entries {
		path := fmt.Sprintf("orderBy.%d.", i)
		var term orderTerm
		if err := json.Unmarshal([]byte(jsonOf(entry)), &term); err != nil {
			panic(err)
		}
		function, f := measureOf(e, term.Field)
		if f != nil && q.closedTo(e, f) {
			return nil, apperr.Forbidden(path+"field", "only an administrator may order by this")
		}
		place := slices.IndexFunc(keys, func(k groupKey) bool { return k.column == f })
		if function == "" && place < 0 {
			return nil, apperr.BadInput(path+"field", "groups are ordered by %s only if they are formed by it: add {field: %[1]s} to by", term.Field)
		}
		if err := checkLanguage(term.Collation, resultOf(function, f).Kind, path); err != nil {
			return nil, err
		}
		if function == "" {
			add(keys[place].column.Name, keys[place].ofGroup, term.Direction == "DESC", term.Collation)
			continue
		}
		column := ""
		if f != nil {
			column = f.Name
		}
		add(function+" "+column, func(rows []*row) any { return compute(function, f, rows) }, term.Direction == "DESC", term.Collation)
	}
	for _, k := range keys {
		add(k.column.Name, k.ofGroup, false, nil)
	}
	return order, nil
}

func (k groupKey) ofGroup(rows []*row) any { return k.of(rows[0]) }

// compareNullable compares two values, of which nil comes last in both directions.
func compareNullable(x, y any, desc bool, language *string) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	case language != nil:
		return directed(collation.Comparer(*language)(x.(string), y.(string)), desc)
	}
	return directed(compareValues(x, y), desc)
}

// checkLanguage returns an error if values of a kind cannot be ordered by a language.
func checkLanguage(language *string, of entity.Kind, path string) error {
	switch {
	case language == nil:
		return nil
	case of != entity.String:
		return apperr.BadInput(path+"collation", "only texts can be ordered by a language; leave collation out here")
	case !collation.Known(*language):
		return apperr.BadInput(path+"collation", "%.20q is no language that texts can be ordered by; allowed: %s", *language, strings.Join(collation.Languages(), ", "))
	}
	return nil
}

// functions are those of columns, but for countDistinct.
var functions = []string{"sum", "avg", "min", "max"}

// measureOf returns the function and the column that a name such as sumPriceCents or
// SUM_PRICE_CENTS stands for. The function is "" for a key, and the column nil for the count.
func measureOf(e *entity.Entity, name string) (function string, f *entity.Field) {
	whole := folded(name)
	if whole == "count" {
		return "count", nil
	}
	for _, function := range append([]string{"countDistinct"}, functions...) {
		rest, ok := strings.CutPrefix(whole, folded(function))
		if !ok {
			continue
		}
		for i := range e.Fields {
			if folded(e.Fields[i].Name) == rest {
				return function, &e.Fields[i]
			}
		}
	}
	f, _ = columnOfKey(e, name)
	return "", f
}

// resultOf returns a column with the kind of a function's result.
func resultOf(function string, f *entity.Field) *entity.Field {
	switch function {
	case "count", "countDistinct":
		return &entity.Field{Kind: entity.Int}
	case "avg":
		if f.Kind == entity.Decimal {
			return &entity.Field{Kind: entity.Decimal} // with as many digits as it has
		}
		return &entity.Field{Kind: entity.Float}
	case "sum":
		switch f.Kind {
		case entity.Int:
			return &entity.Field{Kind: entity.BigInt}
		case entity.Float32:
			return &entity.Field{Kind: entity.Float}
		}
	}
	return f
}

// compute returns the result of a function over rows, or nil if there is none.
func compute(function string, f *entity.Field, rows []*row) any {
	if function == "count" {
		return int64(len(rows))
	}
	var values []any
	distinct := map[string]bool{}
	for _, r := range rows {
		if value := r.values[f.Column]; value != nil {
			values = append(values, value)
			distinct[fmt.Sprint(value)] = true
		}
	}
	switch {
	case function == "countDistinct":
		return int64(len(distinct))
	case len(values) == 0:
		return nil
	case function == "min":
		return slices.MinFunc(values, compareValues)
	case function == "max":
		return slices.MaxFunc(values, compareValues)
	case function == "avg" && f.Kind == entity.Decimal:
		return total(values).DivRound(decimal.NewFromInt(int64(len(values))), scalar.AverageDigits)
	case function == "avg":
		mean, _ := new(big.Rat).Quo(total(values).Rat(), big.NewRat(int64(len(values)), 1)).Float64()
		return mean
	}
	switch values[0].(type) {
	case int64:
		return total(values).IntPart()
	case float32, float64:
		return total(values).InexactFloat64()
	}
	return total(values)
}

// total returns the exact sum of numbers.
func total(values []any) (sum decimal.Decimal) {
	for _, value := range values {
		switch n := value.(type) {
		case int64:
			sum = sum.Add(decimal.NewFromInt(n))
		case float32:
			sum = sum.Add(decimal.NewFromFloat32(n))
		case float64:
			sum = sum.Add(decimal.NewFromFloat(n))
		case decimal.Decimal:
			sum = sum.Add(n)
		default:
			panic(fmt.Sprintf("no sum of values such as %T", value))
		}
	}
	return sum
}
