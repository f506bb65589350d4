package graph

import (
	"context"
	"database/sql"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/migrate"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// violation returns the client's error for a rule of the database that err reports as broken, or nil if it reports none. Code of
// its own is needed only where an entity has more to say.
func violation(ctx context.Context, err error) *apperr.Error {
	v, ok := database.Violation(err)
	if !ok {
		return nil
	}
	args := argumentsOf(ctx)
	switch v.Rule {
	case database.Unique:
		return notUnique(v, args)
	case database.Reference:
		return noReference(ctx, v, args)
	case database.Referenced:
		return stillReferenced(ctx, v, args)
	case database.ForeignKey:
		return apperr.Conflict("", "something that this refers to is not there, or something still refers to it")
	case database.Exclusion:
		return apperr.Conflict(args.whole(), "this overlaps with something that is there already")
	case database.Character:
		return apperr.BadInput(args.withNUL(), "a text has a character that cannot be stored, such as U+0000")
	}
	field := args.of(v)
	name := "a value"
	if field != args.whole() {
		name = last(field)
	}
	f := apperr.BadInput(field, "%s %s", name, refusal[v.Rule])
	f.Cause = err // what was sent passed the checks of the API, which should have known
	return f
}

// refusal goes on after the name of the argument that breaks a rule.
var refusal = map[database.Rule]string{
	database.Check:    "is not one of those that are allowed here",
	database.Required: "is missing: it must not be null",
	database.Length:   "is longer than the database allows",
	database.Range:    "is out of the range that the database allows",
	database.Form:     "does not have the form that the database wants",
}

func notUnique(v database.ConstraintError, args arguments) *apperr.Error {
	field := args.of(v)
	if field == args.whole() {
		return apperr.Conflict(field, "there is one with the same values already")
	}
	return apperr.AlreadyTaken(field)
}

// noReference says which of the IDs that were sent leads to nothing. PostgreSQL names the key; on SQLite each is looked for.
func noReference(ctx context.Context, v database.ConstraintError, args arguments) *apperr.Error {
	for _, a := range args.ids() {
		if v.Value == a.id.UUID.String() || v.Value == "" && absent(ctx, a.id) {
			return missingAt(ctx, a.path, a.id)
		}
	}
	if asks := viewer.FromContext(ctx); asks.Stranger && (v.Value == "" || v.Value == asks.ID.String()) {
		return nobodyHere()
	}
	return apperr.Conflict(args.whole(), "something that this refers to is not there any more")
}

// nobodyHere returns the FORBIDDEN for a provider's user of whom there is no row, so that nothing can belong to them.
func nobodyHere() *apperr.Error {
	return apperr.Forbidden("", "you are signed in by a provider, and there is no user here that is you, so nothing can be yours: "+
		"ask an administrator for one, whose ID your token then names")
}

// stillReferenced says what refers to the row that is to go, by the name that its kind has in the API.
func stillReferenced(ctx context.Context, v database.ConstraintError, args arguments) *apperr.Error {
	row, what := "this", "something else"
	for _, a := range args.ids() {
		if last(a.path) != "id" {
			continue
		}
		row = a.id.String()
		if v.Table == "" {
			v.Table = referringTable(ctx, a.id)
		}
	}
	if e := described(v.Table); e != nil && len(e.Visible) > 0 {
		what = "a row of the type " + e.Name
	}
	return apperr.Conflict("id", "%s cannot be removed while %s refers to it", row, what)
}

// described returns the entity of a table, or nil.
func described(table string) *entity.Entity {
	i := slices.IndexFunc(ent.Entities, func(e *entity.Entity) bool { return e.Table == table })
	if i < 0 {
		return nil
	}
	return ent.Entities[i]
}

// tableOf returns the table that an ID's row is in, "" if there is none.
func tableOf(id ids.ID) string {
	for _, e := range ent.Entities {
		if e.Prefix == id.Prefix {
			return e.Table
		}
	}
	return ""
}

// absent reports whether there is no row of an ID. It is for SQLite, where a statement that failed does not end the transaction.
func absent(ctx context.Context, id ids.ID) bool {
	there, err := exists(ctx, tableOf(id), "id", id.UUID)
	return err == nil && !there
}

// referringTable returns the table whose rows keep the row of an ID from being removed, on SQLite; "" if it is not found.
func referringTable(ctx context.Context, id ids.ID) (table string) {
	u := unit.FromContext(ctx)
	type end struct{ table, column string }
	var ends []end
	err := u.Rows(ctx, func(rows *sql.Rows) error {
		for rows.Next() {
			var e end
			if err := rows.Scan(&e.table, &e.column); err != nil {
				return err
			}
			ends = append(ends, e)
		}
		return nil
	}, `SELECT t.name, f."from" FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table' AND f."table" = ? `+
		`AND f.on_delete IN ('NO ACTION', 'RESTRICT') ORDER BY 1, 2`, tableOf(id))
	if err != nil {
		return ""
	}
	for _, e := range ends {
		if there, err := exists(ctx, e.table, e.column, id.UUID); there && err == nil {
			return e.table
		}
	}
	return ""
}

func exists(ctx context.Context, table, column string, key uuid.UUID) (there bool, err error) {
	err = unit.FromContext(ctx).Rows(ctx, func(rows *sql.Rows) error {
		there = rows.Next()
		return nil
	}, "SELECT 1 FROM "+quote(table)+" WHERE "+quote(column)+" = ? LIMIT 1", key)
	return there, err
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// arguments are those of a root field, each value with its path. There are none where an error is not one field's own.
type arguments []argument

type argument struct {
	path  string
	value any // no object, and no list
}

func argumentsOf(ctx context.Context) (list arguments) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil {
		return nil
	}
	given := fc.Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	for _, def := range fc.Field.Definition.Arguments { // in the order of the schema
		if value, ok := given[def.Name]; ok {
			list = list.with(def.Name, value)
		}
	}
	return list
}

func (l arguments) with(path string, value any) arguments {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			l = l.with(path+"."+name, value[name])
		}
	default:
		list := reflect.ValueOf(value)
		if list.Kind() != reflect.Slice {
			return append(l, argument{path, value})
		}
		for i := range list.Len() {
			l = l.with(path+"."+strconv.Itoa(i), list.Index(i).Interface())
		}
	}
	return l
}

