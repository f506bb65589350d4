package changes

import (
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/ids"
	"forge/internal/migrator/catalog"
)

// sqlite returns the triggers, which run once for each row. SQLite has no TRUNCATE; its REPLACE
// removes rows without a trigger, but Forge does not use it.
func (t triggers) sqlite() catalog.Object {
	to, table := log(dialect.SQLite).Name, catalog.Quote(t.table)
	into := func(op, row, refs, when string) string {
		return fmt.Sprintf("  INSERT INTO %s (type, op, key, refs) SELECT %s, %s, %s, %s WHERE %s;\n", to, quoted(t.logged.Prefix), op, t.keyOf(row), refs, when)
	}
	created, removed := fmt.Sprint(int(Created)), fmt.Sprint(int(Removed))
	updated := fmt.Sprint(int(Updated))
	if !t.own {
		created, removed = updated, updated
	}
	trigger := func(event, does, body string) string {
		return fmt.Sprintf("CREATE TRIGGER NAME_%s AFTER %s ON %s BEGIN\n%sEND", event, does, table, body)
	}
	var differ []string
	for _, f := range t.columns {
		differ = append(differ, in("old", f.Column)+" IS NOT "+in("new", f.Column))
	}
	moved := in("old", t.key) + " IS NOT " + in("new", t.key)
	change := into(t.updatedOp(), "new", t.jsonRefs("old", "new"), fmt.Sprintf("NOT (%s) AND (%s) AND %s", moved, strings.Join(differ, " OR "), t.shown())) +
		into(removed, "old", t.jsonRefs("old"), moved+" AND "+t.counts("old")) +
		into(created, "new", t.jsonRefs("new"), moved+" AND "+t.counts("new"))
	return t.named(strings.Join([]string{
		trigger("insert", "INSERT", into(created, "new", t.jsonRefs("new"), t.counts("new"))),
		trigger("update", "UPDATE", change),
		trigger("delete", "DELETE", into(removed, "old", t.jsonRefs("old"), t.counts("old"))),
	}, "\n\n"), "_insert", "_update", "_delete")
}

// updatedOp returns what the update of a row is: a row that is marked as deleted is removed.
func (t triggers) updatedOp() string {
	if t.deleted == "" {
		return fmt.Sprint(int(Updated))
	}
	return fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN %d WHEN %s IS NOT NULL THEN %d ELSE %d END",
		in("new", t.deleted), Removed, in("old", t.deleted), Created, Updated)
}

// shown returns the condition that an updated row is or was one for its viewers.
func (t triggers) shown() string {
	if t.deleted == "" {
		return t.counts("new")
	}
	return fmt.Sprintf("(%s OR %s)", t.counts("old"), t.counts("new"))
}

// keyOf returns the key of a row as a text. SQLite stores UUIDs as bytes.
func (t triggers) keyOf(row string) string { return keyText(in(row, t.key), t.form) }

func keyText(column string, form ids.Form) string {
	if form == ids.UUID {
		return "lower(hex(" + column + "))"
	}
	return "CAST(" + column + " AS TEXT)"
}

// jsonRefs returns the references of a row as a list of JSON, with null for those that are NULL.
func (t triggers) jsonRefs(rows ...string) string {
	var all []string
	for i, row := range rows {
		for _, f := range t.refs {
			column := in(row, f.Column)
			ref := fmt.Sprintf("%s || CASE typeof(%s) WHEN 'blob' THEN %s ELSE %s END", quoted(f.Column+"="), column, keyText(column, ids.UUID), keyText(column, ids.Text))
			if i > 0 {
				ref = fmt.Sprintf("CASE WHEN %s IS NOT %s THEN %s END", column, in(rows[0], f.Column), ref)
			}
			all = append(all, ref)
		}
	}
	if all == nil {
		return "NULL"
	}
	return "json_array(" + strings.Join(all, ", ") + ")"
}
