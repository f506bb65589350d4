package search_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"golang.org/x/text/unicode/norm"

	"forge/internal/entity"
	"forge/internal/migrator/catalog"
	"forge/internal/search"
	"forge/test/dbtest"

	_ "modernc.org/sqlite"
)

// notes is an entity whose title and text are searched.
var notes = &entity.Entity{Name: "Note", Table: "notes", Search: []string{"title", "text"}, Fields: []entity.Field{
	{Name: "id", Column: "id", Refers: "Note"}, {Name: "title", Column: "title"}, {Name: "text", Column: "text"},
}}

// objects returns what keeps the words of the notes.
func objects(name string) []string {
	var statements []string
	for _, o := range search.Objects([]*entity.Entity{notes})(name) {
		statements = append(statements, o.Create...)
	}
	return statements
}

func mustOpen(t *testing.T, driver, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Doctor Hammer":                     "doctor|hammer",
		"ham ham HAM":                       "ham",
		"Jean-Luc's  e-mail: a.b@c.example": "jean|luc|s|e|mail|a|b|c|example",
		"4.5 kg, No. 7":                     "4|5|kg|no|7",
		"Crème BRÛLÉE, cre\u0300me":         "creme|brulee",
		"Straße STRASSE":                    "straße|strasse",
		"Iğdır İzmir":                       "igdır|izmir",
		"ΣΊΣΥΦΟΣ σίσυφος":                   "σίσυφοσ",
		"Σι\u0301συφος":                     "σίσυφοσ",
		"Ёлка ёлка й":                       "ёлка|й",
		"हिन्दी שָׁלוֹם":                    "हिन्दी|שָׁלוֹם",
		"東京タワー、大阪":                          "東京タワー|大阪",
		"'; DROP TABLE heroes; --":          "drop|table|heroes",
		"NEAR(a b) OR \"c\"* ^d":            "near|a|b|or|c|d",
		"a & !b | c:* <-> \\'":              "a|b|c",
		"ham\xffmer \xed\xa0\x80x":          "ham|mer|x",
		"x\u0000y \U0001F600z":              "x|y|z",
	} {
		words, err := search.Words(text)
		if got := strings.Join(words, "|"); got != want || err != nil {
			t.Errorf("%q has the words %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "no word", " \t": "no word", "&|!": "no word", "*": "no word", "\u0301": "no word",
		strings.Repeat("a", 257): "257 bytes",
		"a b c d e f g h i j k":  "11 words",
	} {
		if words, err := search.Words(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q has the words %q, %v; want an error about %q", text, words, err, want)
		}
	}
}

func TestRelevance(t *testing.T) {
	t.Parallel()
	words := []string{"red", "hat"}
	var last int64 = -1
	for _, texts := range [][]string{
		{"Redhat", "hats"}, {"Redhat", "hat"}, {"Redhat", "a red, red hat"}, {"Red", "hats"}, {"red red", "hat"}, {"The RED hat", ""},
	} {
		r := search.Relevance(words, texts)
		if r <= last {
			t.Errorf("%q has the relevance %d, and what fits less has %d", texts, r, last)
		}
		last = r
	}
}

// unicode returns texts that have all characters between letters, each in one word or between two.
// It leaves out surrogates, the zero character, which PostgreSQL does not store, and most of those
// planes in which no letter has another form.
func unicode() (texts []string) {
	var b strings.Builder
	for r := rune(1); r <= 0x1ffff; r++ {
		if r >= 0xd800 && r < 0xe000 || r >= 0x3500 && r < 0x4d00 || r >= 0x5000 && r < 0x9f00 || r >= 0xac80 && r < 0xd700 || r >= 0x12000 && r < 0x1d000 && r%16 > 0 {
			continue
		}
		fmt.Fprintf(&b, "x%cy!", r)
		if r%256 == 255 {
			texts = append(texts, b.String())
			b.Reset()
		}
	}
	return append(texts, strings.Repeat("ж", 300)+" "+strings.Repeat("ж", 257)+" "+strings.Repeat("a", 3000), "")
}

// TestSplitIsThatOfSQLite compares Split with the tokenizer of FTS5, for all characters.
func TestSplitIsThatOfSQLite(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, "sqlite", ":memory:")
	create := objects(dialect.SQLite)
	i := slices.IndexFunc(create, func(s string) bool { return strings.Contains(s, "fts5") })
	_, options, _ := strings.Cut(create[i], "columnsize=0, ")
	mustExec(t, db, "CREATE VIRTUAL TABLE f USING fts5(words, "+options, "CREATE VIRTUAL TABLE v USING fts5vocab(f, instance)", "BEGIN")
	texts := unicode()
	for i, text := range texts {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO f (rowid, words) VALUES (?, ?)", i, text); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := db.QueryContext(t.Context(), "SELECT term, doc FROM v ORDER BY doc, offset")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := make([][]string, len(texts))
	for rows.Next() {
		var word string
		var at int
		if err := rows.Scan(&word, &at); err != nil {
			t.Fatal(err)
		}
		got[at] = append(got[at], word)
	}
	for i, text := range texts {
		compare(t, text, search.Split(text), got[i])
	}
}

// TestSplitIsThatOfPostgres compares Split with the function on PostgreSQL, for all characters, in
// a database whose own functions know no letters but those of ASCII, and in one that knows them
// all.
func TestSplitIsThatOfPostgres(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(dbtest.EmptyPostgres(t))
	if err != nil {
		t.Fatal(err)
	}
	admin := mustOpen(t, "postgres", address.String())
	texts := unicode()
	for i, locale := range []string{"C", "C.UTF-8"} {
		name := fmt.Sprintf("%s_%d", strings.TrimPrefix(address.Path, "/"), i)
		mustExec(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' LOCALE '"+locale+"'")
		at := *address
		at.Path = "/" + name
		db := mustOpen(t, "postgres", at.String())
		t.Cleanup(func() { admin.Exec("DROP DATABASE " + name + " WITH (FORCE)") })
		create := objects(dialect.Postgres)
		mustExec(t, db, "CREATE TABLE notes (id bigint PRIMARY KEY, title text, text text)")
		mustExec(t, db, create...)
		function, _, _ := strings.Cut(strings.TrimPrefix(create[0], "CREATE FUNCTION "), "(")
		for _, text := range texts {
			var got []string
			if err := db.QueryRowContext(t.Context(), "SELECT tsvector_to_array("+function+"($1))", text).Scan(pq.Array(&got)); err != nil {
				t.Fatal(err)
			}
			want := search.Split(text)
			for i, word := range want {
				if runes := []rune(word); len(runes) > search.MaxBytes {
					want[i] = string(runes[:search.MaxBytes+1]) // a search has no longer words
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			compare(t, text, slices.Compact(want), got)
		}
	}
}

func compare(t *testing.T, text string, want, got []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Errorf("%.20q…: the words from %d on are %q; Split has %q", text, i, got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
			return
		}
	}
}

// TestQueriesAreValid has both databases run queries for texts at random, of operators and of
// letters of all kinds. None may be an error, and each has to find the row with the text.
func TestQueriesAreValid(t *testing.T) {
	t.Parallel()
	lite, postgres := mustOpen(t, "sqlite", ":memory:"), mustOpen(t, "postgres", dbtest.EmptyPostgres(t))
	lite.SetMaxOpenConns(1)
	create := objects(dialect.SQLite)
	i := slices.IndexFunc(create, func(s string) bool { return strings.Contains(s, "fts5") })
	_, options, _ := strings.Cut(create[i], "columnsize=0, ")
	mustExec(t, lite, "CREATE VIRTUAL TABLE f USING fts5(words, "+options)
	function := objects(dialect.Postgres)[0]
	mustExec(t, postgres, function)
	name, _, _ := strings.Cut(strings.TrimPrefix(function, "CREATE FUNCTION "), "(")
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"'", `"`, `\`, ":", "*", "&", "|", "!", "<->", "<2>", "(", ")", "^", "-", "+", "{", "}", "NEAR(", "AND", "OR", "NOT", "words:", "%", "_", "$1", "?", ";", "--",
		"a", "Zz", "7", "é", "e\u0301", "\u0301", "ß", "İ", "ı", "ё", "東", "\u200d", "\ufeff", "\U0001F600", "\U000e0001", "\ue000", "\u0378", "\x01", "\x7f", "\t", "\u00a0"}
	for range 2000 {
		var text string
		for range 1 + r.IntN(12) {
			text += parts[r.IntN(len(parts))] + []string{"", "", " "}[r.IntN(3)]
		}
		words, err := search.Words(text)
		if err != nil {
			continue
		}
		text = norm.NFC.String(text)
		var found int
		mustExec(t, lite, "DELETE FROM f")
		if _, err := lite.ExecContext(t.Context(), "INSERT INTO f (words) VALUES (?)", text); err != nil {
			t.Fatal(err)
		}
		if err := lite.QueryRowContext(t.Context(), "SELECT count(*) FROM f WHERE f MATCH ?", search.Query(dialect.SQLite, words)).Scan(&found); err != nil || found != 1 {
			t.Errorf("SQLite: %q finds itself %d times: %v", text, found, err)
		}
		var itself bool
		if err := postgres.QueryRowContext(t.Context(), "SELECT "+name+"($1) @@ $2::tsquery", text, search.Query(dialect.Postgres, words)).Scan(&itself); err != nil || !itself {
			t.Errorf("PostgreSQL: %q finds itself: %t, %v", text, itself, err)
		}
	}
}

// TestColumnsNamedAsThoseOfTheIndex searches a table whose columns have the names that the index
// itself uses: rows that were there before the index, and later ones.
func TestColumnsNamedAsThoseOfTheIndex(t *testing.T) {
	t.Parallel()
	invoices := &entity.Entity{Name: "Invoice", Table: "invoices", Search: []string{"number", "key", "words"}, Fields: []entity.Field{
		{Name: "id", Column: "id", Refers: "Invoice"}, {Name: "number", Column: "Number"}, {Name: "key", Column: "key"}, {Name: "words", Column: "words"},
	}}
	for name, db := range map[string]*sql.DB{
		dialect.SQLite: mustOpen(t, "sqlite", ":memory:"), dialect.Postgres: mustOpen(t, "postgres", dbtest.EmptyPostgres(t)),
	} {
		mustExec(t, db, `CREATE TABLE invoices (id bigint PRIMARY KEY, "Number" text, "key" text, words text)`, "INSERT INTO invoices VALUES (1, 'A-17', 'first', 'paid')")
		for _, o := range search.Objects([]*entity.Entity{invoices})(name) {
			mustExec(t, db, o.Create...)
		}
		mustExec(t, db, "INSERT INTO invoices VALUES (2, 'B-18', 'second', 'paid')", "UPDATE invoices SET words = 'unpaid' WHERE id = 2")
		for text, want := range map[string]int{"17": 1, "first": 1, "b 18": 2, "second": 2, "unpaid": 2, "paid": 1} {
			condition := strings.ReplaceAll(search.Of(invoices).Condition(name, catalog.Quote), search.Argument, "$1")
			var found int
			if err := db.QueryRowContext(t.Context(), "SELECT sum(id) FROM invoices WHERE "+condition, search.Query(name, strings.Fields(text))).Scan(&found); err != nil || found != want {
				t.Errorf("%s: %q finds the invoices %d, %v; want %d", name, text, found, err, want)
			}
		}
	}
}
