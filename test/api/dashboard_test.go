package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"forge/seed"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// dashboard is all that a page of figures shows, in one request.
const dashboard = `query($from: Time!, $to: Time!, $zone: String!) {
	revenue: orders(where: {status: PAID, createdAtGTE: $from, createdAtLT: $to}) {
		aggregate { count sum { totalCents } }
		groups(by: [{field: CREATED_AT, bucket: DAY, timeZone: $zone}], first: 100) { key { createdAt } aggregate { count sum { totalCents } } }
	}
	bestSold: orderItems(where: {hasOrderWith: {status: PAID}}) {
		groups(by: [{field: PRODUCT}], orderBy: [{field: SUM_QUANTITY, direction: DESC}], first: 10) { key { product { id sku } } aggregate { sum { quantity } } }
	}
	lowStock: products(where: {stockLT: 150}, orderBy: [{field: STOCK}, {field: SKU}], first: 5) { totalCount nodes { sku stock } }
	teams(orderBy: [{field: HEROES_COUNT, direction: DESC}, {field: NAME}], first: 5) { nodes { name heroes { aggregate { count avg { age } } } } }
}`

// TestDashboard compares the figures of a dashboard with those of SQL. On PostgreSQL the whole
// dashboard is one statement.
func TestDashboard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		if err := seed.Run(t.Context(), a.db, 10); err != nil {
			t.Fatal(err)
		}
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		// The clocks are put forward on 30 March.
		from, to := time.Date(2025, time.March, 1, 0, 0, 0, 0, berlin), time.Date(2025, time.June, 1, 0, 0, 0, 0, berlin)
		got := a.Must(dashboard, vars{"from": from, "to": to, "zone": berlin.String()})
		if a.db.Dialect == dialect.Postgres && got.Statements() != 1 {
			t.Errorf("the dashboard takes %d statements", got.Statements())
		}
		for figure, shown := range map[string][]string{
			"revenue":   listed(got, "revenue.groups", "key.createdAt", "aggregate.count", "aggregate.sum.totalCents"),
			"best sold": listed(got, "bestSold.groups", "key.product.sku", "aggregate.sum.quantity"),
			"low stock": listed(got, "lowStock.nodes", "sku", "stock"),
			"teams":     listed(got, "teams.nodes", "name", "heroes.aggregate.count", "heroes.aggregate.avg.age"),
			"in all":    {fmt.Sprint(got.At("revenue.aggregate.count")), got.Text("revenue.aggregate.sum.totalCents"), fmt.Sprint(got.At("lowStock.totalCount"))},
		} {
			if want := a.figure(t, figure, from, to); len(want) < 3 || !slices.Equal(shown, want) {
				t.Errorf("%s: the dashboard shows\n%s\nand SQL finds\n%s", figure, strings.Join(shown, "\n"), strings.Join(want, "\n"))
			}
		}
	})
}

// listed returns a line for each entry of a list in an answer, with the values at the paths.
func listed(got gqltest.Answer, list string, paths ...string) (lines []string) {
	for i := range got.Len(list) {
		var values []string
		for _, path := range paths {
			values = append(values, fmt.Sprint(got.At(fmt.Sprintf("%s.%d.%s", list, i, path))))
		}
		lines = append(lines, strings.Join(values, " "))
	}
	return lines
}

// figure returns the lines of one figure of the dashboard, as SQL finds them.
func (a *api) figure(t *testing.T, figure string, from, to time.Time) (lines []string) {
	t.Helper()
	const paid = ` FROM orders WHERE status = 'PAID' AND created_at >= $1 AND created_at < $2`
	switch figure {
	case "revenue":
		for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
			if found := a.sqlLines(t, `SELECT count(*), sum(total_cents)`+paid, day, day.AddDate(0, 0, 1))[0]; !strings.HasPrefix(found, "0 ") {
				lines = append(lines, day.UTC().Format(time.RFC3339)+" "+found)
			}
		}
		return lines
	case "best sold":
		return a.sqlLines(t, `SELECT p.sku, sum(i.quantity) FROM order_items i JOIN orders o ON o.id = i.order_id JOIN products p ON p.id = i.product_id
			WHERE o.status = 'PAID' GROUP BY p.id, p.sku ORDER BY 2 DESC, p.id LIMIT 10`)
	case "low stock":
		return a.sqlLines(t, `SELECT p.sku, i.quantity FROM products p JOIN inventories i ON i.product_id = p.id WHERE i.quantity < 150 ORDER BY i.quantity, p.sku LIMIT 5`)
	case "teams":
		return a.sqlLines(t, `SELECT t.name, count(h.id), CAST(sum(h.age) AS double precision) / count(h.age) FROM teams t LEFT JOIN heroes h ON h.team_id = t.id
			GROUP BY t.id, t.name ORDER BY 2 DESC, t.name LIMIT 5`)
	default:
		return append(strings.Fields(a.sqlLines(t, `SELECT count(*), sum(total_cents)`+paid, from, to)[0]), a.sqlLines(t, `SELECT count(*) FROM inventories WHERE quantity < 150`)...)
	}
}

// sqlLines returns a line for each row that a statement finds.
func (a *api) sqlLines(t *testing.T, statement string, times ...time.Time) (lines []string) {
	t.Helper()
	args := make([]any, len(times))
	for i, at := range times {
		if args[i] = at; a.db.Dialect == dialect.SQLite {
			args[i] = at.UnixMicro()
		}
	}
	rows, err := a.db.QueryContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, value := range values {
			line = append(line, fmt.Sprint(*value.(*any)))
		}
		lines = append(lines, strings.Join(line, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
