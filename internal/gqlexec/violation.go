package gqlexec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/message"
	"forge/internal/viewer"
	"forge/internal/write"
)

// violation returns the client's error if err reports a violated constraint of the database, and
// otherwise nil. It works for the constraints of all entities. An application needs code of its own
// only for a more exact message.
func (p *presenter) violation(ctx context.Context, err error) *apperr.Error {
	v, ok := database.Violation(err)
	if !ok {
		return nil
	}
	path := ""
	if row, ok := errors.AsType[*write.RowError](err); ok {
		path = row.Path
	}
	args := fieldArguments(ctx, path)
	switch v.Rule {
	case database.Unique:
		return p.notUnique(v, args)
	case database.Reference:
		return p.noReference(ctx, v, args)
	case database.Referenced:
		return p.stillReferenced(ctx, err, v, args)
	case database.ForeignKey:
		return apperr.Conflict("", "something that this refers to is not there, or something still refers to it")
	case database.Exclusion:
		return apperr.Conflict(args.whole(), "this overlaps with something that is there already")
	case database.Character:
		return apperr.BadInput(args.withNUL(), "a text has a character that cannot be stored, such as U+0000")
	}
	field := args.of(p.rows, v)
	name := message.New("a value")
	if field != args.whole() {
		name = message.New("%s", last(field))
	}
	f := apperr.BadInput(field, refusal[v.Rule], name)
	f.Cause = err // the cause is logged, because the API itself should have refused the value
	return f
}

// refusal holds messages that begin with the name of the argument.
var refusal = map[database.Rule]string{
	database.Check:    "%s is not one of those that are allowed here",
	database.Required: "%s is missing: it must not be null",
	database.Length:   "%s is longer than the database allows",
	database.Range:    "%s is out of the range that the database allows",
	database.Form:     "%s does not have the form that the database wants",
}

func (p *presenter) notUnique(v database.ConstraintError, args arguments) *apperr.Error {
	field := args.of(p.rows, v)
	if field == args.whole() {
		return apperr.Conflict(field, "there is one with the same values already")
	}
	for _, column := range v.Columns {
		if edge := p.rows.edgeOf(v.Table, column); edge != "" && field == ofEdge(field, edge) {
			return apperr.Conflict(field, "one of the two rows is related by %s already; end that relation first", edge)
		}
	}
	return apperr.AlreadyTaken(field)
}

// noReference returns an error that says which ID in the arguments belongs to no row. PostgreSQL
// reports the key. On SQLite, each ID is looked up.
func (p *presenter) noReference(ctx context.Context, v database.ConstraintError, args arguments) *apperr.Error {
	for _, a := range args.ids(p.rows) {
		if v.Value == a.id.UUID.String() || v.Value == "" && p.rows.absent(ctx, a.id) {
			return input.Missing(ctx, a.path, a.id)
		}
	}
	if asks := viewer.FromContext(ctx); asks.Stranger && (v.Value == "" || v.Value == asks.ID.String()) {
		return input.NoRowOfViewer()
	}
	return apperr.Conflict(args.whole(), "something that this refers to is not there any more")
}

// stillReferenced returns an error that says which type of row still refers to the row that was to
// be removed.
func (p *presenter) stillReferenced(ctx context.Context, err error, v database.ConstraintError, args arguments) *apperr.Error {
	row, what, field := "this", "something else", args.whole()
	if removal, ok := errors.AsType[*write.RemovalError](err); ok {
		field = cmp.Or(field, "where")
		if id, table := p.rows.atFault(ctx, removal.IDs, v); table != "" {
			row, v.Table = id.String(), table
			for _, a := range args.ids(p.rows) {
				if a.id == id {
					field = a.path
				}
			}
		}
	} else {
		for _, a := range args.ids(p.rows) {
			if last(a.path) != "id" {
				continue
			}
			row, field = a.id.String(), a.path
			if v.Table == "" {
				v.Table = p.rows.referringTable(ctx, a.id)
			}
		}
	}
	if e := p.rows.byTable(v.Table); e != nil && len(e.Visible) > 0 {
		what = "a row of the type " + e.Name
	}
	return apperr.Conflict(field, "%s cannot be removed while %s refers to it", row, what)
}

// arguments are the single values in the arguments of a root field, with their paths. The list is
// empty if an error does not belong to one field.
type arguments struct {
	list []argument
	path string // of the row that they are about, if it is one of several
}

