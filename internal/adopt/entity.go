package adopt

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
)

// Entity is what a table becomes.
type Entity struct {
	Name    string // of the type
	Prefix  string // of the IDs
	Table   *Table
	Key     *Column // nil if the rows have a key of two columns, and join those of two others
	Columns []*Column
	Edges   []*Edge
	Indexes []Index
	Checks  map[string]string
	Comment string
	// ReadOnly is why no row can be created, or "".
	ReadOnly string
	Pair     [2]*Column // the two columns of the key, if there is no Key

	fields map[string]bool // the names that are taken in the API
}

// Column is what a column becomes.
type Column struct {
	*atlas.Column
	Kind
	Field     string // the name in ent/schema
	Nullable  bool
	Default   string // as Go
	DBDefault bool   // the database gives new rows their key
	Imports   []string
	Sensitive bool
	Comment   string
}

// Index is an index over columns, by their names in ent/schema.
type Index struct {
	Name   string
	Fields []string
	Unique bool
	Where  string
	Desc   []string
}

// Names are names that the source tree has already.
type Names struct {
	Types    []string // of the schema, and of package schema
	Prefixes []string
}

// Make plans an application of the tables of a database.
func Make(d *Database, taken Names) *Plan {
	p := &Plan{Dialect: d.Dialect, Notes: d.Others}
	m := maker{Plan: p, of: map[*atlas.Table]*Entity{}, types: slices.Clone(taken.Types), prefixes: map[string]bool{}}
	for _, prefix := range taken.Prefixes {
		m.prefixes[prefix] = true
	}
	seen := map[string]string{}
	var tables []*Table
	path := d.searchPath()
	for _, t := range d.Tables {
		reason := d.shadowed(t, path)
		if reason == "" {
			reason = unusable(t, seen)
		}
		if reason != "" {
			p.leaveOut(t.Path(), reason)
			continue
		}
		tables = append(tables, t)
	}
	m.columns(tables)
	m.relate(tables)
	names := map[string]bool{}
	for _, e := range p.Entities {
		m.indexes(e)
		m.checks(e)
		for i := range e.Indexes { // one name is one index in all schemas together
			name := strings.ToLower(e.Indexes[i].Name)
			if names[name] {
				e.Indexes[i].Name = ""
			}
			names[name] = name != ""
		}
	}
	slices.SortFunc(p.Entities, func(a, b *Entity) int { return strings.Compare(a.Name, b.Name) })
	p.sortNotes()
	return p
}

// searchPath returns the schemas in which a server looks for tables, in this order; see
// application.Application.Schemas.
func (d *Database) searchPath() []string {
	path := []string{"public"}
	for _, t := range d.Tables {
		if t.Schema != "" && !slices.Contains(path, t.Schema) {
			path = append(path, t.Schema)
		}
	}
	slices.Sort(path[1:])
	return path
}

// shadowed returns why a server would find another table of the name of t, or "".
func (d *Database) shadowed(t *Table, path []string) string {
	for _, schema := range path[:max(0, slices.Index(path, t.Schema))] {
		if slices.Contains(d.Names[t.Name], schema) {
			return fmt.Sprintf("the schema %s has a table or a view of the same name, and comes before it where a server looks for tables; rename one, or leave that schema out with --schema", schema)
		}
	}
	return ""
}

// maker makes a plan.
type maker struct {
	*Plan
	of       map[*atlas.Table]*Entity
	types    []string
	prefixes map[string]bool
}

// unusable returns why a table cannot be an entity, or "".
func unusable(t *Table, seen map[string]string) string {
	key := strings.ToLower(t.Name)
	if other := seen[key]; other != "" {
		return "its name is that of " + other + ", and a server sees both under one name; rename one, or name the tables to adopt"
	}
	switch {
	case !storable(t.Name):
		return fmt.Sprintf("its name %q has characters that stand for something else in SQL that is generated", t.Name)
	case typeName(t.Name) == "":
		return "nothing of its name can be the name of a type: it has neither Latin letters nor digits"
	case len(t.keyColumns()) == 0:
		return "it has no primary key, and no unique columns that are never NULL, so that its rows have no ID"
	}
	seen[key] = t.Path()
	return ""
}

// columns makes entities of the tables, with their columns. Tables that only join two others are
// left to relate.
func (m *maker) columns(tables []*Table) {
	for _, t := range tables {
		e := &Entity{Table: t, Comment: comment(t.Attrs), fields: map[string]bool{"id": true}, Checks: map[string]string{}}
		switch keys := t.keyColumns(); {
		case len(keys) == 1:
			key, reason := m.key(t, keys[0])
			if reason != "" {
				m.leaveOut(t.Path(), reason)
				continue
			}
			e.Key = key
		case t.joins() == nil:
			names := make([]string, 0, len(keys))
			for _, c := range keys {
				names = append(names, c.Name)
			}
			reason := "its key has several columns (" + strings.Join(names, ", ") + "), which Forge has for tables alone that join two others by their keys"
			if t.Partitioned {
				reason = "it is partitioned, and " + reason
			}
			m.leaveOut(t.Path(), reason)
			continue
		}
		e.Name = freeType(typeName(t.Name), t.Schema, m.types)
		m.types = append(m.types, e.Name)
		e.Prefix = prefixOf(e.Name, m.prefixes)
		m.of[t.Table] = e
		m.Entities = append(m.Entities, e)
		if t.Partitioned {
			m.note(t.Path(), "it is partitioned; a new database has it as one table")
		}
		if t.Exclusive {
			m.note(t.Path(), "its exclusion constraints are the database's alone: what they refuse is an error without a field")
		}
	}
	m.dropIncompleteJoins()
	for _, e := range m.Entities {
		m.fields(e)
	}
}

