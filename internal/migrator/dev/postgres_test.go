package dev_test

import (
	"strings"
	"testing"

	"forge/test/dbtest"
)

func TestPostgresOrdersTextByBytes(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.Postgres(t))
	const text = `FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_collation k ON k.oid = attcollation
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND relname <> 'goose_db_version'`
	if n := db.Count(t, "SELECT count(*) "+text); n == 0 {
		t.Fatal("no text columns found")
	}
	rows, err := db.Query("SELECT relname || '.' || attname || ' ' || collname " + text + " AND collname <> 'C'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		t.Errorf("a text column has another collation than C: %s", column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// An index serves both directions of an order with NULLs last.
func TestPostgresIndexesHaveNullsLast(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.Postgres(t))
	db.SetMaxOpenConns(1)
	db.MustExec(t, "SET enable_sort = off")
	db.MustExec(t, "SET enable_seqscan = off")
	db.MustExec(t, "SET enable_bitmapscan = off")
	for order, index := range map[string]string{
		"age ASC NULLS LAST, id ASC":   "hero_age_id",
		"age DESC NULLS LAST, id DESC": "hero_age_desc",
	} {
		var first string // the outermost step, which is a sort when no index has the order
		if err := db.QueryRow("EXPLAIN SELECT id FROM heroes ORDER BY " + order).Scan(&first); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(first, index) {
			t.Errorf("ORDER BY %s is planned as %q, want a scan of %s", order, first, index)
		}
	}
}
