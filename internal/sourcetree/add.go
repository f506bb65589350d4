package sourcetree

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"forge/internal/entity"
	"forge/internal/tree"
	"forge/internal/usage"
)

// Field is a column to add to an entity.
type Field struct {
	Entity, Name, Type string // Type is one of tree.FieldTypes
	Values             []string
	Min, Max           string // the smallest and the largest number, or ""
	Length             int    // the most characters of a text, or 0
	Optional, Unique   bool
	Index              bool
	Default            string // or ""
	Comment            string
	Shown              string // "all", "owners" or "nobody"
}

// imports are the packages that the builders of columns need, by their names.
var imports = map[string]string{"field": "entgo.io/ent/schema/field", "dialect": "entgo.io/ent/dialect", "time": "time", "uuid": "github.com/google/uuid", "decimal": "github.com/shopspring/decimal"}

var columnForm = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// AddField adds a column to an entity: in ent/schema with who sees it, its checks and its index,
// and in the schema. Then it generates code. The Entities of o are not looked at. It returns an
// error, and changes nothing, if the column cannot be added.
func AddField(ctx context.Context, o Options, f Field) error {
	if err := f.check(); err != nil {
		return err
	}
	note := ""
	if !f.Optional && f.Default == "" {
		note = "rows of " + f.Entity + " that are there need a value of " + entity.Snake(f.Name) + ": the migration has to give one, unless the field is --optional or has a --default"
	}
	return change(ctx, o, note, func(t *Tree, e *editor, known *Answer) ([]string, error) {
		if err := wantEntity(known, f.Entity); err != nil {
			return nil, err
		}
		if err := wantNew(known, f.Entity, f.Name); err != nil {
			return nil, err
		}
		if f.Shown == "nobody" {
			return nil, f.add(e, known.Known[f.Entity].Table)
		}
		return []string{f.Entity + "." + apiName(f.Name)}, f.add(e, known.Known[f.Entity].Table)
	})
}

// change edits ent/schema, and then adds fields and edges of entities to the schema. The function
// edit returns their names, such as "Book.pages". The note is printed in the end, unless it is "".
func change(ctx context.Context, o Options, note string, edit func(*Tree, *editor, *Answer) ([]string, error)) error {
	t, err := Open(o.Dir)
	if err != nil {
		return err
	}
	unlock, err := Lock(ctx, t.dir, o.waiting)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := t.ask(ctx, Question{Describe: true})
	if err != nil {
		return err
	}
	if known.Refused != "" {
		return &RefusedError{known.Refused}
	}
	e, err := t.editor()
	if err != nil {
		return err
	}
	names, err := edit(t, e, known)
	if err != nil {
		return err
	}
	if err := e.end(); err != nil {
		return err
	}
	a, err := t.scaffoldOnly(ctx, names)
	if err != nil {
		return err
	}
	if note != "" {
		a.Notes = append(a.Notes, note)
	}
	return t.finish(ctx, o, a)
}

// scaffoldOnly adds the fields and edges of the names to the schema. Those of entities without a
// type are only read, so that ent/schema is checked.
func (t *Tree) scaffoldOnly(ctx context.Context, names []string) (*Answer, error) {
	sdl, err := t.sdl()
	if err != nil {
		return nil, err
	}
	var shown, notes []string
	for _, name := range names {
		of, _, _ := strings.Cut(name, ".")
		if regexp.MustCompile(`(?m)^\s*type ` + of + `\b`).MatchString(sdl) {
			shown = append(shown, name)
		} else {
			notes = append(notes, fmt.Sprintf("schema.graphqls has no type %s; go run . scaffold %[1]s adds it", of))
		}
	}
	if len(shown) == 0 {
		a, err := t.ask(ctx, Question{Describe: true})
		if err == nil && a.Refused != "" {
			err = &RefusedError{a.Refused}
		}
		return &Answer{Notes: notes}, err
	}
	a, err := t.scaffold(ctx, shown)
	if err != nil {
		return nil, err
	}
	a.Notes = append(a.Notes, notes...)
	return a, nil
}

