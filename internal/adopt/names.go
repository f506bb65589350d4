package adopt

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"entgo.io/ent/entc/gen"
	"github.com/go-openapi/inflect"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// words returns the words of a name in a database, in lower case: "InvoiceLine", "invoice_line" and
// "invoice line" have the same two. Accents are dropped, and so is what is neither a Latin letter
// nor a digit.
func words(name string) (all []string) {
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn))), name)
	if err != nil {
		plain = name
	}
	var word []rune
	end := func() {
		if word != nil {
			all = append(all, strings.ToLower(string(word)))
		}
		word = nil
	}
	letters := []rune(plain)
	for i, r := range letters {
		if r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		// A capital begins a word after a small letter, and before one if it ends an abbreviation.
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			end()
		}
		word = append(word, r)
	}
	end()
	return all
}

// snake returns a name as columns are named in ent/schema, or "" if nothing of it is left.
func snake(name string) string {
	text := strings.Join(words(name), "_")
	if text != "" && unicode.IsDigit(rune(text[0])) {
		return "n" + text
	}
	return text
}

// pascal returns words as types are named.
func pascal(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// singular returns a noun for one of what a word names.
func singular(word string) string {
	for _, end := range []string{"ss", "us", "is", "news", "series", "species"} {
		if strings.HasSuffix(word, end) {
			return word
		}
	}
	return inflect.Singularize(word)
}

// plural returns a noun for many of what a word names.
func plural(word string) string { return inflect.Pluralize(singular(word)) }

// typeName returns the name of an entity for a table: "InvoiceLine" for invoice_lines.
func typeName(table string) string {
	of := words(table)
	if len(of) == 0 {
		return ""
	}
	of[len(of)-1] = singular(of[len(of)-1])
	if unicode.IsDigit(rune(of[0][0])) {
		of[0] = "n" + of[0]
	}
	return pascal(of)
}

// many returns the name of an edge to many rows of an entity: "invoice_lines" for InvoiceLine.
func many(entity string) string {
	of := words(entity)
	of[len(of)-1] = plural(of[len(of)-1])
	return strings.Join(of, "_")
}

// one returns the name of an edge to one row of an entity.
func one(entity string) string { return strings.Join(words(entity), "_") }

// derived are the ends of the names of types that the schema has beside that of an entity.
var derived = []string{"Connection", "Edge", "WhereInput", "Order", "OrderField", "Aggregate", "Group", "GroupBy", "GroupKey", "GroupField", "GroupOrder",
	"Having", "Unique", "Input", "Payload", "Change", "Changes"}

// usual are names of types that each schema has, or may have, and that entities must not have.
var usual = []string{"Query", "Mutation", "Subscription", "Node", "Nodes", "PageInfo", "Cursor", "ID", "Int", "Float", "String", "Boolean", "Time", "BigInt", "Decimal",
	"Date", "LocalTime", "Duration", "JSON", "Bytes", "UUID", "Role", "Viewer", "OrderDirection", "OnError", "ConflictAction", "TimeBucket", "JSONPathInput",
	// These are names of ent's, or of packages that generated code needs.
	"Ent", "Entities", "Migrate", "Intercept", "Predicate", "Privacy", "Runtime", "Enttest", "Internal", "Template", "Tx", "Context", "Errors", "Time", "Sql", "Field", "Edge",
	"Index", "Mixin", "Model", "Generated", "Uuid", "Ids", "Fmt", "Reflect", "Slices", "Strings", "Sync", "Json", "Schema", "Dialect", "Entsql", "Sqlgraph", "Decimal", "Array"}

// freeType returns a name for an entity that collides with none of the taken ones: name, or name
// with something before or after it. schema is that of the table.
func freeType(name, schema string, taken []string) string {
	var tries []string
	if schema != "" && schema != "public" {
		if prefix := pascal(words(schema)); prefix != "" && !unicode.IsDigit(rune(prefix[0])) {
			tries = append(tries, prefix+name)
		}
	}
	tries = append([]string{name}, append(tries, name+"Row")...)
	for n := 2; ; n++ {
		for _, try := range tries {
			if isFree(try, taken) {
				return try
			}
		}
		tries = []string{name + "Row" + strconv.Itoa(n)}
	}
}

func isFree(name string, taken []string) bool {
	if gen.ValidSchemaName(name) != nil {
		return false
	}
	same := func(other string) bool { return strings.EqualFold(other, name) }
	if slices.ContainsFunc(usual, same) {
		return false
	}
	for _, other := range taken {
		if same(other) {
			return false
		}
		for _, end := range derived {
			if same(other+end) || strings.EqualFold(other, name+end) {
				return false
			}
		}
	}
	return true
}

// reserved are names of columns and edges that generated code cannot have.
var reserved = []string{"id", "and", "or", "not", "edges", "string", "count"}

// freeField returns a name for a column or an edge that is not among the taken ones.
func freeField(name string, taken map[string]bool) string {
	if name == "" {
		name = "column"
	}
	if slices.Contains(reserved, name) {
		name += "_value"
	}
	try := name
	for n := 2; taken[apiName(try)]; n++ {
		try = name + "_" + strconv.Itoa(n)
	}
	taken[apiName(try)] = true
	return try
}

var camel = gen.Funcs["camel"].(func(string) string)

// apiName returns the name that a column or an edge of ent/schema has in the API.
func apiName(name string) string { return strings.ReplaceAll(camel(name), "ID", "Id") }

// edgeAPIName is like apiName, for an edge.
func edgeAPIName(name string) string { return camel(name) }

// prefixOf returns a prefix for the IDs of an entity: small letters, and none of the taken ones.
func prefixOf(entity string, taken map[string]bool) string {
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(entity))
	for taken[letters] || letters == "" {
		letters += "x"
	}
	taken[letters] = true
	return letters
}

// storable reports whether the name of a table or a column can stand in a statement of ent's.
func storable(name string) bool {
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$' && r != ' ' && r != '-' {
			return false
		}
	}
	// Ent takes these for parts of SQL.
	for _, part := range []string{" AS ", " as "} {
		if strings.Contains(name, part) {
			return false
		}
	}
	return name != "" && !strings.HasPrefix(name, "DISTINCT") && !strings.HasPrefix(name, "ALL") && !strings.HasPrefix(name, "WITH ROLLUP")
}
