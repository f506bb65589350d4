package kinds

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"github.com/shopspring/decimal"

	"forge/internal/database"
	"forge/internal/scalar"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/kinds/ent"
	"forge/test/kinds/ent/sample"
)

// randomJSON returns a document of few different parts, so that some contain others.
func randomJSON(r *rand.Rand, depth int) string {
	scalars := []string{"null", "true", "false", "0", "-0.0", "1", "1.0", "10e-1", "100", "1e2", `"a"`, `"b"`, `"1"`, `""`, `"é"`, `"\u00e9"`}
	if depth == 0 || r.IntN(3) == 0 {
		return scalars[r.IntN(len(scalars))]
	}
	var parts []string
	list := r.IntN(2) == 0
	for range r.IntN(4) {
		part := randomJSON(r, depth-1)
		if !list {
			part = []string{`"a"`, `"b"`, `"1"`, `"é"`}[r.IntN(4)] + ": " + part
		}
		parts = append(parts, part)
	}
	if list {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// TestJSONAsPostgres compares what SQLite is given for conditions on documents with PostgreSQL's
// own operators, on random documents.
func TestJSONAsPostgres(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.EmptyPostgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var documents, others, paths []string
	var steps [][]string
	for range 20_000 {
		documents, others = append(documents, randomJSON(r, 3)), append(others, randomJSON(r, 2))
		var path []string
		for range 1 + r.IntN(2) {
			path = append(path, []string{"a", "b", "1", "0", "-1", "+1", "01", " 1", "é", ""}[r.IntN(10)])
		}
		text, _ := json.Marshal(path)
		steps, paths = append(steps, path), append(paths, string(text))
	}
	rows, err := db.QueryContext(t.Context(), `SELECT d @> o, d = o, jsonb_typeof(d) = 'object' AND d ? p[1], coalesce(d #> p = o, false), d::text
		FROM (SELECT n, d::jsonb AS d, o::jsonb AS o, ARRAY(SELECT jsonb_array_elements_text(p::jsonb)) AS p
			FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS x(d, o, p, n)) y ORDER BY n`, pq.Array(documents), pq.Array(others), pq.Array(paths))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	holds := 0
	for i := 0; rows.Next(); i++ {
		var contains, equal, has, at bool
		var text string
		if err := rows.Scan(&contains, &equal, &has, &at, &text); err != nil {
			t.Fatal(err)
		}
		d, o := []byte(documents[i]), []byte(others[i])
		want := fmt.Sprint(contains, equal, has, at)
		if got := fmt.Sprint(scalar.JSONContains(d, o), scalar.JSONEqual(d, o), scalar.JSONHasKey(d, steps[i][0]), scalar.JSONAt(d, steps[i], o)); got != want {
			t.Errorf("%s and %s, %q: %s, want %s", d, o, steps[i], got, want)
		}
		own, ok := scalar.AppendJSON(nil, d)
		theirs, also := scalar.AppendJSON(nil, []byte(text))
		if !ok || !also || string(own) != string(theirs) {
			t.Errorf("%s is written as %s, and as PostgreSQL stores it %s", d, own, theirs)
		}
		if contains && at {
			holds++
		}
	}
	if err := rows.Err(); err != nil || holds < 20 {
		t.Errorf("%v; conditions held %d times", err, holds)
	}
}

// TestStored reads with ent what a mutation has stored.
func TestStored(t *testing.T) {
	t.Parallel()
	b := filled(t)
	var all []string
	for _, db := range b.databases {
		u := unit.New(db, unit.Snapshot)
		ctx := viewer.NewContext(unit.NewContext(t.Context(), u), viewer.System)
		samples, err := ent.FromUnit(ctx).Sample.Query().Order(sample.ByStory()).All(ctx)
		u.Rollback()
		if err != nil || len(samples) != rows {
			t.Fatalf("%s: %d samples, %v", db.Dialect, len(samples), err)
		}
		for _, s := range samples {
			s.ID = [16]byte{}
		}
		text, err := json.Marshal(samples)
		if err != nil {
			t.Fatal(err)
		}
		canonical, _ := scalar.AppendJSON(nil, text)
		all = append(all, string(canonical))
	}
	for i, text := range all[1:] {
		if text != all[0] {
			t.Errorf("ent reads %s, and on the other database %s", all[0], all[i+1])
		}
	}
}

// TestUnwritable stores values by ent that no answer can show: the document null where null is not
// allowed, a day with a time, and on SQLite a number with more digits than its column has.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for i, db := range b.databases {
		u := unit.New(db, unit.Write)
		ctx := viewer.NewContext(unit.NewContext(t.Context(), u), viewer.System)
		update := ent.FromUnit(ctx).Sample.Update().Where(sample.Story("0")).SetDocument(json.RawMessage("null")).SetMaybeDocument(json.RawMessage("null"))
		if db.Dialect == dialect.SQLite {
			update.SetMaybePrice(decimal.RequireFromString("0.005")).SetMaybeDay(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC))
		}
		err := update.Exec(ctx)
		if err == nil {
			err = u.Commit(ctx)
		}
		u.Rollback()
		if err != nil {
			t.Fatal(err)
		}
		c := b.clients[i]
		got := c.Do(`{ samples(where: {maybeDocumentIsNil: true}) { nodes { story maybeDocument } } }`, nil)
		if names := stories(got.At("samples.nodes")); names != "0 2 5 8" || got.At("samples.nodes.0.maybeDocument") != nil {
			t.Errorf("documents that are null: %s", got)
		}
		if got := c.WantCode("INTERNAL", `{ samples(first: 1) { nodes { document } } }`, nil); got.Data != nil {
			t.Errorf("a document that may not be null: %s", got)
		}
		if db.Dialect == dialect.SQLite {
			c.WantCode("INTERNAL", `{ samples(first: 1) { nodes { maybePrice } } }`, nil)
			c.WantCode("INTERNAL", `{ samples(first: 1) { nodes { maybeDay } } }`, nil)
		}
	}
}

// TestInFloats finds random floats in a list, which SQLite has as JSON.
func TestInFloats(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.EmptySQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE floats (value real)"); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var texts []string
		conn, _ := db.Conn(t.Context())
		for range 200 {
			f := math.Float64frombits(r.Uint64())
			if math.IsNaN(f) || math.IsInf(f, 0) {
				continue
			}
			texts = append(texts, strconv.FormatFloat(f, 'g', -1, 64))
			if _, err := conn.ExecContext(context.Background(), "INSERT INTO floats VALUES (?)", f); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close()
		list := "[" + strings.Join(texts, ",") + "]"
		var found int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM floats WHERE value IN (SELECT value FROM json_each(?))", list).Scan(&found); err != nil || found < len(texts) {
			t.Fatalf("%d of %d floats are found, %v", found, len(texts), err)
		}
	}
}
