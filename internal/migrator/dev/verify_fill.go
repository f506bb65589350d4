package dev

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// A fill says how many rows each table gets.
type fill struct {
	full   int // rows with a value in each column
	sparse int // rows with NULL in each column that may be NULL
}

// fill adds rows to all tables. If tables refer to each other in a circle, the rows of the first
// round refer to nothing, and the rows of later rounds refer to those. notes name the tables that
// remain without rows, and say why.
func (v *verifier) fill(ctx context.Context, rows fill) (notes []string, err error) {
	s, err := inspect(ctx, v.driver)
	if err != nil {
		return nil, err
	}
	tables := parentsFirst(s.Tables)
	why := make(map[string]error)
	for round := range rows.full + rows.sparse {
		for _, t := range tables {
			m, err := v.maker(ctx, t, round >= rows.full)
			if err != nil {
				return nil, err
			}
			why[t.Name] = m.insert(ctx)
		}
	}
	for _, t := range tables {
		n, err := catalog.Place{Table: t.Name}.Count(ctx, v.db)
		if err != nil {
			return nil, err
		}
		if reason := why[t.Name]; n == 0 && reason != nil && !v.noted[t.Name] {
			v.noted[t.Name] = true
			notes = append(notes, fmt.Sprintf("no row could be made for %s, so it was tried without: %v", t.Name, reason))
		}
	}
	return notes, nil
}

// parentsFirst sorts tables so that each table comes after the tables that its rows must refer to.
func parentsFirst(tables []*schema.Table) (sorted []*schema.Table) {
	seen := make(map[*schema.Table]bool)
	var visit func(*schema.Table)
	visit = func(t *schema.Table) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, f := range t.ForeignKeys {
			if f.RefTable != nil && !slices.ContainsFunc(f.Columns, func(c *schema.Column) bool { return c.Type.Null }) {
				visit(f.RefTable)
			}
		}
		sorted = append(sorted, t)
	}
	for _, t := range tables {
		visit(t)
	}
	return sorted
}

// A maker makes a row for one table.
type maker struct {
	*verifier
	table   *schema.Table
	columns []*schema.Column // the columns that accept a value
	allowed [][]string       // values for each column as SQL, the most likely first
	row     []int            // the index of the chosen value for each column
}

func (v *verifier) maker(ctx context.Context, t *schema.Table, sparse bool) (*maker, error) {
	n, err := catalog.Place{Table: t.Name}.Count(ctx, v.db)
	if err != nil {
		return nil, err
	}
	m := &maker{verifier: v, table: t}
	for _, c := range t.Columns {
		if !writable(c) {
			continue
		}
		values := m.values(c, int(n)+1)
		if c.Type.Null {
			values = append(values, "NULL")
		}
		if sparse && c.Type.Null {
			slices.Reverse(values)
		}
		m.columns = append(m.columns, c)
		m.allowed = append(m.allowed, values)
	}
	m.row = make([]int, len(m.columns))
	return m, nil
}

// writable reports whether a column accepts values. A generated column does not.
func writable(c *schema.Column) bool {
	return !slices.ContainsFunc(c.Attrs, func(a schema.Attr) bool {
		switch a := a.(type) {
		case *schema.GeneratedExpr:
			return true
		case *postgres.Identity:
			return strings.EqualFold(a.Generation, "ALWAYS")
		default:
			return false
		}
	})
}

// insert looks for a row that satisfies all checks of the table, and inserts it.
func (m *maker) insert(ctx context.Context) error {
	for i, c := range m.columns {
		if len(m.allowed[i]) == 0 {
			return fmt.Errorf("there is no value known for %s, which is %s", c.Name, c.Type.Raw)
		}
	}
	broken := m.broken(ctx, m.row)
	for len(broken) > 0 {
		better, left := m.better(ctx, broken)
		if better == nil {
			break // insert the row nevertheless, and let the database decide
		}
		m.row, broken = better, left
	}
	statement := "INSERT INTO " + catalog.Quote(m.table.Name) + " DEFAULT VALUES"
	if len(m.columns) > 0 {
		var names, values []string
		for i, c := range m.columns {
			names = append(names, catalog.Quote(c.Name))
			values = append(values, m.allowed[i][m.row[i]])
		}
		statement = fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", catalog.Quote(m.table.Name), strings.Join(names, ", "), strings.Join(values, ", "))
	}
	_, err := m.db.ExecContext(ctx, statement)
	if err == nil || len(broken) == 0 {
		return err
	}
	var checks []string
	for _, c := range broken {
		checks = append(checks, fmt.Sprintf("%s (%s)", c.Name, c.Expr))
	}
	return fmt.Errorf("no values were found that are right by %s: %w", strings.Join(checks, ", "), err)
}

// maxTries is the number of rows that are tried in order to find one that breaks fewer checks.
const maxTries = 1000

// better returns a row that breaks fewer checks, and the checks that it still breaks. It varies the
// columns that the broken checks mention. It returns nil if it finds no better row.
func (m *maker) better(ctx context.Context, broken []*schema.Check) (row []int, left []*schema.Check) {
	var vary []int
	tries := 1
	for i, c := range m.columns {
		if slices.ContainsFunc(broken, func(check *schema.Check) bool { return mentions(check.Expr, c.Name) }) {
			vary = append(vary, i)
			tries = min(tries*len(m.allowed[i]), maxTries)
		}
	}
	for try := range tries {
		row := slices.Clone(m.row)
		for _, i := range vary {
			row[i] = (m.row[i] + try) % len(m.allowed[i])
			try /= len(m.allowed[i])
		}
		if left := m.broken(ctx, row); len(left) < len(broken) {
			return row, left
		}
	}
	return nil, broken
}

// broken returns the checks that a row breaks. The database evaluates the checks, and a check that
// cannot be evaluated counts as broken.
func (m *maker) broken(ctx context.Context, row []int) (broken []*schema.Check) {
	var columns []string
	for i, c := range m.columns {
		columns = append(columns, m.typed(c, m.allowed[i][row[i]])+" AS "+catalog.Quote(c.Name))
	}
	for _, check := range m.table.Checks() {
		var holds *bool
		query := fmt.Sprintf("SELECT (%s) FROM (SELECT %s) AS %s", check.Expr, strings.Join(columns, ", "), catalog.Quote(m.table.Name))
		if err := m.db.QueryRowContext(ctx, query).Scan(&holds); err != nil || holds != nil && !*holds {
			broken = append(broken, check)
		}
	}
	return broken
}

// typed returns a value for use in an expression. For PostgreSQL it adds a cast to the column's
// type, because PostgreSQL would take a quoted value for text.
func (m *maker) typed(c *schema.Column, value string) string {
	if m.source.Dialect() != dialect.Postgres {
		return value
	}
	name, err := postgres.FormatType(c.Type.Type)
	if err != nil {
		return value
	}
	return "CAST(" + value + " AS " + name + ")"
}
