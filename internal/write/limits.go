package write

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/schema"
)

// limitsOf returns what a column's type, and the CHECKs of its table, say of its values. Of the
// CHECKs, those of one comparison or BETWEEN count, about the column or the length of its text.
// What other CHECKs refuse, the database refuses.
func (b *binder) limitsOf(e *entity.Entity, f *entity.Field) limits {
	l := limits{line: f.Line, most: math.MaxInt, least: math.MinInt64, greatest: math.MaxInt64}
	if bits, ok := widths[f.Type]; ok {
		l.least, l.greatest = bits.least, bits.greatest
	} else if f.Kind == entity.Int {
		l.least, l.greatest = math.MinInt32, math.MaxInt32
	}
	name, size, _ := strings.Cut(f.Stored[dialect.Postgres], "(")
	precision, scale, _ := strings.Cut(strings.TrimSuffix(size, ")"), ",")
	digits, _ := strconv.Atoi(strings.TrimSpace(precision))
	fraction, _ := strconv.Atoi(strings.TrimSpace(scale))
	switch {
	case digits == 0:
	case f.Kind == entity.Decimal:
		l.digits, l.scale = int32(digits), int32(fraction)
	case f.Kind == entity.String && strings.Contains(name, "char"):
		l.most = digits
	}
	for _, condition := range checksOf(b.Tables, e.Table) {
		l.narrow(f.Column, condition, f.Kind != entity.Decimal)
	}
	return l
}

// widths are the numbers that the types of ent/schema can hold, if they are not those of 64 bits.
// BigInt has no numbers of more than 63 bits.
var widths = map[string]struct{ least, greatest int64 }{
	"int8": {math.MinInt8, math.MaxInt8}, "int16": {math.MinInt16, math.MaxInt16}, "int32": {math.MinInt32, math.MaxInt32},
	"uint8": {0, math.MaxUint8}, "uint16": {0, math.MaxUint16}, "uint32": {0, math.MaxUint32},
	"uint": {0, math.MaxInt64}, "uint64": {0, math.MaxInt64},
}

// checksOf returns the conditions of the CHECKs of a table.
func checksOf(tables []*schema.Table, name string) (conditions []string) {
	for _, t := range tables {
		if t.Name == name && t.Annotation != nil {
			conditions = append(conditions, t.Annotation.Check)
			for _, condition := range t.Annotation.Checks {
				conditions = append(conditions, condition)
			}
		}
	}
	return conditions
}

var (
	between    = regexp.MustCompile(`^(length\()?"?(\w+)"?\)?(?: \+ 0)? BETWEEN (-?\d+) AND (-?\d+)$`)
	comparison = regexp.MustCompile(`^(length\()?"?(\w+)"?\)?(?: \+ 0)? (<|<=|>|>=) (-?\d+)$`)
)

// narrow applies a CHECK to the limits, if it is about the column and of a known form. Of numbers
// that are not whole, nothing is known that is next to another one.
func (l *limits) narrow(column, condition string, whole bool) {
	least, greatest := int64(math.MinInt64), int64(math.MaxInt64)
	of := between.FindStringSubmatch(condition)
	if of != nil {
		least, _ = strconv.ParseInt(of[3], 10, 64)
		greatest, _ = strconv.ParseInt(of[4], 10, 64)
	} else if of = comparison.FindStringSubmatch(condition); of != nil {
		n, _ := strconv.ParseInt(of[4], 10, 64)
		if !whole && !strings.HasSuffix(of[3], "=") {
			return
		}
		switch of[3] {
		case "<":
			greatest = n - 1
		case "<=":
			greatest = n
		case ">":
			least = n + 1
		case ">=":
			least = n
		}
	}
	switch {
	case of == nil || of[2] != column:
	case of[1] != "":
		l.shortest, l.most = max(l.shortest, int(max(least, 0))), min(l.most, int(greatest))
	default:
		l.least, l.greatest = max(l.least, least), min(l.greatest, greatest)
	}
}

// Range returns the smallest and the largest value that a column's type and the CHECKs of its table
// allow, or the lengths of a text. What is not limited by them is false.
func Range(tables []*schema.Table, e *entity.Entity, f *entity.Field) (least, greatest int64, from, to bool) {
	l := (&binder{Contract: Contract{Tables: tables}}).limitsOf(e, f)
	if f.Kind == entity.String {
		return int64(l.shortest), int64(l.most), l.shortest > 0, l.most < math.MaxInt
	}
	of := (&binder{}).limitsOf(e, f)
	return l.least, l.greatest, l.least > of.least, l.greatest < of.greatest
}