// dropIncompleteJoins leaves out the tables that join others of which one is left out.
func (m *maker) dropIncompleteJoins() {
	m.Entities = slices.DeleteFunc(m.Entities, func(e *Entity) bool {
		if e.Key != nil {
			return false
		}
		for _, fk := range e.Table.joins() {
			if m.target(fk) == nil {
				m.leaveOut(e.Table.Path(), "it joins "+fk.RefTable.Name+", which is left out, and its own key has several columns")
				delete(m.of, e.Table.Table)
				return true
			}
		}
		return false
	})
}

// key returns the column of a key, or why it cannot be one.
func (m *maker) key(t *Table, c *atlas.Column) (*Column, string) {
	k, reason := t.kindOf(c, m.Dialect)
	if reason != "" {
		return nil, "its key " + c.Name + " cannot be an ID: " + reason
	}
	if !storable(c.Name) {
		return nil, fmt.Sprintf("its key %q has a name that cannot stand in SQL that is generated", c.Name)
	}
	key := &Column{Column: c, Kind: k, Field: "id", Comment: comment(c.Attrs), Imports: k.Imports}
	switch {
	case k.form == "number" && !strings.Contains(k.Go, "Float"):
		onPostgres := map[string]string{kindInt16.Go: "smallint", kindInt32.Go: "integer", kindInt64.Go: "bigint", kindInt.Go: "bigint"}[k.Go]
		key.Kind = kindInt // of 64 bits in Go, so that no number of an ID is cut off
		if m.Dialect == dialect.Postgres {
			key.Postgres = onPostgres
		}
		key.DBDefault = m.numbered(t, c)
	case k.form == "text" && k.SQLite == "" && k.Postgres != "citext":
	case k.form == "uuid":
		key.Default = "uuid.New"
	default:
		return nil, "its key " + c.Name + " is of the type " + c.Type.Raw + "; keys are whole numbers, texts and UUIDs"
	}
	return key, ""
}

// numbered reports whether the database gives new rows their number.
func (m *maker) numbered(t *Table, c *atlas.Column) bool {
	if m.Dialect == dialect.SQLite {
		return declared(c) == "INTEGER" || attr[*sqlite.AutoIncrement](c.Attrs) != nil
	}
	_, serial := c.Type.Type.(*postgres.SerialType)
	return serial || c.Default != nil || attr[*postgres.Identity](c.Attrs) != nil || t.Triggered
}

// fields makes the columns of an entity that are no key.
func (m *maker) fields(e *Entity) {
	t := e.Table
	if e.Key != nil && e.Key.Default == "" && !e.Key.DBDefault && e.Key.form == "number" {
		e.ReadOnly = "the database gives new rows no key, and IDs of numbers are not chosen by clients"
	}
	for _, c := range t.Columns {
		if e.Key != nil && c.Name == e.Key.Name {
			continue
		}
		subject := t.Path() + "." + c.Name
		k, reason := t.kindOf(c, m.Dialect)
		switch {
		case attr[*atlas.GeneratedExpr](c.Attrs) != nil && reason == "":
			reason = "the database generates it, and ent would write it"
		case reason == "" && !storable(c.Name):
			reason = "its name has characters that stand for something else in SQL that is generated"
		}
		if reason != "" {
			m.leaveOut(subject, reason)
			m.mayCreate(e, c)
			continue
		}
		col := &Column{Column: c, Kind: k, Imports: k.Imports, Nullable: c.Type.Null, Comment: comment(c.Attrs), Sensitive: secret(c.Name)}
		if col.Sensitive {
			m.note(subject, "its name is that of a secret, so it is Sensitive(): never shown, compared or written by clients")
			m.mayCreate(e, c)
		}
		m.setDefault(e, col)
		e.Columns = append(e.Columns, col)
	}
}

// mayCreate closes creates if a new row needs a column that the entity does not have.
func (m *maker) mayCreate(e *Entity, c *atlas.Column) {
	generated := attr[*atlas.GeneratedExpr](c.Attrs) != nil
	switch {
	case c.Type.Null || c.Default != nil || generated:
	case e.Table.Triggered:
		m.note(e.Table.Path()+"."+c.Name, "a new row needs it, so the trigger of the table has to fill it")
	case e.ReadOnly == "":
		e.ReadOnly = "a new row needs the column " + c.Name + ", which clients cannot give"
	}
}

