package seed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/orderitem"
	_ "forge/ent/runtime" // the defaults of new rows
	"forge/ent/schema"
	"forge/ent/team"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	perStep := map[string]int{
		"users": 20, "teams": 1, "heroes": 200, "products": 5, "inventories": 5, "orders": 100, "order_items": 300,
	}
	for _, scale := range []int{1, 3} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, url string) {
				db := mustFill(t, url, scale)
				for _, table := range tables {
					got := mustCount(t, db, "SELECT count(*) FROM "+table.name)
					if want := scale * perStep[table.name]; got != want || want == 0 {
						t.Errorf("%s: %d rows, want %d", table.name, got, want)
					}
				}
			})
		})
	}
}

// TestRules asks for rows that break a rule of the demo data; there must be none.
func TestRules(t *testing.T) {
	t.Parallel()
	broken := map[string]string{
		"an order's total is the sum of its items": `SELECT count(*) FROM orders o WHERE total_cents <>
			(SELECT sum(quantity * unit_price_cents) FROM order_items WHERE order_id = o.id)`,
		"an order has three different products": `SELECT count(*) FROM orders o WHERE 3 <>
			(SELECT count(DISTINCT product_id) FROM order_items WHERE order_id = o.id)`,
		"an item costs what its product costs": `SELECT count(*) FROM order_items i
			JOIN products p ON p.id = i.product_id WHERE unit_price_cents <> price_cents`,
		"an order comes after its user": `SELECT count(*) FROM orders o
			JOIN users u ON u.id = o.user_id WHERE o.created_at < u.created_at`,
		"an order comes after its products": `SELECT count(*) FROM orders o
			JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE o.created_at < p.created_at`,
		"a hero comes after its owner": `SELECT count(*) FROM heroes h
			JOIN users u ON u.id = h.owner_id WHERE h.created_at < u.created_at`,
		"a user has ten heroes":  `SELECT count(*) FROM users u WHERE 10 <> (SELECT count(*) FROM heroes WHERE owner_id = u.id)`,
		"a user has five orders": `SELECT count(*) FROM users u WHERE 5 <> (SELECT count(*) FROM orders WHERE user_id = u.id)`,
		"a product has its stock": `SELECT count(*) FROM products p WHERE NOT EXISTS
			(SELECT 1 FROM inventories WHERE product_id = p.id AND quantity > 0)`,
		"a pending order never changed": `SELECT count(*) FROM orders
			WHERE status = 'PENDING' AND (version <> 1 OR updated_at <> created_at)`,
		"a settled order did change": `SELECT count(*) FROM orders WHERE status <> 'PENDING' AND version <> 2`,
		"there are three statuses":   `SELECT 3 - count(DISTINCT status) FROM orders`,
		"some heroes have no team": `SELECT CASE WHEN count(team_id) < count(*) AND count(team_id) > 0
			THEN 0 ELSE 1 END FROM heroes`,
		"some heroes have no age": `SELECT CASE WHEN count(age) < count(*) AND count(age) > 0 THEN 0 ELSE 1 END FROM heroes`,
		"the first user is the admin": `SELECT count(*) FROM users WHERE (role = 'ADMIN') <>
			(username = 'admin' AND created_at = (SELECT min(created_at) FROM users))`,
	}
	for _, table := range tables {
		if slices.Contains(table.columns, "updated_at") {
			broken[table.name+" are made before they change"] = "SELECT count(*) FROM " + table.name + " WHERE updated_at < created_at"
		}
	}
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustFill(t, url, 2)
		for rule, query := range broken {
			if n := mustCount(t, db, query); n != 0 {
				t.Errorf("%s: not so for %d rows", rule, n)
			}
		}
	})
}

// TestSameRows fills two databases of each kind: all four hold the same.
func TestSameRows(t *testing.T) {
	t.Parallel()
	first := dump(t, mustFill(t, dbtest.SQLite(t), 2))
	for _, url := range []string{dbtest.SQLite(t), dbtest.Postgres(t), dbtest.Postgres(t)} {
		again := dump(t, mustFill(t, url, 2))
		if len(again) != len(first) {
			t.Fatalf("%s: %d rows, want %d", url, len(again), len(first))
		}
		for i := range first {
			if again[i] != first[i] {
				t.Fatalf("%s: row %d\n%s, want\n%s", url, i, again[i], first[i])
			}
		}
	}
	if slices.Equal(first, dump(t, mustFill(t, dbtest.SQLite(t), 1))) {
		t.Error("another scale has the same rows")
	}
}

// dump returns all rows as text that does not tell the kind of database.
func dump(t *testing.T, db *database.DB) (lines []string) {
	t.Helper()
	for _, table := range tables {
		lines = append(lines, dumpTable(t, db, table)...)
	}
	return lines
}

