package sql

import (
	"strings"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/binding"
)

// longestSought is how many bytes a text may have that is looked for inside of other texts. A
// database may compare it with each place in each of them.
const longestSought = 1 << 10

// text returns a condition on the middle or the end of the texts in a column, or on the whole of
// them regardless of case. An index of trigrams serves LIKE on PostgreSQL.
func (f *Conditions) text(by *binding.Filter, column string, value any, path string) (Condition, error) {
	if text, ok := value.(string); ok && len(text) > longestSought && by.Op != "EqualFold" {
		return nil, apperr.BadInput(path, "this text has %d bytes; one that is looked for in others has at most %d", len(text), longestSought)
	}
	arg, err := argument(by, value, path)
	if err != nil {
		return nil, err
	}
	sought := arg.(string)
	postgres, to, sqlite := "%c", "$", "%c"
	if by.Folds() {
		postgres, to, sqlite = capitals("%c"), "(SELECT "+capitals("$::text")+")", "forge_capitals(%c)"
		if f.Dialect == dialect.SQLite {
			sought = entity.Capitals(sought)
		}
	}
	like := "%" + wildcards.Replace(sought)
	switch {
	case by.Op == "EqualFold":
		return f.call(plain(column), postgres+" = "+to, sqlite+" = $", sought), nil
	case f.Dialect == dialect.SQLite && by.Op == "HasSuffix":
		return f.call(plain(column), "", "substr(%c, length(%c) + 1 - $) = $", utf8.RuneCountInString(sought), sought), nil
	case f.Dialect == dialect.SQLite:
		return f.call(plain(column), "", "instr("+sqlite+", $) > 0", sought), nil
	case by.Op != "HasSuffix":
		like += "%"
	}
	return f.call(plain(column), postgres+" LIKE "+to, "", like), nil
}

// plain returns a column as it is.
func plain(column string) expression { return func(s *sql.Selector) string { return s.C(column) } }

// capitals returns PostgreSQL's expression for a text in capitals, as entity.Capitals returns it.
func capitals(text string) string { return `upper(` + text + ` COLLATE "und-x-icu")` }

// wildcards escapes the characters that mean something to LIKE.
var wildcards = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)
