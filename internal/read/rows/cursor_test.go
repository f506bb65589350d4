package rows

import (
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/cursorcipher"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
)

// everyTerm is an order by one column of each kind that pages can be ordered by.
var everyTerm = []Term{
	{Column: "age", Kind: entity.Int, Nullable: true},
	{Column: "name", Kind: entity.String, Desc: true},
	{Column: "headquarters", Kind: entity.String, Nullable: true},
	{Column: "created_at", Kind: entity.Time},
	{Column: "status", Kind: entity.Enum},
	{Column: "id", Kind: entity.ID},
}

// keyOnly is the order without an orderBy argument.
var keyOnly = []Term{{Column: "id", Kind: entity.ID}}

var cursors = NewCursors(cursorcipher.New([]byte("a key of 32 bytes, as it has to ")))

var someKey = uuid.MustParse("018f2b6c-0000-7abc-8def-0123456789ab")

// rowOf returns a table with one row, and the indexes of its columns. A nil value stands for NULL.
func rowOf(t testing.TB, terms []Term, values ...any) (*Table, []int) {
	t.Helper()
	tb := &Table{Width: len(terms)}
	row := make([]driver.Value, len(values))
	columns := make([]int, len(values))
	kinds := make([]binding.Column, len(values))
	for i, value := range values {
		if key, ok := value.(uuid.UUID); ok {
			value = key[:]
		}
		row[i], columns[i], kinds[i] = value, i, binding.Column{Kind: terms[i].Kind}
	}
	if err := tb.Add(row, kinds); err != nil {
		t.Fatal(err)
	}
	return tb, columns
}

func TestCursorsRoundTrip(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 1, 2, 15, 4, 5, 6000, time.UTC)
	for _, tt := range []struct {
		terms  []Term
		values []any
	}{
		{keyOnly, []any{someKey}},
		{keyOnly, []any{uuid.UUID{}}},
		{keyOnly, []any{uuid.Max}},
		{everyTerm, []any{int64(5), "Sam", "Yard", moment, "PAID", someKey}},
		{everyTerm, []any{nil, "", nil, moment.Truncate(time.Second), "", someKey}},
		{everyTerm, []any{int64(-1 << 31), "é\U0010FFFF\n\"", "", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "x", someKey}},
		{everyTerm, []any{int64(1<<31 - 1), strings.Repeat("n", 200), strings.Repeat("ß", 100), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), "PENDING", uuid.Max}},
	} {
		tb, columns := rowOf(t, tt.terms, tt.values...)
		text := string(cursors.Append(nil, 7, tt.terms, tb, 0, columns))
		got, err := cursors.Parse(text, 7, tt.terms)
		if err != nil || !reflect.DeepEqual(got, tt.values) {
			t.Errorf("cursor of %v is %s and reads %v, %v", tt.values, text, got, err)
		}
		if strings.ContainsAny(text, "+/= \"\\") {
			t.Errorf("cursor %s cannot stand in a URL or a JSON string as it is", text)
		}
		if _, err := cursors.Parse(text, 8, tt.terms); err == nil {
			t.Errorf("cursor of %v is taken for one of another order", tt.values)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(text)
		for _, value := range tt.values {
			if name, ok := value.(string); ok && len(name) > 3 && bytes.Contains(raw, []byte(name)) {
				t.Errorf("cursor %s tells %q", text, name)
			}
		}
		for i := range raw {
			if _, err := cursors.Parse(base64.RawURLEncoding.EncodeToString(raw[:i]), 7, tt.terms); err == nil {
				t.Errorf("cursor of %v is read from %d of %d bytes", tt.values, i, len(raw))
			}
		}
		for i := range text {
			for _, add := range []string{"\n", "\r", "=", " ", "!", "\x00"} {
				if _, err := cursors.Parse(text[:i]+add+text[i:], 7, tt.terms); err == nil {
					t.Errorf("cursor of %v is read with a %q in it", tt.values, add)
				}
			}
		}
		if _, err := cursors.Parse(base64.RawURLEncoding.EncodeToString(append(raw, 0)), 7, tt.terms); err == nil {
			t.Errorf("cursor of %v is read with a byte too many", tt.values)
		}
	}
}

