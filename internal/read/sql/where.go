package sql

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/lib/pq"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/plan"
	"forge/internal/viewer"
)

// maxNesting is how deep conditions may stand inside each other. Each hasEdgeWith is a query inside
// a query.
const maxNesting = 10

// Condition returns a predicate on the rows of a selector.
type Condition func(*sql.Selector) *sql.Predicate

// maxRelations is how many conditions over related rows one where argument may hold. Each is a
// query inside the statement, and PostgreSQL takes longer to plan with every one.
const maxRelations = 20

// Conditions reads the argument where of one connection.
type Conditions struct {
	Dialect string
	Viewer  viewer.Viewer
	Writer  Writer
	// Noted collects the dependencies of the queries for related rows. It may be nil.
	Noted *Dependencies
	// Once says that the condition is for one statement of this viewer, and has no Parameter.
	Once bool

	conditions, relations int     // how many were read so far
	outermost             []entry // the entries of the where argument that Read has read
}

// Read returns the condition of a where argument, or nil if every row fulfils it. If the input is
// not valid, or the viewer may not use one of its conditions, it returns an error that names the
// path of that condition.
func (f *Conditions) Read(ctx context.Context, o *binding.Object, input map[string]any) (Condition, error) {
	entries, err := f.entries(ctx, o, input, "where", 0)
	f.outermost = entries
	return allOf(entries), err
}

// all returns the condition that every entry of a where input holds.
func (f *Conditions) all(ctx context.Context, o *binding.Object, input map[string]any, path string, depth int) (Condition, error) {
	entries, err := f.entries(ctx, o, input, path, depth)
	return allOf(entries), err
}

// entry is an entry of a where input, as the condition that it is.
type entry struct {
	name  string
	holds Condition
}

func allOf(entries []entry) Condition {
	conditions := make([]Condition, len(entries))
	for i, e := range entries {
		conditions[i] = e.holds
	}
	return join(sql.And, conditions)
}

// entries returns the conditions of the entries of a where input. Entries that are null are left
// out.
func (f *Conditions) entries(ctx context.Context, o *binding.Object, input map[string]any, path string, depth int) ([]entry, error) {
	if depth > maxNesting {
		return nil, apperr.BadInput(path, "conditions stand more than %d deep inside each other", maxNesting)
	}
	if f.conditions += max(1, len(input)); f.conditions > plan.MaxConditions {
		return nil, apperr.BadInput(path, "there are more than %d conditions", plan.MaxConditions)
	}
	names := make([]string, 0, len(input))
	for name, value := range input {
		if value != nil && o.Filters[name] != nil { // a variable may also hold __typename
			names = append(names, name)
		}
	}
	sort.Strings(names) // the order of the input's entries does not change the text
	var found []entry
	for _, name := range names {
		holds, err := f.one(ctx, o, o.Filters[name], input[name], path+"."+name, depth)
		if err != nil {
			return nil, err
		}
		if holds != nil {
			found = append(found, entry{name, holds})
		}
	}
	return found, nil
}

func join(with func(...*sql.Predicate) *sql.Predicate, parts []Condition) Condition {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	return func(s *sql.Selector) *sql.Predicate {
		predicates := make([]*sql.Predicate, len(parts))
		for i, part := range parts {
			predicates[i] = part(s)
		}
		return with(predicates...)
	}
}

func (f *Conditions) one(ctx context.Context, o *binding.Object, by *binding.Filter, value any, path string, depth int) (Condition, error) {
	if by.Edge != nil {
		if f.relations++; f.relations > maxRelations {
			return nil, apperr.BadInput(path, "there are more than %d conditions over related rows", maxRelations)
		}
	}
	if by.Closed && f.Viewer.Role != viewer.Admin {
		return nil, apperr.Forbidden(path, "only an administrator may filter by this")
	}
	switch by.Op {
	case "not":
		inner, err := f.all(ctx, o, value.(map[string]any), path, depth+1)
		if inner == nil {
			return nil, err
		}
		return func(s *sql.Selector) *sql.Predicate { return sql.Not(inner(s)) }, nil
	case "and":
		return f.every(ctx, o, value, path, depth)
	case "or":
		return f.any(ctx, o, value, path, depth)
	case "has":
		inner, err := f.related(ctx, o, by, nil, depth)
		if err == nil && value == false {
			return func(s *sql.Selector) *sql.Predicate { return sql.Not(inner(s)) }, nil
		}
		return inner, err
	case "hasWith":
		inner, err := f.every(ctx, by.To, value, path, depth)
		if err != nil {
			return nil, err
		}
		return f.related(ctx, o, by, inner, depth)
	}
	if by.Counts {
		return f.count(ctx, o, by, value, path, depth)
	}
	compared, err := f.compare(by, value, path)
	if err != nil || by.Edge == nil {
		return compared, err
	}
	return f.related(ctx, o, by, compared, depth)
}

