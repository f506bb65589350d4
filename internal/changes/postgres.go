package changes

import (
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/migrator/catalog"
)

// postgres returns a function, and the triggers that call it: once for each statement, and once for
// each row whose key is changed. The function runs as the owner of the table, so that whoever may
// change rows need not be allowed to write to the log. So it must not find a name or an operator in
// the search_path of the caller: it names the schema of each.
func (t triggers) postgres() catalog.Object {
	to, prefix := "%1$I."+log(dialect.Postgres).Name, formatted(quoted(t.logged.Prefix))
	into := fmt.Sprintf("INSERT INTO %s (xid, type, op, key, refs) SELECT %s, %s", to, currentXID, prefix)
	text := fmt.Sprintf(`DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    %[1]s, %[11]s;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    %[1]s, %[2]s LIMIT %[3]d;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    %[1]s, %[4]s LIMIT %[3]d;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    %[1]s, %[5]s LIMIT %[3]d;
  ELSE
    %[1]s, %[6]d, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) %[7]d THEN
    DELETE FROM %[8]s WHERE xid OPERATOR(pg_catalog.=) %[9]s AND type OPERATOR(pg_catalog.=) %[10]s;
    %[1]s, %[6]d, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$

`, into, formatted(t.inserted("after_rows")), mostRows+1, formatted(t.updated()), formatted(t.removed("before_rows")), Many, mostRows, to, currentXID, prefix,
		formatted(t.rekeyed()))
	table := catalog.Quote(t.table)
	parts := []string{"_insert", "_update", "_delete", "_truncate"}
	for i, event := range []struct{ does, referencing string }{
		{"INSERT", " REFERENCING NEW TABLE AS after_rows"},
		{"UPDATE", " REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows"},
		{"DELETE", " REFERENCING OLD TABLE AS before_rows"},
		{"TRUNCATE", ""},
	} {
		text += fmt.Sprintf("CREATE TRIGGER NAME%s AFTER %s ON %s%s FOR EACH STATEMENT EXECUTE FUNCTION NAME()\n\n", parts[i], event.does, table, event.referencing)
	}
	if t.rowKey != "" {
		text += fmt.Sprintf("CREATE TRIGGER NAME_key AFTER UPDATE OF %s ON %s FOR EACH ROW WHEN (%s IS DISTINCT FROM %s) EXECUTE FUNCTION NAME()\n\n",
			catalog.Quote(t.rowKey), table, in("OLD", t.rowKey), in("NEW", t.rowKey))
		parts = append(parts, "_key")
	}
	return t.named(strings.TrimSuffix(text, "\n\n"), append(parts, "")...)
}

// currentXID is the number of the running transaction, which is the same in its savepoints.
const currentXID = "pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8"

