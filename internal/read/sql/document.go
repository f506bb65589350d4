package sql

import (
	"encoding/json"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/lib/pq"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/plan"
)

// document returns a condition on a column of JSON documents or of lists. PostgreSQL has operators
// for them. SQLite calls functions that package database gives to it.
func (f *Conditions) document(by *binding.Filter, name string, value any, path string) (Condition, error) {
	column := expressionOf(by.Field, name, f.Dialect)
	switch by.Op {
	case "":
		return f.withDocument(by, value, path, func(text string) Condition { return f.equals(column, text) })
	case "NEQ":
		return f.withDocument(by, value, path, func(text string) Condition { return f.differs(column, text) })
	case "Contains":
		return f.withDocument(by, value, path, func(text string) Condition { return f.contains(column, text) })
	case "HasKey":
		name, err := kindOf(entity.String).Argument(by.Field, value)
		if err != nil {
			return nil, apperr.BadInput(path, "%s", err)
		}
		return f.call(column, "(jsonb_typeof(%c) = 'object' AND %c ? $)", "forge_json_has_key(%c, $)", name), nil
	case "PathEquals":
		steps, want, at, err := kind.Path(value)
		if err != nil {
			return nil, apperr.BadInput(path+"."+at, "%s", err)
		}
		if f.Dialect == dialect.Postgres {
			return f.call(column, "%c #> $::text[] = $::jsonb", "", pq.Array(steps), want), nil
		}
		text, err := json.Marshal(steps)
		return f.call(column, "", "forge_json_at(%c, $, $)", string(text), want), err
	case "Has":
		return f.list(by, column, []any{value}, path, true)
	case "HasEvery", "HasSome":
		return f.list(by, column, plan.List(value), path, by.Op == "HasEvery")
	default: // IsEmpty
		empty := either(f.equals(column, "[]"), f.equals(column, "null"))
		if value == false {
			return func(s *sql.Selector) *sql.Predicate { return sql.Not(empty(s)) }, nil
		}
		return empty, nil
	}
}

// expression returns what a condition compares, in a query.
type expression func(*sql.Selector) string

// expressionOf returns a column as a document, which PostgreSQL's operators compare.
func expressionOf(f *entity.Field, column, db string) expression {
	as := kind.Document(f)
	return func(s *sql.Selector) string {
		if as == "" || db == dialect.SQLite {
			return s.C(column)
		}
		return strings.Replace(as, "%s", s.C(column), 1)
	}
}

func kindOf(of entity.Kind) *kind.Kind {
	k, _ := kind.Of(of)
	return k
}

// withDocument returns the condition that make returns for the text of a document.
func (f *Conditions) withDocument(by *binding.Filter, value any, path string, make func(text string) Condition) (Condition, error) {
	text, err := argument(by, value, path)
	if err != nil {
		return nil, err
	}
	return make(text.(string)), nil
}

func (f *Conditions) equals(column expression, text string) Condition {
	return f.call(column, "%c = $::jsonb", "forge_json_equal(%c, $)", text)
}

// differs returns the condition that a column holds another document. The document null is neither
// equal nor unequal, as the NULL that it is shown as.
func (f *Conditions) differs(column expression, text string) Condition {
	return f.call(column, "NULLIF(%c, 'null'::jsonb) <> $::jsonb", "CASE WHEN NOT forge_json_equal(%c, 'null') THEN NOT forge_json_equal(%c, $) END", text)
}

func (f *Conditions) contains(column expression, text string) Condition {
	return f.call(column, "%c @> $::jsonb", "forge_json_contains(%c, $)", text)
}

// list returns the condition that a list has every one of some elements, or at least one of them.
func (f *Conditions) list(by *binding.Filter, column expression, elements []any, path string, every bool) (Condition, error) {
	texts := make([]string, len(elements))
	for i, element := range elements {
		at := path
		if by.Op != "Has" {
			at = fmt.Sprintf("%s.%d", path, i)
		}
		text, err := argument(by, element, at)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text.(json.RawMessage))
	}
	switch all := "[" + strings.Join(texts, ",") + "]"; {
	case every && len(elements) == 0:
		return func(s *sql.Selector) *sql.Predicate {
			return sql.P(func(b *sql.Builder) { b.WriteString(column(s) + " IS NOT NULL") })
		}, nil
	case every:
		return f.contains(column, all), nil
	case f.Dialect == dialect.SQLite:
		return f.call(column, "", "forge_json_has_some(%c, $)", all), nil
	}
	for i := range texts {
		texts[i] = "[" + texts[i] + "]"
	}
	return f.call(column, "%c @> ANY($::jsonb[])", "", pq.Array(texts)), nil
}

// isNull returns the condition that a column of documents shows null: it holds NULL, or the
// document null.
func (f *Conditions) isNull(by *binding.Filter, column string) Condition {
	null := func(s *sql.Selector) *sql.Predicate { return sql.IsNull(s.C(column)) }
	of := expressionOf(by.Field, column, f.Dialect)
	return either(null, f.equals(of, "null"))
}

func either(a, b Condition) Condition { return join(sql.Or, []Condition{a, b}) }

// call returns a condition in the words of the database. In the text, %c stands for the column, and
// $ for the next argument.
func (f *Conditions) call(column expression, postgres, sqlite string, args ...any) Condition {
	text := postgres
	if f.Dialect == dialect.SQLite {
		text = sqlite
	}
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			rest := strings.ReplaceAll(text, "%c", column(s))
			for _, arg := range args {
				before, after, _ := strings.Cut(rest, "$")
				b.WriteString(before).Arg(arg)
				rest = after
			}
			b.WriteString(rest)
		})
	}
}