// TestCursorsRefuse parses cursors that are encrypted for the right list but hold wrong values.
func TestCursorsRefuse(t *testing.T) {
	t.Parallel()
	key := string(someKey[:])
	one := func(kind entity.Kind, nullable bool) []Term {
		return []Term{{Column: "x", Kind: kind, Nullable: nullable}, keyOnly[0]}
	}
	for _, tt := range []struct {
		name  string
		terms []Term
		rest  string
		ok    bool
	}{
		{"key", keyOnly, key, true},
		{"no key", keyOnly, "", false},
		{"a key as text", keyOnly, someKey.String(), false},
		{"NULL", one(entity.Int, true), "\x00" + key, true},
		{"NULL where there is none", one(entity.Int, false), "\x00" + key, false},
		{"number", one(entity.Int, false), "\x035\x35" + key, true},
		{"no number", one(entity.Int, false), "\x02x" + key, false},
		{"an empty number", one(entity.Int, false), "\x01" + key, false},
		{"number past 32 bits", one(entity.Int, false), "\x0b2147483648" + key, true},
		{"number past 64 bits", one(entity.Int, false), "\x149223372036854775808" + key, false},
		{"number with a fraction", one(entity.Int, false), "\x045.5" + key, false},
		{"empty text", one(entity.String, false), "\x01" + key, true},
		{"zero character", one(entity.String, false), "\x03a\x00" + key, false},
		{"not UTF-8", one(entity.String, false), "\x03a\xff" + key, false},
		{"longer than there is", one(entity.String, false), "\x7fa" + key, false},
		{"length past all bounds", one(entity.String, false), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a" + key, false},
		{"length without an end", one(entity.String, false), "\xff\xff", false},
		{"length of 11 bytes", one(entity.String, false), strings.Repeat("\xff", 11) + key, false},
		{"no time", one(entity.Time, false), "\x05noon" + key, false},
		{"a time", one(entity.Time, false), "\x152026-01-02T15:04:05Z" + key, true},
		{"truth values order nothing", one(entity.Bool, false), "\x05true" + key, false},
	} {
		text := string(cursors.cipher.Append(nil, 7, []byte(tt.rest)))
		values, err := cursors.Parse(text, 7, tt.terms)
		if (err == nil) != tt.ok {
			t.Errorf("%s: values %v, error %v; is to be read: %t", tt.name, values, err, tt.ok)
		}
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	seen := map[uint32]string{}
	for _, name := range []string{"User", "Hero", "Team"} {
		for _, terms := range [][]Term{
			keyOnly, {{Column: "id", Desc: true}}, {{Column: "name"}, {Column: "id"}}, {{Column: "name", Desc: true}, {Column: "id"}},
			{{Column: "name", Desc: true}, {Column: "id", Desc: true}}, {{Column: "name"}, {Column: "age"}, {Column: "id"}}, {{Column: "age"}, {Column: "name"}, {Column: "id"}},
		} {
			o := &binding.Object{Entity: &entity.Entity{Name: name}}
			print, what := fingerprint(o, "", terms), fmt.Sprint(name, terms)
			if other, ok := seen[print]; ok {
				t.Errorf("%s and %s have the same fingerprint", what, other)
			}
			seen[print] = what
			if again := fingerprint(o, "", terms); again != print {
				t.Errorf("%s: fingerprint %d, and then %d", what, print, again)
			}
		}
	}
}

// FuzzParseCursor parses any text, encrypted or not. Either the text is refused, or a cursor made
// from its values reads as the same values.
func FuzzParseCursor(f *testing.F) {
	for _, values := range [][]any{{nil, "Sam", "Yard", time.Unix(5, 6000).UTC(), "PAID", someKey}, {someKey}} {
		terms := everyTerm
		if len(values) == 1 {
			terms = keyOnly
		}
		tb, columns := rowOf(f, terms, values...)
		text := string(cursors.Append(nil, 7, terms, tb, 0, columns))
		plain, err := cursors.cipher.Open(text, 7)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(false, text)
		f.Add(true, string(plain))
	}
	f.Add(false, "")
	f.Fuzz(func(t *testing.T, sealed bool, text string) {
		if sealed {
			text = string(cursors.cipher.Append(nil, 7, []byte(text)))
		}
		for _, terms := range [][]Term{keyOnly, everyTerm} {
			values, err := cursors.Parse(text, 7, terms)
			if err != nil {
				continue
			}
			if len(values) != len(terms) {
				t.Fatalf("%q: %d values for %d terms", text, len(values), len(terms))
			}
			tb, columns := rowOf(t, terms, values...)
			again, err := cursors.Parse(string(cursors.Append(nil, 7, terms, tb, 0, columns)), 7, terms)
			if err != nil {
				t.Fatalf("%q reads %v, of which no cursor can be made: %v", text, values, err)
			}
			for i := range values {
				if was, ok := values[i].(time.Time); ok && was.Equal(again[i].(time.Time)) {
					continue
				}
				if !reflect.DeepEqual(values[i], again[i]) {
					t.Fatalf("%q reads %v, and again %v", text, values, again)
				}
			}
		}
	})
}

func TestTable(t *testing.T) {
	t.Parallel()
	tb := &Table{Width: 3}
	three := []binding.Column{{Kind: entity.String}, {Kind: entity.Int}, {Kind: entity.Time}}
	moment := time.Date(2026, 1, 2, 15, 4, 5, 6000, time.UTC)
	for _, row := range [][]driver.Value{{nil, int64(-7), nil}, {"", true, nil}, {[]byte("d"), nil, moment}} {
		if err := tb.Add(append(row, "not a column"), three); err != nil {
			t.Fatal(err)
		}
	}
	cells := [][]byte{nil, []byte("-7"), nil, {}, []byte("true"), nil, []byte("d"), nil, []byte("2026-01-02T15:04:05.000006Z")}
	if tb.Len() != 3 || new(Table).Len() != 0 {
		t.Errorf("%d rows, and %d in an empty table; want 3 and 0", tb.Len(), new(Table).Len())
	}
	for i, want := range cells {
		got, null := tb.Cell(i/3, i%3)
		if null != (want == nil) || !bytes.Equal(got, want) {
			t.Errorf("cell %d is %q, NULL %t; want %q", i, got, null, want)
		}
	}
	key := []binding.Column{{Kind: entity.ID}}
	keys := &Table{Width: 1}
	if err := keys.Add([]driver.Value{someKey[:]}, key); err != nil {
		t.Error(err)
	} else if got, null := keys.Key(0, 0, ids.UUID); got.UUID != someKey || null {
		t.Errorf("the key %s is read as %s", someKey, got)
	}
	for _, value := range []driver.Value{[]byte("short"), []byte(someKey.String()), 1.5} {
		if err := keys.Add([]driver.Value{value}, key); err == nil {
			t.Errorf("%v is taken for a key", value)
		}
	}
}

func BenchmarkAppendCursor(b *testing.B) {
	tb, columns := rowOf(b, everyTerm, int64(5), "Sam Vimes", "Pseudopolis Yard", "2026-01-02T15:04:05.000006Z", "PAID", someKey)
	space := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		cursors.Append(space, 7, everyTerm, tb, 0, columns)
	}
}

func BenchmarkParseCursor(b *testing.B) {
	tb, columns := rowOf(b, everyTerm, int64(5), "Sam Vimes", "Pseudopolis Yard", "2026-01-02T15:04:05.000006Z", "PAID", someKey)
	text := string(cursors.Append(nil, 7, everyTerm, tb, 0, columns))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cursors.Parse(text, 7, everyTerm); err != nil {
			b.Fatal(err)
		}
	}
}