// formatted returns a text from which PostgreSQL's function format makes the given one.
func formatted(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// inserted returns the changes that new rows are.
func (t triggers) inserted(rows string) string {
	if !t.own {
		return t.others(in("n", t.key) + " AS key FROM " + rows + " n")
	}
	return fmt.Sprintf("%d, %s::pg_catalog.text, %s FROM %s n WHERE %s", Created, in("n", t.key), t.refsOf("n"), rows, t.counts("n"))
}

// removed returns the changes that removed rows are.
func (t triggers) removed(rows string) string {
	if !t.own {
		return t.others(in("o", t.key) + " AS key FROM " + rows + " o")
	}
	return fmt.Sprintf("%d, %s::pg_catalog.text, %s FROM %s o WHERE %s", Removed, in("o", t.key), t.refsOf("o"), rows, t.counts("o"))
}

// rekeyed returns the changes that a row is whose key was changed. It is another row then.
func (t triggers) rekeyed() string {
	const before, after = "(SELECT OLD.*)", "(SELECT NEW.*)"
	if !t.own {
		return t.others("key FROM " + before + " o CROSS JOIN " + after + " n " + t.bothKeys())
	}
	return t.removed(before) + " UNION ALL SELECT " + currentXID + ", " + quoted(t.logged.Prefix) + ", " + t.inserted(after)
}

func (t triggers) bothKeys() string {
	return fmt.Sprintf("CROSS JOIN LATERAL (VALUES (%s), (%s)) of (key)", in("o", t.key), in("n", t.key))
}

// others returns the changes of the other rows whose keys a query selects. Each is changed once.
func (t triggers) others(keys string) string {
	return fmt.Sprintf("%d, key::pg_catalog.text, NULL FROM (SELECT DISTINCT %s) changed WHERE key IS NOT NULL", Updated, keys)
}

// counts returns the condition that a row is one for its viewers. A row that belongs to no other
// changes none.
func (t triggers) counts(row string) string {
	switch {
	case t.deleted != "":
		return in(row, t.deleted) + " IS NULL"
	case !t.own:
		return in(row, t.key) + " IS NOT NULL"
	}
	return "true"
}

// updated returns the changes that updated rows are, but for those of rows whose key was changed. A
// row that moved from one other row to another is a change of both.
func (t triggers) updated() string {
	if t.rowKey == "" {
		before, after := t.values("before_rows"), t.values("after_rows")
		return fmt.Sprintf(`%d, key::pg_catalog.text, NULL FROM (
      (%[2]s EXCEPT ALL %[3]s) UNION ALL (%[3]s EXCEPT ALL %[2]s)
    ) changed WHERE key IS NOT NULL GROUP BY key`, Updated, before, after)
	}
	rows := fmt.Sprintf("before_rows o JOIN after_rows n ON %s OPERATOR(pg_catalog.=) %s", in("o", t.rowKey), in("n", t.rowKey))
	if !t.own {
		return t.others("key FROM " + rows + " " + t.bothKeys() + " WHERE " + differ(t.columns, "o", "n"))
	}
	op, shown := fmt.Sprint(int(Updated)), "true"
	if t.deleted != "" {
		before, after := in("o", t.deleted), in("n", t.deleted)
		op = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN %d WHEN %s IS NOT NULL THEN %d ELSE %s END", after, Removed, before, Created, op)
		shown = fmt.Sprintf("(%s IS NULL OR %s IS NULL)", before, after)
	}
	return fmt.Sprintf("%s, %s::pg_catalog.text, %s\n      FROM %s\n      WHERE %s AND %s",
		op, in("n", t.key), t.refsOf("o", "n"), rows, differ(t.columns, "o", "n"), shown)
}

// values returns a query of the values that count, after the key.
func (t triggers) values(rows string) string {
	list := []string{catalog.Quote(t.key) + " AS key"}
	for _, f := range t.columns {
		list = append(list, comparable(f, catalog.Quote(f.Column)))
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + rows
}

// differ returns the condition that two rows have different values in columns. It compares the
// bytes of the values, so that no type needs an equality, and none is looked up.
func differ(columns []*entity.Field, before, after string) string {
	row := func(name string) string {
		var list []string
		for _, f := range columns {
			list = append(list, in(name, f.Column))
		}
		return "ROW(" + strings.Join(list, ", ") + ")::pg_catalog.record"
	}
	return row(before) + " OPERATOR(pg_catalog.*<>) " + row(after)
}

// comparable returns the value of a column in a form that PostgreSQL can compare.
func comparable(f *entity.Field, column string) string {
	switch f.Kind {
	case entity.JSON, entity.List, entity.Other: // the type json has no equality
		return column + "::pg_catalog.text"
	}
	return column
}

// refsOf returns the references of a row, before and after a change: the column of each, and the
// key in it.
func (t triggers) refsOf(rows ...string) string {
	if len(t.refs) == 0 {
		return "NULL::pg_catalog.text[]"
	}
	var all []string
	for i, row := range rows {
		for _, f := range t.refs {
			ref := quoted(f.Column+"=") + " OPERATOR(pg_catalog.||) " + in(row, f.Column) + "::pg_catalog.text"
			if i > 0 {
				ref = fmt.Sprintf("CASE WHEN %s THEN %s END", differ([]*entity.Field{f}, rows[0], row), ref)
			}
			all = append(all, ref)
		}
	}
	return "pg_catalog.array_remove(ARRAY[" + strings.Join(all, ", ") + "], NULL)"
}