func (m *maker) setDefault(e *Entity, col *Column) {
	text := defaultText(col.Column)
	if text == "" {
		return
	}
	value, imports, ok := goDefault(col.Kind, text)
	switch {
	case ok && value != "":
		col.Default, col.Imports = value, append(slices.Clone(col.Imports), imports...)
	case !ok && !col.Nullable && !col.Sensitive:
		m.note(e.Table.Path()+"."+col.Name, "a new row has to be given it: its default, "+text+", is known to the database alone")
	}
}

var secrets = []string{"password", "passwd", "passphrase", "secret", "password hash", "hashed password", "password digest", "encrypted password", "pass hash", "api key",
	"access token", "refresh token", "token hash", "reset token", "otp secret", "totp secret", "private key"}

// secret reports whether the name of a column is that of something that nobody is to see.
func secret(column string) bool {
	of := " " + strings.Join(words(column), " ")
	return slices.ContainsFunc(secrets, func(s string) bool { return strings.HasSuffix(of, " "+s) })
}

func comment(attrs []atlas.Attr) string {
	if c := attr[*atlas.Comment](attrs); c != nil {
		return strings.Join(strings.Fields(c.Text), " ")
	}
	return ""
}

// column returns the column of an entity by its name in the database, or nil.
func (e *Entity) column(name string) *Column {
	if e.Key != nil && e.Key.Name == name {
		return e.Key
	}
	for _, c := range e.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// indexes adds the indexes that are over columns alone. Others serve the database all the same, and
// only a new database lacks them.
func (m *maker) indexes(e *Entity) {
	for _, i := range e.Table.Indexes {
		of := Index{Name: i.Name, Unique: i.Unique}
		if kind := attr[*postgres.IndexType](i.Attrs); kind != nil && !strings.EqualFold(kind.T, "btree") {
			continue
		}
		if where := attr[*postgres.IndexPredicate](i.Attrs); where != nil {
			of.Where = where.P
		} else if where := attr[*sqlite.IndexPredicate](i.Attrs); where != nil {
			of.Where = where.P
		}
		if of.Where != "" {
			text, ok := portable(of.Where)
			if !ok {
				continue
			}
			of.Where = e.Table.quoted(text)
		}
		for _, part := range i.Parts {
			var c *Column
			if part.C != nil {
				c = e.column(part.C.Name)
			}
			if c == nil {
				of.Fields = nil
				break
			}
			of.Fields = append(of.Fields, c.Field)
			if part.Desc {
				of.Desc = append(of.Desc, c.Field)
			}
		}
		if of.Fields == nil || len(of.Fields) == 1 && of.Fields[0] == "id" {
			if of.Fields == nil && i.Unique {
				m.note(e.Table.Path(), "what its unique index "+i.Name+" refuses is an error without a field: it is over expressions, or columns that are left out")
			}
			continue
		}
		if of.Unique && len(of.Fields) == 1 && e.toOne(of.Fields[0]) {
			continue // ent makes it for the edge
		}
		if strings.HasPrefix(of.Name, "sqlite_autoindex") || len(of.Name) > 60 {
			of.Name = ""
		}
		e.Indexes = append(e.Indexes, of)
	}
}

// toOne reports whether a column is the key of an edge that leads to one row in both directions.
func (e *Entity) toOne(field string) bool {
	return slices.ContainsFunc(e.Edges, func(edge *Edge) bool {
		return edge.Inverse && edge.Column != nil && edge.Column.Field == field && edge.Back.Unique
	})
}

// checks adds the conditions that both databases understand.
func (m *maker) checks(e *Entity) {
	for i, a := range e.Table.Attrs {
		check, ok := a.(*atlas.Check)
		if !ok {
			continue
		}
		name := check.Name
		if name == "" {
			name = fmt.Sprintf("%s_check_%d", e.Table.Name, i)
		}
		if text, ok := portable(check.Expr); ok && m.knows(e, text) {
			e.Checks[name] = e.Table.quoted(text)
		} else {
			m.note(e.Table.Path(), "its check "+name+" is the database's alone: what it refuses is BAD_USER_INPUT, and a new database does not have it")
		}
	}
}

// quoted returns a condition in which columns are quoted whose names would otherwise be others on
// PostgreSQL, as it takes capitals for small letters.
func (t *Table) quoted(condition string) string {
	for _, c := range t.Columns {
		if !simpleName.MatchString(c.Name) && !strings.Contains(condition, `"`+c.Name+`"`) && storable(c.Name) {
			condition = regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(c.Name)+`\b`).ReplaceAllLiteralString(condition, `"`+c.Name+`"`)
		}
	}
	return condition
}

var simpleName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// knows reports whether a condition names no column that is left out.
func (m *maker) knows(e *Entity, condition string) bool {
	for _, c := range e.Table.Columns {
		if e.column(c.Name) == nil && strings.Contains(condition, c.Name) {
			return false
		}
	}
	return true
}