// every returns the condition that all where inputs of a list hold.
func (f *Conditions) every(ctx context.Context, o *binding.Object, value any, path string, depth int) (Condition, error) {
	parts, err := f.each(ctx, o, value, path, depth)
	parts = slices.DeleteFunc(parts, func(part Condition) bool { return part == nil })
	return join(sql.And, parts), err
}

// any returns the condition that at least one where input of a list holds. An empty input is true
// for every row, and an empty list for none.
func (f *Conditions) any(ctx context.Context, o *binding.Object, value any, path string, depth int) (Condition, error) {
	parts, err := f.each(ctx, o, value, path, depth)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return literal("FALSE"), nil
	}
	for i := range parts {
		if parts[i] == nil {
			parts[i] = literal("TRUE")
		}
	}
	return join(sql.Or, parts), nil
}

func literal(text string) Condition {
	return func(*sql.Selector) *sql.Predicate { return sql.ExprP(text) }
}

// each returns the conditions of the where inputs of a list.
func (f *Conditions) each(ctx context.Context, o *binding.Object, value any, path string, depth int) ([]Condition, error) {
	inputs := plan.List(value)
	parts := make([]Condition, len(inputs))
	for i, input := range inputs {
		part, err := f.all(ctx, o, input.(map[string]any), fmt.Sprintf("%s.%d", path, i), depth+1)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return parts, nil
}

// related returns the condition that a row has a related row for which inner holds. If inner is
// nil, any related row will do. ent adds the policy's conditions to the query for related rows, so
// rows that the viewer may not see do not count.
//
// The query is correlated: EXISTS (SELECT … WHERE related.key = own.key). On PostgreSQL, IN (SELECT
// …) would be slower below NOT and OR: PostgreSQL hashes the list only if it expects the list to
// fit into work_mem. Otherwise it reads the whole list for each row.
//
// SQLite sorts the list of an IN once, whatever its size. If inner must be evaluated, this is
// faster than a search for each row, and takes linear time even if related rows lead back to many
// others. So on SQLite only a condition without inner is correlated.
func (f *Conditions) related(ctx context.Context, o *binding.Object, by *binding.Filter, inner Condition, depth int) (Condition, error) {
	r := relation{from: o, to: by.To, edge: by.Edge, join: by.Join, listed: inner != nil && f.Dialect == dialect.SQLite}
	err := f.relate(ctx, &r, depth, func(s *sql.Selector) {
		if !r.listed {
			s.SelectExpr(sql.Raw("1"))
		}
		if inner != nil {
			s.Where(inner(s))
		}
	})
	if err != nil {
		return nil, err
	}
	return func(s *sql.Selector) *sql.Predicate {
		query, outer := r.within(s)
		if r.listed {
			// Without NotNull, the comparison is NULL for a row without a related one, and NOT
			// would not find it.
			return sql.And(sql.NotNull(outer), sql.In(outer, query))
		}
		return sql.Exists(query)
	}, nil
}

// relate has ent write the query for related rows, with what shape adds.
func (f *Conditions) relate(ctx context.Context, r *relation, depth int, shape func(*sql.Selector)) error {
	as := parameters(itself)
	if f.Once {
		as = (&Query{Dialect: f.Dialect, Viewer: f.Viewer}).Argument
	}
	err := r.write(ctx, f.Writer, f.Dialect, as, "related"+strconv.Itoa(depth), shape)
	if err == nil {
		f.Noted.Add(&Statement{Dependencies: r.dependencies})
	}
	return err
}

// comparisons are the operators of SQL that compare numbers of rows, by the names that they have in
// where inputs.
var comparisons = map[string]string{"": " = ", "NEQ": " <> ", "GT": " > ", "GTE": " >= ", "LT": " < ", "LTE": " <= "}

// count returns the condition that compares the number of a row's related rows.
func (f *Conditions) count(ctx context.Context, o *binding.Object, by *binding.Filter, value any, path string, depth int) (Condition, error) {
	n, err := kindOf(entity.Int).Argument(&entity.Field{}, value)
	if err != nil {
		return nil, apperr.BadInput(path, "%s", err)
	}
	r := relation{from: o, to: by.To, edge: by.Edge, join: by.Join}
	if err := f.relate(ctx, &r, depth, func(s *sql.Selector) { s.SelectExpr(sql.Raw("count(*)")) }); err != nil {
		return nil, err
	}
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			r.value(b, s)
			b.WriteString(comparisons[by.Op]).Arg(n)
		})
	}, nil
}

