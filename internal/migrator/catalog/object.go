package catalog

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"entgo.io/ent/dialect"
)

// An Object is something that Forge keeps in a database beside the tables of ent, such as an index
// of words. It consists of parts: functions, indexes, tables and triggers. Its name ends with a
// hash of its definition, so that a database has either this definition or no object of the name.
type Object struct {
	Name   string   // forge_, what it is for, and 12 hexadecimal digits
	Table  string   // the table that it is about, or ""
	Create []string // the statements; the first of these names in each is the object's
	Parts  []string // the names of the parts: that of the object, or one that goes on with _ and letters
}

// NewObject returns an object whose statements are text, with its name in the place of NAME. Blank
// lines stand between them. about is what the object is for, table the table that it is about, or
// "", and parts are the ends of the names of its parts. PostgreSQL keeps 63 bytes of a name.
func NewObject(about, table, text string, parts ...string) Object {
	begin := about
	if table != "" {
		name := unusual.ReplaceAllString(strings.ToLower(table), "_")
		begin += "_" + name[:min(len(name), 30)]
	}
	o := Object{Name: fmt.Sprintf("forge_%s_%.6x", begin, sha256.Sum256([]byte(text))), Table: table}
	for _, statement := range strings.Split(text, "\n\n") {
		o.Create = append(o.Create, strings.ReplaceAll(statement, "NAME", o.Name))
	}
	for _, part := range parts {
		o.Parts = append(o.Parts, o.Name+part)
	}
	return o
}

var unusual = regexp.MustCompile(`[^a-z0-9]+`)

var objectName = regexp.MustCompile(`\b(forge_[a-z0-9_]*?_[0-9a-f]{12})(?:_[a-z]+)?\b`)

// ObjectIn returns the name of the first object whose name, or that of a part, is in a text. It
// returns "" if there is none.
func ObjectIn(text string) string {
	if m := objectName.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// IsPart reports whether a name is that of a part of an object.
func IsPart(name string) bool { return name != "" && objectName.FindString(name) == name }

// A Part is a part of an object in a database.
type Part struct {
	Name string
	Drop string // the statement that drops it
}

// Parts returns the parts of all objects in a database, in an order in which they can be dropped.
func Parts(ctx context.Context, db Querier, name string) (parts []Part, err error) {
	query := postgresParts
	if name == dialect.SQLite {
		query = sqliteParts
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Part
		if err := rows.Scan(&p.Name, &p.Drop); err != nil {
			return nil, err
		}
		if IsPart(p.Name) {
			parts = append(parts, p)
		}
	}
	return parts, rows.Err()
}

// sqliteParts leaves out the tables that virtual tables make for themselves.
const sqliteParts = `SELECT name, 'DROP ' || upper(type) || ' ' || name FROM sqlite_master
WHERE name LIKE 'forge%' AND type IN ('table', 'trigger') AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
ORDER BY type DESC, name`

const postgresParts = `
SELECT name, statement FROM (
  SELECT tgname AS name, 'DROP TRIGGER ' || tgname || ' ON ' || quote_ident(relname) AS statement, 1 AS place
  FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal
  UNION ALL
  SELECT relname, CASE relkind WHEN 'i' THEN 'DROP INDEX ' ELSE 'DROP TABLE ' END || relname, 2
  FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('i', 'r')
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)
  UNION ALL
  SELECT proname, 'DROP FUNCTION ' || proname, 3 FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
) parts WHERE name LIKE 'forge%' ORDER BY place, name`