func apiName(name string) string {
	parts := strings.Split(entity.Snake(name), "_")
	for i := range parts[1:] {
		if part := parts[i+1]; part != "" {
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

func wantEntity(known *Answer, name string) error {
	if _, ok := known.Known[name]; !ok {
		return usage.Errorf("ent/schema has no entity %q; it has: %s", name, strings.Join(slices.Sorted(maps.Keys(known.Known)), ", "))
	}
	return nil
}

func wantNew(known *Answer, of, name string) error {
	if !columnForm.MatchString(name) {
		return usage.Errorf("%q is no name for a field or an edge; it consists of letters, digits and _, and begins with a small letter", name)
	}
	taken := func(other string) bool { return strings.EqualFold(entity.Snake(other), entity.Snake(name)) }
	if names := known.Known[of].Names; slices.ContainsFunc(names, taken) {
		return usage.Errorf("%s has a field or an edge %s already; it has: %s", of, name, strings.Join(names, ", "))
	}
	return nil
}

// number reports whether values of the type are numbers.
func (f Field) number() bool {
	return slices.Contains([]string{"int", "bigint", "float", "decimal"}, f.Type)
}

func (f Field) text() bool { return f.Type == "string" || f.Type == "text" }

// check returns an error if what is asked for does not fit the type.
func (f Field) check() error {
	if _, ok := tree.ColumnTypes[f.Type]; !ok {
		return usage.Errorf("%q is no type of a field; allowed: %s", f.Type, strings.Join(tree.FieldTypes(), ", "))
	}
	for _, limit := range []string{f.Min, f.Max} {
		if _, err := strconv.ParseInt(limit, 10, 64); limit != "" && (err != nil || !f.number()) {
			return usage.Errorf("--min and --max are whole numbers, for the types int, bigint, float and decimal")
		}
	}
	switch {
	case f.Length < 0 || f.Length > 0 && !f.text():
		return usage.Errorf("--length is a number of characters, for the types string and text")
	case (f.Type == "enum") != (len(f.Values) > 0):
		return usage.Errorf("--values names the values of the type enum, as in --values=NEW,DONE, and belongs to no other type")
	case !slices.Contains([]string{"all", "owners", "nobody"}, f.Shown):
		return usage.Errorf("--shown is all, owners or nobody")
	case f.Index && slices.Contains([]string{"json", "strings", "ints", "floats"}, f.Type), f.Unique && slices.Contains([]string{"json", "strings", "ints", "floats"}, f.Type):
		return usage.Errorf("a column of the type %s has no index", f.Type)
	}
	_, err := f.defaultSource()
	return err
}

// defaultSource returns the Go source of the default, or "".
func (f Field) defaultSource() (string, error) {
	if f.Default == "" {
		return "", nil
	}
	var err error
	switch f.Type {
	case "string", "text":
		return strconv.Quote(f.Default), nil
	case "enum":
		if !slices.Contains(f.Values, f.Default) {
			return "", usage.Errorf("--default is none of the values %s", strings.Join(f.Values, ", "))
		}
		return strconv.Quote(f.Default), nil
	case "int":
		_, err = strconv.ParseInt(f.Default, 10, 32)
	case "bigint":
		_, err = strconv.ParseInt(f.Default, 10, 64)
	case "float":
		_, err = strconv.ParseFloat(f.Default, 64)
	case "bool":
		_, err = strconv.ParseBool(f.Default)
	default:
		return "", usage.Errorf("--default is for the types string, text, enum, int, bigint, float and bool")
	}
	if err != nil {
		return "", usage.Errorf("--default is %q, which is no %s", f.Default, f.Type)
	}
	return f.Default, nil
}

// builder returns the line of ent/schema.
func (f Field) builder() string {
	column, end := entity.Snake(f.Name), bangOf(!f.Optional)
	var line string
	switch f.Type {
	case "text":
		line = strings.Replace(entity.FieldSource(column, "String"+end), "field.String", "field.Text", 1)
	case "enum":
		line = strings.Replace(entity.FieldSource(column, "String"+end), "field.String", "field.Enum", 1)
		line = strings.Replace(line, ")", fmt.Sprintf(").Values(%s)", quoted(f.Values)), 1)
	default:
		line = entity.FieldSource(column, tree.ColumnTypes[f.Type]+end)
	}
	if f.Length > 0 {
		line += fmt.Sprintf(".MaxRuneLen(%d)", f.Length)
	}
	if value, _ := f.defaultSource(); value != "" { // check has looked at it
		line += ".Default(" + value + ")"
	}
	if f.Comment != "" {
		line += fmt.Sprintf(".Comment(%q)", f.Comment)
	}
	return line
}

func bangOf(is bool) string {
	if is {
		return "!"
	}
	return ""
}

func quoted(list []string) string {
	var all []string
	for _, text := range list {
		all = append(all, strconv.Quote(text))
	}
	return strings.Join(all, ", ")
}

// add writes the column to ent/schema.
func (f Field) add(e *editor, table string) error {
	line := e.blob(f.builder())
	if err := e.list(f.Entity, "Fields", "ent.Field", line); err != nil {
		return err
	}
	s := e.fileOf(f.Entity, "Fields")
	for name, path := range imports {
		if strings.Contains(line, name+".") {
			s.use(path)
		}
	}
	if list := map[string]string{"all": "ShownToAll", "owners": "ShownToOwners"}[f.Shown]; list != "" {
		if err := e.show(f.Entity, list, apiName(f.Name)); err != nil {
			return err
		}
	}
	if condition, what := f.condition(); condition != "" {
		if err := e.check(f.Entity, table+"_"+entity.Snake(f.Name)+what, condition); err != nil {
			return err
		}
	}
	return f.index(e)
}

// condition returns the CHECK of the column, or "", and the end of its name. On SQLite, decimal
// numbers are texts, and would be compared as such.
func (f Field) condition() (condition, what string) {
	column := entity.Snake(f.Name)
	if f.Type == "decimal" {
		column += " + 0"
	}
	switch {
	case f.Length > 0:
		return fmt.Sprintf("length(%s) BETWEEN 1 AND %d", column, f.Length), "_length"
	case f.Min != "" && f.Max != "":
		return fmt.Sprintf("%s BETWEEN %s AND %s", column, f.Min, f.Max), "_range"
	case f.Min == "0":
		return column + " >= 0", "_not_negative"
	case f.Min != "":
		return column + " >= " + f.Min, "_range"
	case f.Max != "":
		return column + " <= " + f.Max, "_range"
	}
	return "", ""
}

// index adds the indexes of the column.
func (f Field) index(e *editor) error {
	column := entity.Snake(f.Name)
	var entries []string
	switch {
	case f.Unique && e.mixes(f.Entity, "SoftDeleted"):
		entries = []string{fmt.Sprintf("index.Fields(%q).Unique().Annotations(entsql.IndexWhere(\"deleted_at IS NULL\"))", column)}
	case f.Unique:
		entries = []string{fmt.Sprintf("index.Fields(%q).Unique()", column)}
	case f.Index && f.Optional:
		entries = []string{fmt.Sprintf("index.Fields(%q, \"id\")", column), fmt.Sprintf("index.Fields(%q, \"id\").StorageKey(%q).Annotations(entsql.DescColumns(%[1]q, \"id\"))",
			column, strings.ToLower(f.Entity)+"_"+column+"_desc")}
	case f.Index:
		entries = []string{fmt.Sprintf("index.Fields(%q, \"id\")", column)}
	default:
		return nil
	}
	return e.indexes(f.Entity, entries...)
}

// indexes adds indexes to an entity.
func (e *editor) indexes(of string, entries ...string) error {
	s, all := e.fileOf(of, "Indexes"), strings.Join(entries, ",\n")
	if strings.Contains(all, "entsql.") {
		s.use("entgo.io/ent/dialect/entsql")
	}
	s.use("entgo.io/ent/schema/index")
	return e.list(of, "Indexes", "ent.Index", all)
}

// mixes reports whether an entity names a mixin.
func (e *editor) mixes(of, mixin string) bool {
	s, f := e.method(of, "Mixin")
	return f != nil && strings.Contains(string(s.text[s.files.Position(f.Pos()).Offset:s.files.Position(f.End()).Offset]), mixin)
}