// compare returns the condition that a column has to the value the relation that the operator
// names.
func (f *Conditions) compare(by *binding.Filter, value any, path string) (Condition, error) {
	column := cmp.Or(by.Field.MatchBy, by.Field.Column)
	switch {
	case by.Op == "IsNil", by.Op == "NotNil":
		return f.null(by, column, value == (by.Op == "IsNil")), nil
	case by.Field.Kind == entity.JSON, by.Field.Kind == entity.List:
		return f.document(by, column, value, path)
	case by.Op == "In", by.Op == "NotIn":
		return f.in(by, column, value, path)
	case by.Op == "HasSuffix", by.Op == "Contains", by.Op == "EqualFold", by.Op == "ContainsFold":
		return f.text(by, column, value, path)
	}
	arg, err := argument(by, value, path)
	if err != nil {
		return nil, err
	}
	switch by.Op {
	case "GT":
		return func(s *sql.Selector) *sql.Predicate { return sql.GT(columnIn(s, column, by.Field.Kind), arg) }, nil
	case "GTE":
		return func(s *sql.Selector) *sql.Predicate { return sql.GTE(columnIn(s, column, by.Field.Kind), arg) }, nil
	case "LT":
		return func(s *sql.Selector) *sql.Predicate { return sql.LT(columnIn(s, column, by.Field.Kind), arg) }, nil
	case "LTE":
		return func(s *sql.Selector) *sql.Predicate { return sql.LTE(columnIn(s, column, by.Field.Kind), arg) }, nil
	case "HasPrefix":
		if f.Dialect == dialect.Postgres && by.Field.Stored[dialect.Postgres] != "" {
			return f.call(plain(column), "%c LIKE $", "", wildcards.Replace(arg.(string))+"%"), nil
		}
		return hasPrefix(column, arg.(string)), nil
	}
	return func(s *sql.Selector) *sql.Predicate {
		p := sql.EQ(columnIn(s, column, by.Field.Kind), arg)
		if by.Field.Kind == entity.ID {
			p = isKey(s, s.C(column), arg, by.Form)
		}
		if by.Op == "NEQ" {
			return sql.Not(p)
		}
		return p
	}, nil
}

// null returns the condition that a column is NULL, or that it is not.
func (f *Conditions) null(by *binding.Filter, column string, is bool) Condition {
	null := func(s *sql.Selector) *sql.Predicate { return sql.IsNull(s.C(column)) }
	if by.Field.Kind == entity.JSON {
		null = f.isNull(by, column)
	}
	if is {
		return null
	}
	return func(s *sql.Selector) *sql.Predicate { return sql.Not(null(s)) }
}

// hasPrefix compares the column with a range of texts. Texts are ordered by code points, unless
// ent/schema names the type of their column: that has the order of the database. An index
// serves a range, but not LIKE with a parameter.
func hasPrefix(column, prefix string) Condition {
	return func(s *sql.Selector) *sql.Predicate {
		from := sql.GTE(s.C(column), prefix)
		if end, ok := after(prefix); ok {
			return sql.And(from, sql.LT(s.C(column), end))
		}
		return from
	}
}

// after returns the first text that sorts after all texts with the prefix. It returns false if
// there is none.
func after(prefix string) (string, bool) {
	runes := []rune(prefix)
	for i := len(runes) - 1; i >= 0; i-- {
		next := runes[i] + 1
		if next == 0xd800 {
			next = 0xe000 // surrogates are not characters
		}
		if next <= utf8.MaxRune {
			return string(runes[:i]) + string(next), true
		}
	}
	return "", false
}

