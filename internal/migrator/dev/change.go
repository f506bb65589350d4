package dev

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
)

// changes returns the changes from one schema to another. Both were read from a database. In
// addition to what Atlas finds, it finds changed conditions of checks and changed collations.
func changes(driver atlas.Driver, name string, from, to *schema.Schema) ([]schema.Change, error) {
	defer keepNames(from, to)()
	all, err := driver.SchemaDiff(from, to, schema.DiffNormalized())
	if err != nil {
		return nil, fmt.Errorf("compare schemas: %w", err)
	}
	if name == dialect.Postgres {
		all = withCollations(all, from, to)
	}
	return all, nil
}

// changes compares two schemas of the planner's dialect.
func (b *planner) changes(from, to *schema.Schema) ([]schema.Change, error) {
	return changes(b.driver, b.dialect, from, to)
}

// keepNames records the names of foreign keys, and restore sets them again. Atlas overwrites the
// names in one SQLite schema with those of the other when it compares the two.
func keepNames(schemas ...*schema.Schema) (restore func()) {
	names := make(map[*schema.ForeignKey]string)
	for _, s := range schemas {
		for _, t := range s.Tables {
			for _, f := range t.ForeignKeys {
				names[f] = f.Symbol
			}
		}
	}
	return func() {
		for f, name := range names {
			f.Symbol = name
		}
	}
}

// withCollations adds the changes of collations to all.
func withCollations(all []schema.Change, from, to *schema.Schema) []schema.Change {
	for _, t := range to.Tables {
		before, ok := from.Table(t.Name)
		if !ok {
			continue
		}
		for _, c := range t.Columns {
			if old, ok := before.Column(c.Name); ok && collation(old) != collation(c) {
				all = withType(all, t, old, c)
			}
		}
	}
	return all
}

// collation returns the collation of a column, or "" if it has the collation of the database.
func collation(c *schema.Column) string {
	for _, a := range c.Attrs {
		if c, ok := a.(*schema.Collation); ok {
			return c.V
		}
	}
	return ""
}

// withType adds a change of a column's type to all. The statement that changes the type also sets
// the collation.
func withType(all []schema.Change, t *schema.Table, from, to *schema.Column) []schema.Change {
	modify := modified(all, t.Name)
	if modify == nil {
		modify = &schema.ModifyTable{T: t}
		all = append(all, modify)
	}
	for _, c := range modify.Changes {
		if c, ok := c.(*schema.ModifyColumn); ok && c.To.Name == to.Name {
			c.Change |= schema.ChangeType
			return all
		}
	}
	modify.Changes = append(modify.Changes, &schema.ModifyColumn{From: from, To: to, Change: schema.ChangeType})
	return all
}

// modified returns the changes of a table, or nil if it has none.
func modified(all []schema.Change, table string) *schema.ModifyTable {
	for _, modify := range modifications(all) {
		if modify.T.Name == table {
			return modify
		}
	}
	return nil
}

// modifications returns the changes of those tables that exist both before and after.
func modifications(all []schema.Change) (tables []*schema.ModifyTable) {
	for _, c := range all {
		if c, ok := c.(*schema.ModifyTable); ok {
			tables = append(tables, c)
		}
	}
	return tables
}

// steps returns the statements for the changes in all, followed by those for the changes in wait.
func (b *planner) steps(ctx context.Context, all, wait []schema.Change) ([]*atlas.Change, error) {
	var fill []*atlas.Change
	if b.dialect == dialect.Postgres {
		var strict []schema.Change
		all, fill, strict = filledFirst(all)
		wait = append(wait, strict...)
		castDefaults(all)
	}
	steps, err := statements(ctx, b.driver, all)
	if err != nil {
		return nil, err
	}
	if b.dialect == dialect.Postgres {
		if err := castTypes(steps, all); err != nil {
			return nil, err
		}
	}
	after, err := statements(ctx, b.driver, wait)
	return slices.Concat(steps, fill, after), err
}

// statements returns the statements for changes.
func statements(ctx context.Context, driver atlas.Driver, all []schema.Change) ([]*atlas.Change, error) {
	if len(all) == 0 {
		return nil, nil
	}
	p, err := driver.PlanChanges(ctx, "", all, withoutSchemaNames, indented)
	if err != nil {
		return nil, fmt.Errorf("plan the changes: %w", err)
	}
	// The pragma has no effect in a transaction, and Up switches foreign keys off by itself.
	return slices.DeleteFunc(p.Changes, func(c *atlas.Change) bool {
		return strings.HasPrefix(c.Cmd, "PRAGMA foreign_keys")
	}), nil
}

