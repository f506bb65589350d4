package dev

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// values returns values for a column of the nth row, as SQL. The first value is different for each
// row. The others come from the checks of the table. The result is empty if the type of the column
// is not known.
func (m *maker) values(c *schema.Column, n int) []string {
	for _, f := range m.table.ForeignKeys {
		if i := slices.Index(f.Columns, c); i >= 0 {
			return []string{m.reference(f, i, n)}
		}
	}
	var numbers []int
	var texts []string
	for _, check := range m.table.Checks() {
		if !mentions(check.Expr, c.Name) {
			continue
		}
		texts = append(texts, quotedText.FindAllString(check.Expr, -1)...)
		for _, found := range wholeNumber.FindAllString(check.Expr, -1) {
			number, err := strconv.Atoi(found)
			if err == nil {
				numbers = append(numbers, number)
			}
			if err == nil && strings.Contains(check.Expr, "AS NUMERIC") { // a number that is stored as a text
				texts = append(texts, sqlText(fmt.Sprint(number+n)), sqlText(fmt.Sprint(number)), sqlText(fmt.Sprint(number-n)))
			}
		}
	}
	texts = rotated(texts, n)
	switch t := c.Type.Type.(type) {
	case *schema.BoolType:
		return rotated([]string{"true", "false"}, n)
	case *schema.IntegerType, *schema.DecimalType, *schema.FloatType, *postgres.SerialType:
		all := []string{fmt.Sprint(n)}
		for _, number := range numbers {
			all = append(all, fmt.Sprint(number+n), fmt.Sprint(number), fmt.Sprint(number-n), fmt.Sprint(-number), fmt.Sprint(-number-n))
		}
		return all
	case *schema.StringType:
		all := append([]string{text(n, t.Size)}, texts...)
		for _, number := range numbers {
			all = append(all, padded(n, number), padded(n, number+1), padded(n, number-1))
		}
		return all
	case *schema.EnumType:
		var all []string
		for _, v := range t.Values {
			all = append(all, sqlText(v))
		}
		return rotated(all, n)
	case *schema.BinaryType:
		if m.source.Dialect() == dialect.Postgres {
			return append([]string{fmt.Sprintf(`'\x%032x'`, n)}, texts...)
		}
		all := []string{fmt.Sprintf("X'%032x'", n)}
		for _, number := range numbers {
			all = append(all, fmt.Sprintf("X'%0*x'", 2*min(number, maxLength), n))
		}
		return all
	case *schema.TimeType:
		return append([]string{fmt.Sprintf("'2001-01-01 00:%02d:%02d+00:00'", n/60%60, n%60)}, texts...)
	case *schema.JSONType:
		return []string{fmt.Sprintf(`'{"n": %d}'`, n), fmt.Sprintf("'[%d]'", n)}
	case *schema.UUIDType:
		return []string{fmt.Sprintf("'00000000-0000-4000-8000-%012x'", n)}
	case *postgres.IntervalType:
		return []string{fmt.Sprintf("'%d seconds'", n)}
	case *postgres.ArrayType:
		return []string{"'{}'"}
	case *postgres.NetworkType:
		return []string{fmt.Sprintf("'10.0.%d.%d'", n/256%256, n%256)}
	default:
		if m.source.Dialect() == dialect.SQLite { // SQLite accepts any value
			return append([]string{text(n, 0)}, texts...)
		}
		return texts
	}
}

var (
	quotedText  = regexp.MustCompile(`'(?:[^']|'')*'`)
	wholeNumber = regexp.MustCompile(`\b\d+\b`)
)

// maxLength is the largest length of a text that is made because of a number in a check.
const maxLength = 10_000

// text returns a text that is different for each n. It has at most limit characters, unless limit
// is 0.
func text(n, limit int) string {
	short := "v" + strconv.FormatInt(int64(n), 36)
	if 0 < limit && limit < len(short) {
		short = short[len(short)-limit:]
	}
	return sqlText(short)
}

// padded returns a text with a given length that is different for each n.
func padded(n, length int) string {
	short := strings.Trim(text(n, length), "'")
	return sqlText(strings.Repeat("v", max(0, min(length, maxLength)-len(short))) + short)
}

func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// rotated returns the values in an order that begins with a different value for each n.
func rotated(all []string, n int) []string {
	if len(all) == 0 {
		return nil
	}
	n %= len(all)
	return append(slices.Clone(all[n:]), all[:n]...)
}

// reference returns the ith column of the row that f should refer to. This is a row to which the
// fewest rows refer, so that it works for a unique reference. If the table refers to itself and has
// no rows yet, the new row refers to itself.
func (m *maker) reference(f *schema.ForeignKey, i, n int) string {
	var joined, order, known []string
	for j, c := range f.Columns {
		to := catalog.Quote(f.RefColumns[j].Name)
		joined = append(joined, fmt.Sprintf("c.%s = p.%s", catalog.Quote(c.Name), to))
		order = append(order, "p."+to)
		known = append(known, "p."+to+" IS NOT NULL")
	}
	parent := fmt.Sprintf("(SELECT p.%s FROM %s p WHERE %s ORDER BY (SELECT count(*) FROM %s c WHERE %s), %s LIMIT 1)",
		catalog.Quote(f.RefColumns[i].Name), catalog.Quote(f.RefTable.Name), strings.Join(known, " AND "), catalog.Quote(m.table.Name),
		strings.Join(joined, " AND "), strings.Join(order, ", "))
	if f.RefTable != m.table || f.Columns[i].Type.Null || slices.Contains(f.Columns, f.RefColumns[i]) {
		return parent
	}
	own := m.values(f.RefColumns[i], n)
	if len(own) == 0 {
		return parent
	}
	return fmt.Sprintf("coalesce(%s, %s)", parent, own[0])
}