func dumpTable(t *testing.T, db *database.DB, table table) (lines []string) {
	t.Helper()
	query := "SELECT " + strings.Join(table.columns, ", ") + " FROM " + table.name + " ORDER BY id"
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	values, targets := make([]any, len(table.columns)), make([]any, len(table.columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		line := table.name
		for _, v := range values {
			line += " " + plain(v)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func plain(v any) string {
	switch v := v.(type) {
	case []byte:
		if id, err := uuid.FromBytes(v); err == nil {
			return id.String()
		}
		return string(v)
	case time.Time:
		return fmt.Sprint(v.UnixMicro())
	case bool:
		return map[bool]string{false: "0", true: "1"}[v]
	default:
		return fmt.Sprint(v)
	}
}

// TestLargeScale checks the unique and the bounded columns of the rows of scale 1,000, without a
// database.
func TestLargeScale(t *testing.T) {
	t.Parallel()
	d := generate(1000)
	seen := map[string]bool{}
	once := func(kind, value string, limit int) {
		t.Helper()
		if key := kind + " " + value; seen[key] {
			t.Fatalf("the %s %q comes twice", kind, value)
		} else {
			seen[key] = true
		}
		if value == "" || len(value) > limit {
			t.Fatalf("the %s %q has %d bytes, want 1 to %d", kind, value, len(value), limit)
		}
	}
	for _, u := range d.users {
		once("username", u.username, schema.UsernameLength)
		if u.email != nil {
			once("email", *u.email, 254)
			if *u.email != strings.ToLower(*u.email) {
				t.Fatalf("the email %q is not its own key", *u.email)
			}
		}
	}
	for _, x := range d.teams {
		once("team", x.name, 100)
	}
	for _, p := range d.products {
		once("SKU", p.sku, 64)
	}
	sum := 0
	for _, o := range d.orders {
		sum = max(sum, o.totalCents)
	}
	if sum >= 1<<31 {
		t.Errorf("an order of %d cents does not fit its column", sum)
	}
}

// TestKeys checks that keys are UUIDs of version 7, tell when their row was made, and sort by it.
func TestKeys(t *testing.T) {
	t.Parallel()
	d, seen := generate(50), map[uuid.UUID]bool{}
	var last uuid.UUID
	check := func(id uuid.UUID, created time.Time) {
		t.Helper()
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is of version %d, variant %s", id, id.Version(), id.Variant())
		}
		if at := time.Unix(id.Time().UnixTime()); !at.Equal(created) {
			t.Fatalf("%s tells %s, and its row was made at %s", id, at.UTC(), created)
		}
		if strings.Compare(last.String(), id.String()) >= 0 || seen[id] {
			t.Fatalf("%s comes after %s", id, last)
		}
		if created.Before(yearStart) || !created.Before(yearEnd) {
			t.Fatalf("%s was made at %s, outside of the year", id, created)
		}
		last, seen[id] = id, true
	}
	for _, x := range d.users {
		check(x.id, x.created)
	}
	last = uuid.Nil
	for _, x := range d.teams {
		check(x.id, x.created)
	}
	last = uuid.Nil
	for _, x := range d.heroes {
		check(x.id, x.created)
	}
	last = uuid.Nil
	for _, x := range d.products {
		check(x.id, x.created)
	}
	last = uuid.Nil
	for _, x := range d.orders {
		check(x.id, x.created)
	}
	last = uuid.Nil
	for _, o := range d.orders {
		for _, x := range o.items {
			check(x.id, o.created)
		}
	}
}

func TestNotEmpty(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		u := unit.New(db, unit.Write)
		ent.UnitClient(u).Team.Create().SetName("Own").SaveX(viewer.NewContext(t.Context(), viewer.System))
		if err := u.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := Run(t.Context(), db, 1); !errors.Is(err, demo.ErrNotEmpty) {
			t.Errorf("beside a team: %v, want %v", err, demo.ErrNotEmpty)
		}
		if n := mustCount(t, db, "SELECT count(*) FROM users"); n != 0 {
			t.Errorf("%d users were stored", n)
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM "+team.Table); err != nil {
			t.Fatal(err)
		}
		if err := Run(t.Context(), db, 1); err != nil {
			t.Errorf("once it is empty: %v", err)
		}
		if err := Run(t.Context(), db, 1); !errors.Is(err, demo.ErrNotEmpty) {
			t.Errorf("a second time: %v, want %v", err, demo.ErrNotEmpty)
		}
	})
}

// TestAtOnce fills a database from several sides at once: one does it, the others find it full.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		results := make(chan error)
		for range 3 {
			go func() { results <- Run(context.WithoutCancel(t.Context()), db, 1) }()
		}
		done := 0
		for range 3 {
			if err := <-results; err == nil {
				done++
			} else if !errors.Is(err, demo.ErrNotEmpty) {
				t.Errorf("%v, want %v", err, demo.ErrNotEmpty)
			}
		}
		if users := mustCount(t, db, "SELECT count(*) FROM users"); done != 1 || users != 20 {
			t.Errorf("%d runs succeeded and left %d users, want 1 and 20", done, users)
		}
	})
}

// TestAllOrNothing breaks the last table that is filled: the first ones stay empty too.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+orderitem.Table+" RENAME COLUMN quantity TO pieces"); err != nil {
			t.Fatal(err)
		}
		err := Run(t.Context(), db, 1)
		if err == nil || errors.Is(err, demo.ErrNotEmpty) || errors.Is(err, sql.ErrNoRows) {
			t.Errorf("without a column: %v, want the database's error", err)
		}
		if n := mustCount(t, db, "SELECT count(*) FROM users"); n != 0 {
			t.Errorf("%d users were stored", n)
		}
	})
}

func TestScale(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.SQLite(t))
	for _, scale := range []int{-1, 0, MaxScale + 1} {
		if err := Run(t.Context(), db, scale); err == nil || !strings.Contains(err.Error(), fmt.Sprint(scale)) {
			t.Errorf("scale %d: %v, want a sentence about it", scale, err)
		}
	}
}