type argument struct {
	path  string
	value any // neither an object nor a list
}

// fieldArguments returns the arguments below a path, or all of them if it is "".
func fieldArguments(ctx context.Context, path string) arguments {
	l := arguments{path: path}
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil {
		return l
	}
	values := fc.Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	if path != "" {
		if value := below(values, strings.Split(path, ".")); value != nil {
			l.add(path, value)
		}
		return l
	}
	for _, def := range fc.Field.Definition.Arguments { // in the order of the schema
		if value, ok := values[def.Name]; ok {
			l.add(def.Name, value)
		}
	}
	return l
}

// below returns the value at a path, or nil if there is none. A single value may stand in the place
// of a list of one.
func below(value any, path []string) any {
	for _, name := range path {
		object, isObject := value.(map[string]any)
		list := reflect.ValueOf(value)
		i, err := strconv.Atoi(name)
		switch {
		case isObject && err != nil:
			value = object[name]
		case list.Kind() == reflect.Slice && err == nil && i < list.Len():
			value = list.Index(i).Interface()
		case name != "0":
			return nil
		}
	}
	return value
}

func (l *arguments) add(path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			l.add(path+"."+name, value[name])
		}
	default:
		list := reflect.ValueOf(value)
		if list.Kind() != reflect.Slice {
			l.list = append(l.list, argument{path, value})
			return
		}
		for i := range list.Len() {
			l.add(path+"."+strconv.Itoa(i), list.Index(i).Interface())
		}
	}
}

// key returns the key in an ID as the database reports it, or "" if the value is no ID.
func (a argument) key() string {
	text, _ := a.value.(string)
	if id, err := ids.Parse(text); err == nil {
		return fmt.Sprint(id.Value())
	}
	return ""
}

// whole returns the name of the argument that holds the values to store. It returns "" if no
// argument is an input object or a list.
func (l arguments) whole() string {
	if l.path != "" {
		return l.path
	}
	for _, a := range l.list {
		if top, _, below := strings.Cut(a.path, "."); below {
			return top
		}
	}
	return ""
}

// of returns the path of the argument for the columns of a violated constraint. If no argument
// belongs to them, or several do, it returns the name of the whole argument.
func (l arguments) of(r rows, v database.ConstraintError) string {
	for _, column := range r.columnsOf(v) {
		name, shown := r.nameOf(v.Table, column)
		edge := r.edgeOf(v.Table, column)
		var found, same []string
		for _, a := range l.list {
			path := a.path
			if last(path) != name {
				path = ofEdge(path, edge)
			}
			if path == "" || slices.Contains(found, path) {
				continue
			}
			found = append(found, path)
			if v.Value != "" && (fmt.Sprint(a.value) == v.Value || a.key() == v.Value) {
				same = append(same, path)
			}
		}
		if i := slices.IndexFunc(found, func(path string) bool {
			return path == ofEdge(path, edge) && strings.HasPrefix(path, l.whole()+"."+edge+".")
		}); i >= 0 {
			return found[i] // of the row itself
		}
		if len(same) > 0 {
			return same[len(same)-1] // of two that are the same, the second is at fault
		}
		switch {
		case len(found) == 1:
			return found[0]
		case len(found) > 1:
			return l.whole() // nothing tells which of several rows it is
		case shown && len(l.list) > 0 && l.whole() == "":
			return name
		case shown && len(l.list) > 0 && v.Rule == database.Required:
			return l.whole() + "." + name // the value was left out
		}
	}
	return l.whole()
}

// ofEdge returns the path of the part of a nested input that relates a row by an edge, if the
// argument at a path is that part or stands in it. Otherwise it returns "".
func ofEdge(path, edge string) string {
	for _, part := range []string{"connect", "create"} {
		if before, _, ok := strings.Cut(path+".", "."+edge+"."+part+"."); ok && edge != "" {
			return before + "." + edge + "." + part
		}
	}
	return ""
}

// withNUL returns the path of the first string that contains a NUL character.
func (l arguments) withNUL() string {
	for _, a := range l.list {
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

// ids returns the IDs among the arguments: at most a hundred, because each may be looked up.
func (l arguments) ids(r rows) (found []namedID) {
	for _, a := range l.list {
		if s, ok := a.value.(string); ok && len(found) < 100 {
			if id, err := ids.Parse(s); err == nil && r.tableOf(id) != "" {
				found = append(found, namedID{a.path, id})
			}
		}
	}
	return found
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
