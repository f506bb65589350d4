package write

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/schema"
)

// bindUpsert binds the argument onConflict: each value of its enum names the columns of a unique
// index, which fields of the input have to set.
func (b *binder) bindUpsert(at string, m *Mutation, a *ast.ArgumentDefinition) {
	def, e := b.Schema.Types[a.Type.Name()], m.input.entity
	on, do := def.Fields.ForName("on"), def.Fields.ForName("do")
	if a.Type.Elem != nil || a.Type.NonNull || def.Kind != ast.InputObject || len(def.Fields) != 2 || on == nil || do == nil || !on.Type.NonNull || !do.Type.NonNull {
		b.refuse(at, "its type is %s; allowed is an input object of two fields, on: %sUnique! and do: OnConflict!", a.Type, e.Name)
		return
	}
	b.wantEnum(def.Name+".do", do.Type, "UPDATE", "NOTHING")
	keys, place := UniqueKeys(b.Tables, e), def.Name+".on"
	b.wantEnum(place, on.Type, slices.Sorted(maps.Keys(keys))...)
	m.uniques, m.keys = map[string]*unique{}, allUnique(m, keys)
	for _, v := range b.Schema.Types[on.Type.Name()].EnumValues {
		if columns := keys[v.Name]; columns != nil {
			m.uniques[v.Name] = b.bindUnique(place, m, v.Name, columns)
		}
	}
}

// bindUnique finds the fields of the input that set the columns of a unique index.
func (b *binder) bindUnique(at string, m *Mutation, name string, columns []string) *unique {
	u, missing := uniqueOf(m, name, columns)
	for _, column := range missing {
		b.refuse(at, "no field of the input sets the column %s, which %s looks for; add one, or take %[2]s out", column, name)
	}
	return u
}

// uniqueOf returns the fields of the input that set some columns, and the columns that none sets.
func uniqueOf(m *Mutation, name string, columns []string) (u *unique, missing []string) {
	u = &unique{name: name}
	if tenant := rule.Tenant(m.input.entity); slices.Contains(columns, tenant) {
		u.tenant = tenant
	}
	for _, column := range columns {
		i, folded := slices.IndexFunc(m.input.fields, func(f *field) bool { return f.key() == column }), ""
		if i < 0 {
			i, folded = slices.IndexFunc(m.input.fields, func(f *field) bool { return f.column != nil && f.column.MatchBy == column }), column
		}
		if i < 0 && column == u.tenant {
			u.unnamed = true
			continue
		}
		if i < 0 {
			missing = append(missing, column)
			continue
		}
		u.fields, u.folded = append(u.fields, i), append(u.folded, folded)
	}
	return u, missing
}

// allUnique returns the unique keys whose columns the input sets, in the order of its fields.
func allUnique(m *Mutation, keys map[string][]string) (all []*unique) {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if u, missing := uniqueOf(m, name, keys[name]); len(missing) == 0 && !u.unnamed {
			all = append(all, u)
		}
	}
	slices.SortStableFunc(all, func(a, b *unique) int { return slices.Min(a.fields) - slices.Min(b.fields) })
	return all
}

// UniqueKeys returns the columns of the unique keys of an entity's table, by their names in the
// API: of the primary key, of unique columns, and of indexes. An index with a condition is not
// among them, unless the condition leaves out deleted rows.
func UniqueKeys(tables []*schema.Table, e *entity.Entity) map[string][]string {
	keys := map[string][]string{}
	add := func(columns ...string) {
		var names []string
		for _, c := range columns {
			names = append(names, enumName(shownName(e, c)))
		}
		keys[strings.Join(names, "_")] = columns
	}
	add(e.Fields[0].Column)
	for _, t := range tables {
		if t.Name != e.Table {
			continue
		}
		for _, c := range t.Columns {
			if c.Unique {
				add(c.Name)
			}
		}
		for _, index := range t.Indexes {
			partial := index.Annotation != nil && index.Annotation.Where != "" && (e.Deleted == "" || !strings.Contains(index.Annotation.Where, e.Deleted))
			if index.Unique && !partial {
				var columns []string
				for _, c := range index.Columns {
					columns = append(columns, c.Name)
				}
				add(columns...)
			}
		}
	}
	return keys
}

// shownName returns the API name of a column, or of the column whose filters compare it.
func shownName(e *entity.Entity, column string) string {
	for _, is := range []func(f entity.Field) bool{
		func(f entity.Field) bool { return f.MatchBy == column },
		func(f entity.Field) bool { return f.Column == column },
	} {
		if i := slices.IndexFunc(e.Fields, is); i >= 0 {
			return e.Fields[i].Name
		}
	}
	for _, edge := range e.Edges {
		if edge.OwnKey && edge.Column == column {
			return edge.Name + "Id"
		}
	}
	return column
}

// enumName returns a name as enums have it: OWNER_ID for ownerId.
func enumName(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
