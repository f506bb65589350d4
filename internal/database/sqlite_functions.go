package database

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/scalar"
	"forge/internal/search"
)

// functions is SQLite's driver with what the read engine needs beside SQLite's own functions: the
// order of decimal numbers and of texts by language, functions of groups of rows, conditions on
// JSON documents as PostgreSQL has them, texts in capitals, and how well texts fit a search.
var functions = sync.OnceValue(func() *sqlite.Driver {
	d := new(sqlite.Driver)
	d.MustRegisterCollationUtf8(scalar.DecimalCollation, scalar.CompareDecimals)
	for _, language := range collation.Languages() {
		d.MustRegisterCollationUtf8(collation.Name(language), collation.Comparer(language))
	}
	registerSummaries(d)
	for name, holds := range map[string]func(document []byte, args []string) bool{
		"forge_json_equal":    func(document []byte, args []string) bool { return scalar.JSONEqual(document, []byte(args[0])) },
		"forge_json_contains": func(document []byte, args []string) bool { return scalar.JSONContains(document, []byte(args[0])) },
		"forge_json_has_some": func(document []byte, args []string) bool { return scalar.JSONHasSome(document, []byte(args[0])) },
		"forge_json_has_key":  func(document []byte, args []string) bool { return scalar.JSONHasKey(document, args[0]) },
		"forge_json_at": func(document []byte, args []string) bool {
			var path []string
			return json.Unmarshal([]byte(args[0]), &path) == nil && scalar.JSONAt(document, path, []byte(args[1]))
		},
	} {
		args := int32(2)
		if name == "forge_json_at" {
			args = 3
		}
		d.MustRegisterDeterministicScalarFunction(name, args, onDocument(holds))
	}
	d.MustRegisterDeterministicScalarFunction(search.RelevanceFunction, -1, relevance)
	d.MustRegisterDeterministicScalarFunction("forge_capitals", 1, func(_ *sqlite.FunctionContext, values []driver.Value) (driver.Value, error) {
		if text, ok := values[0].(string); ok {
			return entity.Capitals(text), nil
		}
		return values[0], nil
	})
	return d
})

// relevance is search.Relevance for SQLite.
func relevance(_ *sqlite.FunctionContext, values []driver.Value) (driver.Value, error) {
	texts := make([]string, len(values))
	for i := range texts {
		texts[i], _ = values[i].(string)
	}
	return search.Relevance(strings.Fields(texts[0]), texts[1:]), nil
}

// onDocument returns a function of SQLite that says whether a condition holds of a document. The
// result is NULL if the document is.
func onDocument(holds func(document []byte, args []string) bool) func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	return func(_ *sqlite.FunctionContext, values []driver.Value) (driver.Value, error) {
		var document []byte
		switch v := values[0].(type) {
		case nil:
			return nil, nil
		case []byte:
			document = v
		default: // SQLite stores a document that is a number as one
			document = fmt.Append(nil, v)
		}
		args := make([]string, len(values)-1)
		for i := range args {
			args[i], _ = values[i+1].(string)
		}
		if holds(document, args) {
			return int64(1), nil
		}
		return int64(0), nil
	}
}

// withFunctions opens connections to SQLite that have these functions.
type withFunctions struct{ dsn string }

// Connect opens a connection.
func (c withFunctions) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return functions().Open(c.dsn)
}

// Driver returns the driver.
func (c withFunctions) Driver() driver.Driver { return functions() }
