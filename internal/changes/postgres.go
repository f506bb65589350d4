package changes

import (
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/migrator/catalog"
)

// postgres returns a function, and the triggers that call it once for each statement. It writes to
// the log as the owner of the table, so that whoever may change rows need not be allowed to.
func (t triggers) postgres() catalog.Object {
	to := log(dialect.Postgres).Name
	into := fmt.Sprintf("INSERT INTO %s (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, %s", to, quoted(t.logged.Prefix))
	text := fmt.Sprintf(`CREATE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    %[1]s, %[2]s LIMIT %[3]d;
  WHEN 'UPDATE' THEN
    %[1]s, %[4]s LIMIT %[3]d;
  WHEN 'DELETE' THEN
    %[1]s, %[5]s LIMIT %[3]d;
  ELSE
    %[1]s, %[6]d, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > %[7]d THEN
    DELETE FROM %[8]s WHERE xid = pg_current_xact_id()::text::bigint AND type = %[9]s;
    %[1]s, %[6]d, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$

`, into, t.inserted(), mostRows+1, t.updated(), t.removed(), Many, mostRows, to, quoted(t.logged.Prefix))
	table := catalog.Quote(t.table)
	for _, event := range []struct{ name, does, referencing string }{
		{"_insert", "INSERT", " REFERENCING NEW TABLE AS after_rows"},
		{"_update", "UPDATE", " REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows"},
		{"_delete", "DELETE", " REFERENCING OLD TABLE AS before_rows"},
		{"_truncate", "TRUNCATE", ""},
	} {
		text += fmt.Sprintf("CREATE TRIGGER NAME%s AFTER %s ON %s%s FOR EACH STATEMENT EXECUTE FUNCTION NAME()\n\n", event.name, event.does, table, event.referencing)
	}
	return t.named(strings.TrimSuffix(text, "\n\n"), "_insert", "_update", "_delete", "_truncate", "")
}

// inserted returns the changes that new rows are.
func (t triggers) inserted() string {
	op := Created
	if !t.own {
		op = Updated
	}
	return fmt.Sprintf("%d, %s::text, %s FROM after_rows n WHERE %s", op, in("n", t.key), t.refsOf("n"), t.counts("n"))
}

// removed returns the changes that removed rows are.
func (t triggers) removed() string {
	op := Removed
	if !t.own {
		op = Updated
	}
	return fmt.Sprintf("%d, %s::text, %s FROM before_rows o WHERE %s", op, in("o", t.key), t.refsOf("o"), t.counts("o"))
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

// updated returns the changes that updated rows are. A row whose key was changed is removed, and
// another one created. A row that moved from one other row to another is a change of both.
func (t triggers) updated() string {
	if !t.own {
		before, after := t.values("before_rows"), t.values("after_rows")
		return fmt.Sprintf(`%d, key::text, NULL FROM (
      (%[2]s EXCEPT ALL %[3]s) UNION ALL (%[3]s EXCEPT ALL %[2]s)
    ) changed WHERE key IS NOT NULL GROUP BY key`, Updated, before, after)
	}
	op := fmt.Sprintf("WHEN o.%[1]s IS NULL THEN %[2]d WHEN n.%[1]s IS NULL THEN %[3]d", catalog.Quote(t.key), Created, Removed)
	shown := "true"
	if t.deleted != "" {
		before, after := in("o", t.deleted), in("n", t.deleted)
		op += fmt.Sprintf(" WHEN %s IS NULL AND %s IS NOT NULL THEN %d WHEN %[1]s IS NOT NULL AND %[2]s IS NULL THEN %[4]d", before, after, Removed, Created)
		shown = fmt.Sprintf("(o.%[1]s IS NOT NULL AND %[2]s IS NULL OR n.%[1]s IS NOT NULL AND %[3]s IS NULL)", catalog.Quote(t.key), before, after)
	}
	return fmt.Sprintf(`CASE %s ELSE %d END, coalesce(%s, %s)::text, %s
      FROM before_rows o FULL JOIN after_rows n ON %[4]s = %[3]s
      WHERE %[6]s AND %[7]s`, op, Updated, in("n", t.key), in("o", t.key), t.refsOf("o", "n"), t.differ("o", "n", " IS DISTINCT FROM ", comparable), shown)
}

// values returns a query of the values that count, after the key.
func (t triggers) values(rows string) string {
	list := []string{catalog.Quote(t.key) + " AS key"}
	for _, f := range t.columns {
		list = append(list, comparable(f, catalog.Quote(f.Column)))
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + rows
}

// comparable returns the value of a column in a form that PostgreSQL can compare.
func comparable(f *entity.Field, column string) string {
	switch f.Kind {
	case entity.JSON, entity.List, entity.Other: // the type json has no equality
		return column + "::text"
	}
	return column
}

// refsOf returns the references of a row, before and after a change: the column of each, and the
// key in it.
func (t triggers) refsOf(rows ...string) string {
	if len(t.refs) == 0 {
		return "NULL::text[]"
	}
	var all []string
	for i, row := range rows {
		for _, f := range t.refs {
			ref := quoted(f.Column+"=") + " || " + in(row, f.Column) + "::text"
			if i > 0 {
				ref = fmt.Sprintf("CASE WHEN %s IS DISTINCT FROM %s THEN %s END", in(row, f.Column), in(rows[0], f.Column), ref)
			}
			all = append(all, ref)
		}
	}
	return "array_remove(ARRAY[" + strings.Join(all, ", ") + "], NULL)"
}
