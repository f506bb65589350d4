package sql

import (
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"

	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/scalar"
)

// summarize sets the columns, groups, conditions and order of a statement whose rows are groups.
func (q *Query) summarize(s *sql.Selector) {
	for _, c := range q.Columns {
		before, after := "", ""
		if !q.inTree {
			before, after, _ = strings.Cut(conversion(c, q.Dialect), "%s")
		}
		s.AppendSelectExpr(sql.Raw(before + q.measure(c, s) + after))
	}
	q.belonging(s)
	if !q.encloses() {
		q.filter(s)
	}
	if q.Summary == nil || q.Summary.By == nil {
		return
	}
	for _, key := range q.Summary.By {
		s.GroupBy(q.measure(key, s))
	}
	var conditions []*sql.Predicate
	for _, h := range q.Summary.Having {
		conditions = append(conditions, q.having(h.Column, h.Op, h.Value, s))
	}
	if len(conditions) > 0 {
		s.Having(sql.And(conditions...))
	}
	var order []sql.Querier
	for _, by := range q.Summary.Order {
		direction := " NULLS LAST"
		if by.Desc {
			direction = " DESC NULLS LAST"
		}
		if by.Collation != "" {
			direction = collation.SQL(q.Dialect, by.Collation) + direction
		}
		order = append(order, sql.Raw(q.measure(by.Column, s)+direction))
	}
	q.inOrder(s, order)
}

// operators are those of conditions on groups, in SQL.
var operators = map[string]string{"": " = ", "NEQ": " <> ", "GT": " > ", "GTE": " >= ", "LT": " < ", "LTE": " <= "}

// having returns a condition on groups.
func (q *Query) having(c binding.Column, op string, value any, s *sql.Selector) *sql.Predicate {
	if n, ok := value.(int64); ok && q.sqlite() && isExactSum(c.Measure) && c.Measure.Of != entity.Int {
		value = strconv.FormatInt(n, 10)
	}
	return sql.P(func(b *sql.Builder) { b.WriteString(q.measure(c, s) + operators[op]).Arg(value) })
}

// isExactSum reports whether a measure is a sum that may take more than 64 bits: a number of any
// length on PostgreSQL, and its text on SQLite.
func isExactSum(m *binding.Measure) bool {
	return m != nil && m.Function == kind.Sum && m.Of != entity.Float && m.Of != entity.Float32
}

// measure returns the expression for what a column of groups holds.
func (q *Query) measure(c binding.Column, s *sql.Selector) string {
	m := c.Measure
	if m == nil {
		return columnIn(s, c.Name, c.Kind)
	}
	column := columnIn(s, c.Name, m.Of)
	switch {
	case m.Null: // of the column's type in the database
		of := sql.Table(q.Node.Object.Entity.Table).As("_s")
		text, _ := sql.Dialect(q.Dialect).Select(of.C(c.Name)).From(of).Where(sql.False()).Query()
		return "(" + text + ")"
	case m.Bucket != "":
		return q.bucket(s.C(c.Name), m)
	case m.Function == kind.Count:
		return "count(*)"
	case m.Function == kind.CountDistinct:
		return "count(DISTINCT " + column + ")"
	case m.Function == kind.Sum:
		return q.sum(column, m.Of)
	case m.Function == kind.Avg:
		return q.average(column, m.Of)
	case q.sqlite() && m.Of == entity.Decimal:
		return string(m.Function) + "(" + column + ") COLLATE " + scalar.DecimalCollation
	}
	return string(m.Function) + "(" + column + ")"
}

// bucket returns the moment at which a unit of time began. Its text has to be the same wherever it
// stands, so the time zone is no argument. Package rows has checked its name.
func (q *Query) bucket(column string, m *binding.Measure) string {
	switch unit := strings.ToLower(m.Bucket); {
	case q.sqlite():
		return scalar.BucketFunction + "('" + m.Bucket + "', " + column + ", '" + m.Zone + "')"
	case m.Of == entity.Date:
		return "date_trunc('" + unit + "', " + column + "::timestamp)::date"
	case m.Local:
		return "date_trunc('" + unit + "', " + column + " AT TIME ZONE 'UTC', '" + m.Zone + "')"
	default:
		return "date_trunc('" + unit + "', " + column + ", '" + m.Zone + "')"
	}
}

// largest is how large Floats are at most that the database adds. A sum with a larger one counts as
// infinite: PostgreSQL would stop with an error where SQLite would not.
const largest = "1e300"

// sum returns the sum of a column. That of whole numbers of 32 bits fits into 64.
func (q *Query) sum(column string, of entity.Kind) string {
	switch {
	case of == entity.Float || of == entity.Float32:
		infinite := "9e999"
		if !q.sqlite() {
			column, infinite = column+"::float8", "'Infinity'::float8"
		}
		return "CASE WHEN max(abs(" + column + ")) > " + largest + " THEN " + infinite + " ELSE sum(CASE WHEN abs(" + column + ") <= " + largest + " THEN " + column + " END) END"
	case !q.sqlite() || of == entity.Int:
		return "sum(" + column + ")"
	}
	return scalar.SumFunction + "(" + column + ") COLLATE " + scalar.DecimalCollation
}

// average returns the sum of a column, as a Float, divided by the number of its values; that of
// Decimals is exact up to scalar.AverageDigits digits behind the point. Both databases return the
// same number to the last digit, except for that of Floats.
func (q *Query) average(column string, of entity.Kind) string {
	count := "count(" + column + ")"
	switch {
	case of == entity.Float || of == entity.Float32:
		sum := "(" + q.sum(column, of) + ")" // where a quotient is too small, PostgreSQL stops with an error
		return "CASE WHEN abs" + sum + " < 1e-300 THEN 0.0 ELSE " + sum + " / " + count + " END"
	case q.sqlite() && of == entity.Int:
		return "CAST(sum(" + column + ") AS REAL) / " + count
	case q.sqlite() && of == entity.Decimal:
		return scalar.DecimalAverageFunction + "(" + column + ") COLLATE " + scalar.DecimalCollation
	case q.sqlite():
		return scalar.AverageFunction + "(" + column + ")"
	case of == entity.Decimal:
		// PostgreSQL's own division has more or fewer digits, as its operands have; div is exact.
		sum, digits := "sum("+column+")", strconv.Itoa(scalar.AverageDigits)
		return "(sign(" + sum + ") * div(abs(" + sum + ") * 2e" + digits + " + " + count + ", 2 * " + count + ") * 1e-" + digits + ")"
	}
	return "sum(" + column + ")::float8 / " + count
}
