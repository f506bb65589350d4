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

// changes compares two schemas that were read from a database. It adds what Atlas leaves out:
// changed conditions of checks, and changed collations.
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

// keepNames remembers the names of foreign keys. restore sets them back after a comparison: for
// SQLite, Atlas overwrites the names in one schema with those of the other.
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

// withCollations adds the columns whose collation changes.
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

// collation returns the collation of a column, or "" for that of the database.
func collation(c *schema.Column) string {
	for _, a := range c.Attrs {
		if c, ok := a.(*schema.Collation); ok {
			return c.V
		}
	}
	return ""
}

// withType adds a change of a column's type, which also sets its collation.
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

// modified returns the changes of a table, or nil if there are none.
func modified(all []schema.Change, table string) *schema.ModifyTable {
	for _, modify := range modifications(all) {
		if modify.T.Name == table {
			return modify
		}
	}
	return nil
}

// modifications returns the changes of tables that exist before and after.
func modifications(all []schema.Change) (tables []*schema.ModifyTable) {
	for _, c := range all {
		if c, ok := c.(*schema.ModifyTable); ok {
			tables = append(tables, c)
		}
	}
	return tables
}

// steps returns the statements of the changes in all, followed by those in wait.
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

// statements returns the statements of changes.
func statements(ctx context.Context, driver atlas.Driver, all []schema.Change) ([]*atlas.Change, error) {
	if len(all) == 0 {
		return nil, nil
	}
	p, err := driver.PlanChanges(ctx, "", all, withoutSchemaNames, indented)
	if err != nil {
		return nil, fmt.Errorf("plan the changes: %w", err)
	}
	// Within a transaction this has no effect. Up has already switched foreign keys off.
	return slices.DeleteFunc(p.Changes, func(c *atlas.Change) bool {
		return strings.HasPrefix(c.Cmd, "PRAGMA foreign_keys")
	}), nil
}

// filledFirst splits off the changes that make a column with a default NOT NULL. Before such a
// change, rows without a value get the default, as they do in SQLite's copy of a table. fill has
// the statements for that, and strict the changes that follow.
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

// otherKind reports whether a column's type changes to one of another kind. PostgreSQL needs a
// USING clause for that.
func otherKind(change schema.Change) (c *schema.ModifyColumn, ok bool) {
	c, ok = change.(*schema.ModifyColumn)
	return c, ok && c.Change.Is(schema.ChangeType) && reflect.TypeOf(c.From.Type.Type) != reflect.TypeOf(c.To.Type.Type)
}

// castDefaults marks the defaults of columns that change to another kind of type: USING does not
// convert a default, so it is set again.
func castDefaults(all []schema.Change) {
	for _, modify := range modifications(all) {
		for _, change := range modify.Changes {
			if c, ok := otherKind(change); ok && c.From.Default != nil && c.To.Default != nil {
				c.Change |= schema.ChangeDefault
			}
		}
	}
}

// castTypes adds a USING clause to the statements that change a column to another kind of type.
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

// withAuthorsChecks replaces the conditions in changes by those of t, as their author wrote them.
// PostgreSQL reports "role IN ('USER')" as "(role)::text = ANY (ARRAY[…])", which is right for
// comparing and poor for reading.
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

// lists matches the form in which PostgreSQL reports the condition IN on a varchar column.
var lists = regexp.MustCompile(`\((\w+|"[^"]+")\)::text (= ANY|<> ALL) \(\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]\)`)

// inListsRestored writes such conditions with IN again. The reported form is valid SQL too, but
// PostgreSQL would report it in yet another form, so that down would not restore the schema.
func inListsRestored(statement string) string {
	return lists.ReplaceAllStringFunc(statement, func(condition string) string {
		m := lists.FindStringSubmatch(condition)
		is := map[string]string{"= ANY": "IN", "<> ALL": "NOT IN"}[m[2]]
		return fmt.Sprintf("%s %s (%s)", m[1], is, strings.ReplaceAll(m[3], "'::character varying", "'"))
	})
}

// indented sets how statements are indented.
func indented(opts *atlas.PlanOptions) { opts.Indent = "  " }

// withoutSchemaNames leaves the names of PostgreSQL schemas out of statements: a migration
// applies to the schema that search_path names.
func withoutSchemaNames(opts *atlas.PlanOptions) {
	none := ""
	opts.SchemaQualifier = &none
}
