package dev

import (
	"fmt"
	"regexp"
	"slices"

	"ariga.io/atlas/sql/schema"
)

// withStandIns changes the plan of a down section that adds a column which must have a value and
// has no default. The table may have rows by then, so the column is added with an empty value as
// its default. with has the changed plan, and drop has the changes that then remove the default. If
// a column cannot have an empty value, byHand says what the author must write.
func withStandIns(all []schema.Change) (with, drop []schema.Change, byHand []string) {
	for _, change := range all {
		modify, ok := change.(*schema.ModifyTable)
		if !ok {
			with = append(with, change)
			continue
		}
		filled := &schema.ModifyTable{T: modify.T}
		bare := &schema.ModifyTable{T: modify.T}
		for _, inner := range modify.Changes {
			add, ok := inner.(*schema.AddColumn)
			if !ok || !needsValue(add.C) {
				filled.Changes = append(filled.Changes, inner)
				continue
			}
			value, ok := emptyValue(modify.T, add.C)
			if !ok {
				byHand = append(byHand, fmt.Sprintf("%s.%s may not be empty, and there is nothing to put into it: "+
					"where %[1]s has rows, this fails until you write in what they get", modify.T.Name, add.C.Name))
				filled.Changes = append(filled.Changes, inner)
				continue
			}
			standIn := *add.C
			standIn.Default = &schema.Literal{V: value}
			filled.T = replaced(filled.T, &standIn)
			filled.Changes = append(filled.Changes, &schema.AddColumn{C: &standIn})
			bare.Changes = append(bare.Changes, &schema.ModifyColumn{From: &standIn, To: add.C, Change: schema.ChangeDefault})
		}
		with = append(with, filled)
		if len(bare.Changes) > 0 {
			drop = append(drop, bare)
		}
	}
	return with, drop, byHand
}

// needsValue reports whether each row must get a value for a new column c.
func needsValue(c *schema.Column) bool {
	return !c.Type.Null && c.Default == nil && !slices.ContainsFunc(c.Attrs, func(a schema.Attr) bool {
		_, generated := a.(*schema.GeneratedExpr)
		return generated
	})
}

// emptyValue returns the empty value for a column's type as SQL. ok is false if there is none, or
// if a constraint of the table might refuse it.
func emptyValue(t *schema.Table, c *schema.Column) (value string, ok bool) {
	if len(c.ForeignKeys) > 0 || checked(t, c.Name) {
		return "", false
	}
	indexes := t.Indexes
	if t.PrimaryKey != nil {
		indexes = append(slices.Clip(indexes), t.PrimaryKey)
	}
	for _, i := range indexes {
		if (i.Unique || i == t.PrimaryKey) && hasPart(i, c.Name) {
			return "", false
		}
	}
	switch c.Type.Type.(type) {
	case *schema.BoolType:
		return "false", true
	case *schema.IntegerType, *schema.DecimalType, *schema.FloatType:
		return "0", true
	case *schema.StringType:
		return "''", true
	case *schema.TimeType:
		return "'1970-01-01 00:00:00+00:00'", true
	case *schema.JSONType:
		return "'null'", true
	default:
		return "", false
	}
}

func checked(t *schema.Table, column string) bool {
	return slices.ContainsFunc(t.Checks(), func(c *schema.Check) bool { return mentions(c.Expr, column) })
}

func hasPart(i *schema.Index, column string) bool {
	return slices.ContainsFunc(i.Parts, func(p *schema.IndexPart) bool { return p.C == nil || p.C.Name == column })
}

// mentions reports whether name is a word in an SQL text.
func mentions(text, name string) bool {
	return regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(name) + `\b`).MatchString(text)
}

// replaced returns a copy of t in which c replaces the column of the same name.
func replaced(t *schema.Table, c *schema.Column) *schema.Table {
	other := *t
	other.Columns = slices.Clone(t.Columns)
	for i := range other.Columns {
		if other.Columns[i].Name == c.Name {
			other.Columns[i] = c
		}
	}
	return &other
}