// filledFirst splits off the changes that make a column with a default NOT NULL. fill has
// statements that give the default to rows without a value, which must run first. strict has the
// changes that follow. In SQLite, the copy of a table gets these values by itself.
func filledFirst(all []schema.Change) (rest []schema.Change, fill []*atlas.Change, strict []schema.Change) {
	for _, change := range all {
		modify, ok := change.(*schema.ModifyTable)
		if !ok {
			rest = append(rest, change)
			continue
		}
		var kept, taken []schema.Change
		for _, inner := range modify.Changes {
			c, ok := inner.(*schema.ModifyColumn)
			if !ok || !c.Change.Is(schema.ChangeNull) || c.To.Type.Null || c.To.Default == nil {
				kept = append(kept, inner)
				continue
			}
			if other := c.Change &^ schema.ChangeNull; other != schema.NoChange {
				kept = append(kept, &schema.ModifyColumn{From: c.From, To: c.To, Change: other})
			}
			taken = append(taken, &schema.ModifyColumn{From: c.From, To: c.To, Change: schema.ChangeNull})
			column := identifier(dialect.Postgres, c.To.Name)
			fill = append(fill, &atlas.Change{
				Comment: fmt.Sprintf("give the default to rows of %q without %q", modify.T.Name, c.To.Name),
				Cmd:     fmt.Sprintf("UPDATE %s SET %s = DEFAULT WHERE %[2]s IS NULL", identifier(dialect.Postgres, modify.T.Name), column),
			})
		}
		if len(kept) > 0 {
			rest = append(rest, &schema.ModifyTable{T: modify.T, Changes: kept})
		}
		if len(taken) > 0 {
			strict = append(strict, &schema.ModifyTable{T: modify.T, Changes: taken})
		}
	}
	return rest, fill, strict
}

// otherKind reports whether a change gives a column a type of another kind. PostgreSQL needs a
// USING clause to convert the values.
func otherKind(change schema.Change) (c *schema.ModifyColumn, ok bool) {
	c, ok = change.(*schema.ModifyColumn)
	return c, ok && c.Change.Is(schema.ChangeType) && reflect.TypeOf(c.From.Type.Type) != reflect.TypeOf(c.To.Type.Type)
}

// castDefaults also changes the defaults of columns that get a type of another kind. USING does not
// convert a default, so it must be set again.
func castDefaults(all []schema.Change) {
	for _, modify := range modifications(all) {
		for _, change := range modify.Changes {
			if c, ok := otherKind(change); ok && c.From.Default != nil && c.To.Default != nil {
				c.Change |= schema.ChangeDefault
			}
		}
	}
}

// castTypes adds a USING clause to the statements that give a column a type of another kind.
func castTypes(steps []*atlas.Change, all []schema.Change) error {
	for _, modify := range modifications(all) {
		begin := "ALTER TABLE " + identifier(dialect.Postgres, modify.T.Name) + " "
		for _, change := range modify.Changes {
			c, ok := otherKind(change)
			if !ok {
				continue
			}
			kind, err := postgres.FormatType(c.To.Type.Type)
			if err != nil {
				return err
			}
			column := identifier(dialect.Postgres, c.To.Name)
			alter := fmt.Sprintf("ALTER COLUMN %s TYPE %s", column, kind)
			if collation := collation(c.To); collation != "" {
				alter += " COLLATE " + identifier(dialect.Postgres, collation)
			}
			cast := fmt.Sprintf("%s USING %s::%s", alter, column, kind)
			if c.From.Default != nil && c.To.Default != nil {
				cast = fmt.Sprintf("ALTER COLUMN %s DROP DEFAULT, %s", column, cast)
			}
			for _, s := range steps {
				if strings.HasPrefix(s.Cmd, begin) {
					s.Cmd = strings.Replace(s.Cmd, alter, cast, 1)
				}
			}
		}
	}
	return nil
}

// withAuthorsChecks replaces the conditions in changes with those of t, which are written as their
// author wrote them. PostgreSQL returns "role IN ('USER')" as "(role)::text = ANY (ARRAY[…])". This
// is good for a comparison, but hard to read.
func withAuthorsChecks(changes []schema.Change, t *schema.Table) {
	conditions := make(map[string]string)
	for _, c := range t.Checks() {
		conditions[c.Name] = c.Expr
	}
	restore := func(c *schema.Check) {
		if expr, ok := conditions[c.Name]; ok {
			c.Expr = expr
		}
	}
	for _, change := range changes {
		switch change := change.(type) {
		case *schema.AddTable:
			if change.T.Name == t.Name {
				for _, c := range change.T.Checks() {
					restore(c)
				}
			}
		case *schema.ModifyTable:
			if change.T.Name != t.Name {
				continue
			}
			for _, inner := range change.Changes {
				switch inner := inner.(type) {
				case *schema.AddCheck:
					restore(inner.C)
				case *schema.ModifyCheck:
					restore(inner.To)
				}
			}
		}
	}
}

// lists matches the form in which PostgreSQL returns an IN condition on a varchar column.
var lists = regexp.MustCompile(`\((\w+|"[^"]+")\)::text (= ANY|<> ALL) \(\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]\)`)

// inListsRestored replaces conditions that lists matches with conditions that use IN. The form that
// PostgreSQL returns is valid SQL too, but PostgreSQL would return it in yet another form. Down
// would then not restore the schema.
func inListsRestored(statement string) string {
	return lists.ReplaceAllStringFunc(statement, func(condition string) string {
		m := lists.FindStringSubmatch(condition)
		is := map[string]string{"= ANY": "IN", "<> ALL": "NOT IN"}[m[2]]
		return fmt.Sprintf("%s %s (%s)", m[1], is, strings.ReplaceAll(m[3], "'::character varying", "'"))
	})
}

// indented sets the indentation of statements.
func indented(opts *atlas.PlanOptions) { opts.Indent = "  " }

// withoutSchemaNames leaves the names of PostgreSQL schemas out of statements. A migration applies
// to the schema that search_path names.
func withoutSchemaNames(opts *atlas.PlanOptions) {
	none := ""
	opts.SchemaQualifier = &none
}
