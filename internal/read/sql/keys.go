package sql

import (
	"cmp"
	"encoding/json"
	"strconv"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
)

// keyLists are PostgreSQL's types of lists of keys.
var keyLists = map[ids.Form]string{ids.UUID: "uuid[]", ids.Number: "int8[]", ids.Text: "text[]"}

// kindOfColumn returns the kind of a column, which is that of the form of its keys if it holds
// keys.
func kindOfColumn(c binding.Column) *kind.Kind {
	switch {
	case c.Kind == entity.ID:
		return kind.OfKey(c.Form)
	case isExactSum(c.Measure):
		return kind.OfSum
	}
	return kindOf(c.Kind)
}

// conversion returns the expression with which a database returns the values of a column, with %s
// for the column. It is "" if the values are returned as they are.
func conversion(c binding.Column, db string) string {
	if db == dialect.SQLite {
		return c.SQLite
	}
	return cmp.Or(c.Postgres, kindOfColumn(c).Convert)
}

// keyValue returns a key as an argument.
func keyValue(key ids.Key, of ids.Form) any {
	switch of {
	case ids.UUID:
		return key.UUID
	case ids.Number:
		return number(key)
	default:
		return key.Text
	}
}

// number returns a key of the form Number.
func number(key ids.Key) int64 {
	n, err := strconv.ParseInt(key.Text, 10, 64)
	if err != nil {
		panic(err) // whoever made the key has checked it
	}
	return n
}

// keyOf returns the key of an argument that keyValue has made.
func keyOf(value any) ids.Key {
	switch v := value.(type) {
	case uuid.UUID:
		return ids.Key{UUID: v}
	case int64:
		return ids.Key{Text: strconv.FormatInt(v, 10)}
	default:
		return ids.Key{Text: v.(string)}
	}
}

// keyList returns keys as one argument: an array on PostgreSQL, and a JSON text on SQLite.
func keyList(db string, keys []ids.Key, of ids.Form) any {
	var list any
	switch of {
	case ids.UUID:
		return each(keys, func(key ids.Key) uuid.UUID { return key.UUID })
	case ids.Number:
		list = each(keys, number)
	default:
		list = each(keys, func(key ids.Key) string { return key.Text })
	}
	if db == dialect.Postgres {
		return pq.Array(list)
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // of numbers and texts alone
	}
	return string(text)
}

func each[T any](keys []ids.Key, of func(ids.Key) T) []T {
	list := make([]T, len(keys))
	for i, key := range keys {
		list[i] = of(key)
	}
	return list
}

// isKey returns the condition that a column holds the key in an argument. On PostgreSQL, a number
// has 64 bits even if the column has fewer, so that no number is out of range.
func isKey(s *sql.Selector, column string, key any, of ids.Form) *sql.Predicate {
	if of == ids.Number && s.Dialect() == dialect.Postgres {
		return sql.P(func(b *sql.Builder) { b.Ident(column).WriteString(" = ").Arg(key).WriteString("::int8") })
	}
	return sql.EQ(column, key)
}

// HasKey returns the condition that a column holds one of several keys.
func HasKey(db, column string, of ids.Form, keys []ids.Key) Condition {
	l := list{of: keyLists[of], element: listedKey(of), cast: true, values: keyList(db, keys, of)}
	return func(s *sql.Selector) *sql.Predicate { return l.compare(s, s.C(column)) }
}

// listedKey returns the key in a row p of SQLite's json_each.
func listedKey(of ids.Form) string {
	if of == ids.UUID {
		return "unhex(p.value)"
	}
	return "p.value"
}