// whole returns the name of the argument that holds what is to be stored, "" if there is none.
func (l arguments) whole() string {
	for _, a := range l {
		if top, _, below := strings.Cut(a.path, "."); below {
			return top
		}
	}
	return ""
}

// of returns the path of the argument that a rule's columns come from, or that of all if there is no such one, or there are many.
func (l arguments) of(v database.ConstraintError) string {
	for _, column := range columnsOf(v) {
		name, shown := nameOf(v.Table, column)
		var found []string
		for _, a := range l {
			if last(a.path) == name {
				found = append(found, a.path)
			}
		}
		switch {
		case len(found) == 1:
			return found[0]
		case len(found) > 1:
			return l.whole() // of many rows, nobody knows which
		case shown && len(l) > 0 && l.whole() == "":
			return name
		case shown && len(l) > 0 && v.Rule == database.Required:
			return l.whole() + "." + name // it was left out
		}
	}
	return l.whole()
}

// columnsOf returns the columns that a rule is about. Of a CHECK constraint they are those of its condition, if ent/schema has it.
func columnsOf(v database.ConstraintError) []string {
	if v.Rule != database.Check || len(v.Columns) > 0 {
		return v.Columns
	}
	for _, table := range migrate.Tables {
		if table.Annotation == nil || table.Annotation.Checks[v.Name] == "" {
			continue
		}
		var columns []string
		for _, word := range word.FindAllString(table.Annotation.Checks[v.Name], -1) {
			if table.HasColumn(word) && !slices.Contains(columns, word) {
				columns = append(columns, word)
			}
		}
		return columns
	}
	return nil
}

var word = regexp.MustCompile(`\w+`)

// nameOf returns the name of a column in the API, and whether anybody sees it there.
func nameOf(table, column string) (name string, shown bool) {
	if e := described(table); e != nil {
		for _, is := range []func(entity.Field) bool{
			func(f entity.Field) bool { return f.MatchBy == column }, // what clients know it by
			func(f entity.Field) bool { return f.Column == column },
		} {
			if i := slices.IndexFunc(e.Fields, is); i >= 0 {
				name = e.Fields[i].Name
				return name, e.Visible[name] != entity.ToNobody
			}
		}
	}
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, ""), false
}

// withNUL returns the path of the first text with a NUL in it.
func (l arguments) withNUL() string {
	for _, a := range l {
		if s, ok := a.value.(string); ok && strings.Contains(s, "\x00") {
			return a.path
		}
	}
	return l.whole()
}

type namedID struct {
	path string
	id   ids.ID
}

// ids returns the IDs among the arguments, a hundred at most: each may be looked for.
func (l arguments) ids() (found []namedID) {
	for _, a := range l {
		if s, ok := a.value.(string); ok && len(found) < 100 {
			if id, err := ids.Parse(s); err == nil && tableOf(id) != "" {
				found = append(found, namedID{a.path, id})
			}
		}
	}
	return found
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