// in compares the column with a list, which is passed as one parameter. So the text of the
// statement is the same for lists of any length.
func (f *Conditions) in(by *binding.Filter, column string, value any, path string) (Condition, error) {
	args := []any{} // a nil slice would be sent as NULL
	for i, entry := range plan.List(value) {
		arg, err := argument(by, entry, fmt.Sprintf("%s.%d", path, i))
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	l := list{of: kindOf(by.Field.Kind).List(), element: "p.value", not: by.Op == "NotIn", cast: kind.Small(by.Field)}
	switch by.Field.Kind {
	case entity.ID, entity.UUID:
		keys := make([]ids.Key, len(args))
		for i := range args {
			keys[i] = keyOf(args[i])
		}
		l.of, l.element, l.cast = keyLists[by.Form], listedKey(by.Form), true
		l.values = keyList(f.Dialect, keys, by.Form)
	case entity.Bytes:
		return func(s *sql.Selector) *sql.Predicate {
			if l.not {
				return sql.Not(inBytes(s, column, args))
			}
			return inBytes(s, column, args)
		}, nil
	default:
		l.values = pq.Array(args)
		if f.Dialect == dialect.SQLite {
			text, _ := json.Marshal(asStored(args))
			l.values = string(text)
		}
	}
	return func(s *sql.Selector) *sql.Predicate {
		of := columnIn(s, column, by.Field.Kind)
		if l.not && by.Field.Kind == entity.Enum && s.Dialect() == dialect.Postgres {
			of += "::text" // the elements of the list are, and the column may be an enum of PostgreSQL
		}
		return l.compare(s, of)
	}, nil
}

// list is a list of values as one parameter: an array on PostgreSQL, and a JSON text on SQLite.
type list struct {
	values  any
	of      string // PostgreSQL's type of the array
	cast    bool   // PostgreSQL is told the type even if the column would tell it
	element string // the value in a row p of SQLite's json_each
	not     bool   // the column is to hold none of the values
}

// compare returns the condition that a column holds one of the values, or none of them. On
// PostgreSQL, an index serves = ANY, but without one each row is compared with the whole array. No
// index serves the opposite, so there the array is read as a subquery, which PostgreSQL hashes.
func (l list) compare(s *sql.Selector, column string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Ident(column)
		if l.not {
			b.WriteString(" NOT")
		}
		switch {
		case s.Dialect() == dialect.SQLite:
			b.WriteString(" IN (SELECT " + l.element + " FROM json_each(").Arg(l.values).WriteString(") AS p)")
		case l.not:
			b.WriteString(" IN (SELECT unnest(").Arg(l.values).WriteString("::" + l.of + "))")
		default:
			b.WriteString(" = ANY(").Arg(l.values)
			if l.cast {
				b.WriteString("::" + l.of)
			}
			b.WriteString(")")
		}
	})
}

// asStored returns the values as SQLite stores them. A time is stored as whole microseconds.
func asStored(values []any) []any {
	stored := make([]any, len(values))
	for i, value := range values {
		stored[i] = value
		if t, ok := value.(time.Time); ok {
			stored[i] = t.UnixMicro()
		}
	}
	return stored
}

// inBytes compares a column with a list of bytes, which is passed as one parameter: their
// hexadecimal forms.
func inBytes(s *sql.Selector, column string, list []any) *sql.Predicate {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = hex.EncodeToString(list[i].([]byte))
	}
	return sql.P(func(b *sql.Builder) {
		b.Ident(s.C(column)).WriteString(" IN (SELECT ")
		if s.Dialect() == dialect.SQLite {
			text, _ := json.Marshal(texts)
			b.WriteString("unhex(value) FROM json_each(").Arg(string(text)).WriteString("))")
			return
		}
		b.WriteString("decode(value, 'hex') FROM unnest(").Arg(pq.Array(texts)).WriteString("::text[]) AS value)")
	})
}

// longestFolded is how many bytes a text may have to be normalized before it is compared.
// Normalizing a megabyte takes a second.
const longestFolded = 16 << 10

// argument returns a value of a where input in the form that the database compares. It returns an
// error, with the path, if the column cannot have such a value.
func argument(by *binding.Filter, value any, path string) (any, error) {
	if by.Field.Kind == entity.ID {
		key, err := parseID(value, by, path)
		if err != nil {
			return nil, err
		}
		return keyValue(key, by.Form), nil
	}
	arg, err := kindOf(by.Field.Kind).Argument(by.Field, value)
	if err != nil {
		return nil, apperr.BadInput(path, "%s", err)
	}
	if text, ok := arg.(string); ok && by.Field.MatchBy != "" && len(text) <= longestFolded {
		return entity.Fold(text), nil // no column holds a text as long as one that is not folded
	}
	return arg, nil
}

// parseID returns the key in an ID. It returns an error, with the path, if the ID is malformed or
// belongs to another type than the filter wants.
func parseID(value any, by *binding.Filter, path string) (ids.Key, error) {
	var id ids.ID
	if err := id.UnmarshalGQL(value); err != nil {
		malformed, ok := errors.AsType[*ids.MalformedError](err)
		if !ok {
			return ids.Key{}, err
		}
		return ids.Key{}, apperr.BadInput(path, "%s", malformed.Wanted(by.Prefix, by.Form))
	}
	if id.Prefix != by.Prefix {
		return ids.Key{}, apperr.BadInput(path, "%s is the ID of something else: one of the form %s_… is wanted", id, by.Prefix)
	}
	key, ok := id.Key(by.Form)
	if !ok {
		return ids.Key{}, apperr.BadInput(path, "%s", ids.Malformed(id).Wanted(by.Prefix, by.Form))
	}
	return key, nil
}
