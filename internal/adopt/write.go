package adopt

import (
	"bytes"
	"fmt"
	"go/format"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Files returns the files of ent/schema, by their names. readers is the group of package rule that
// may read.
func (p *Plan) Files(module, readers string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range p.Entities {
		w := writer{Plan: p, Entity: e, module: module, readers: readers, imports: map[string]bool{"entgo.io/ent": true, "entgo.io/ent/schema": true}}
		text, err := format.Source(w.file())
		if err != nil {
			return nil, fmt.Errorf("write the entity of %s: %w", e.Table.Path(), err)
		}
		files[strings.ToLower(e.Name)+".go"] = text
	}
	return files, nil
}

// writer writes the file of an entity.
type writer struct {
	*Plan
	*Entity
	module, readers string
	imports         map[string]bool
	body            bytes.Buffer
}

func (w *writer) line(text string, args ...any) { fmt.Fprintf(&w.body, text+"\n", args...) }

// use imports a package. Those of the framework are part of the module.
func (w *writer) use(path string) {
	if _, rest, ok := strings.Cut(path, "/internal/"); ok {
		path = w.module + "/internal/" + rest
	}
	w.imports[path] = true
}

func (w *writer) file() []byte {
	about := "is a row of the table " + w.Table.Path() + "."
	if w.Comment != "" {
		about += " " + w.Comment
	}
	for _, line := range wrapped(w.Name + " " + about) {
		w.line("// %s", line)
	}
	w.line("type %s struct{ ent.Schema }\n", w.Name)
	w.annotations()
	w.columns()
	w.edgesOf()
	w.indexesOf()
	w.policy()
	var b bytes.Buffer
	fmt.Fprintf(&b, "package schema\n\nimport (\n")
	var std, others, own []string
	for _, path := range slices.Sorted(maps.Keys(w.imports)) {
		switch first, _, _ := strings.Cut(path, "/"); {
		case path == w.module || strings.HasPrefix(path, w.module+"/"):
			own = append(own, path)
		case strings.Contains(first, "."):
			others = append(others, path)
		default:
			std = append(std, path)
		}
	}
	for _, group := range [][]string{std, others, own} {
		for _, path := range group {
			fmt.Fprintf(&b, "%q\n", path)
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, ")\n\n")
	return append(b.Bytes(), w.body.Bytes()...)
}

// wrapped breaks a text into lines for a comment.
func wrapped(text string) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 95 && line != "" {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

func (w *writer) annotations() {
	w.use("entgo.io/ent/dialect/entsql")
	w.use("forge/internal/entity")
	shown := []string{"id"}
	if w.Key == nil {
		shown = nil
	}
	for _, c := range w.Columns {
		if !c.Sensitive {
			shown = append(shown, apiName(c.Field))
		}
	}
	for _, e := range w.Edges {
		shown = append(shown, edgeAPIName(e.Name))
	}
	w.line("// Annotations returns the table, the prefix of IDs, who may see which fields, and the checks.")
	w.line("func (%s) Annotations() []schema.Annotation {\n\treturn []schema.Annotation{", w.Name)
	w.line("entsql.Table(%q),", w.Table.Name)
	prefix := "Prefix: " + strconv.Quote(w.Prefix) + ", "
	if w.Key == nil {
		prefix = ""
	}
	if s := w.Table.Schema; s != "" && s != "public" {
		prefix += "Schema: " + strconv.Quote(s) + ", "
	}
	w.line("entity.Annotation{\n%sShownToAll: []string{%s},\n},", prefix, quotedList(shown))
	if w.Comment != "" {
		w.line("schema.Comment(%q),", w.Comment)
	}
	if w.Key == nil {
		w.use("entgo.io/ent/schema/field")
		w.line("field.ID(%q, %q),", w.Pair[0].Field, w.Pair[1].Field)
	}
	if len(w.Checks) > 0 {
		w.line("entsql.Checks(map[string]string{")
		for _, name := range slices.Sorted(maps.Keys(w.Checks)) {
			w.line("%q: %q,", name, w.Checks[name])
		}
		w.line("}),")
	}
	w.line("}\n}\n")
}

func quotedList(texts []string) string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strconv.Quote(text)
	}
	return strings.Join(all, ", ")
}

func (w *writer) columns() {
	w.use("entgo.io/ent/schema/field")
	w.line("// Fields returns the columns.")
	w.line("func (%s) Fields() []ent.Field {\n\treturn []ent.Field{", w.Name)
	if w.Key != nil {
		w.column(w.Key)
	}
	for _, c := range w.Columns {
		w.column(c)
	}
	w.line("}\n}\n")
}

func (w *writer) column(c *Column) {
	text := fmt.Sprintf(c.Go, c.Field)
	if c.Values != nil {
		text += ".Values(" + quotedList(c.Values) + ")"
	}
	if c == w.Key {
		if c.form == "text" {
			text += ".NotEmpty()"
		}
		text += ".Immutable()"
	}
	if c.Most > 0 {
		text += fmt.Sprintf(".MaxRuneLen(%d)", c.Most)
	}
	if c.Nullable {
		text += ".Optional()"
		if c.Pointer {
			text += ".Nillable()"
		}
	}
	if c.Default != "" {
		text += ".Default(" + c.Default + ")"
	}
	if c.Sensitive {
		text += ".Sensitive()"
	}
	if c.Field != c.Name {
		text += ".StorageKey(" + strconv.Quote(c.Name) + ")"
	}
	var types []string
	for _, of := range []struct{ name, text string }{{"Postgres", c.Postgres}, {"SQLite", c.SQLite}} {
		if of.text != "" {
			w.use("entgo.io/ent/dialect")
			types = append(types, "dialect."+of.name+": "+strconv.Quote(of.text))
		}
	}
	if types != nil {
		text += ".SchemaType(map[string]string{" + strings.Join(types, ", ") + "})"
	}
	if c.Comment != "" {
		text += ".\nComment(" + strconv.Quote(c.Comment) + ")"
	}
	for _, path := range c.Imports {
		if strings.Contains(text, importName(path)+".") {
			w.use(path)
		}
	}
	w.line("%s,", text)
}

// importName returns the name by which a package is called.
func importName(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func (w *writer) edgesOf() {
	if len(w.Edges) == 0 {
		return
	}
	w.use("entgo.io/ent/schema/edge")
	w.line("// Edges returns the relations to other entities.")
	w.line("func (%s) Edges() []ent.Edge {\n\treturn []ent.Edge{", w.Name)
	for _, e := range w.Edges {
		w.line("%s,", w.edge(e))
	}
	w.line("}\n}\n")
}

// edge returns an edge as Go.
func (w *writer) edge(e *Edge) string {
	if e.Inverse {
		return w.inverse(e, "edge.From("+strconv.Quote(e.Name)+", "+e.To.Name+".Type).Ref("+strconv.Quote(e.Back.Name)+")")
	}
	return w.forward(e)
}

func (w *writer) inverse(e *Edge, text string) string {
	if e.Column != nil {
		text += ".Field(" + strconv.Quote(e.Column.Field) + ")"
	}
	return text + w.ends(e)
}

func (w *writer) ends(e *Edge) (text string) {
	if e.Unique {
		text += ".Unique()"
	}
	if e.Required {
		text += ".Required()"
	}
	if e.Through != nil {
		text += fmt.Sprintf(".Through(%q, %s.Type)", one2many(e), e.Through.Name)
	}
	return text
}

// one2many returns the name of the edge to the rows of the entity that joins two others.
func one2many(e *Edge) string {
	name := many(e.Through.Name)
	if e.To == e.Back.To && e.Inverse {
		name += "_back"
	}
	return name
}

func (w *writer) forward(e *Edge) string {
	text := "edge.To(" + strconv.Quote(e.Name) + ", " + e.To.Name + ".Type)"
	if e.Column != nil {
		text += ".Field(" + strconv.Quote(e.Column.Field) + ")"
	}
	text += w.ends(e)
	switch {
	case e.Table != "" && e.Through == nil:
		text += fmt.Sprintf(".StorageKey(edge.Table(%q), edge.Columns(%q, %q))", e.Table, e.Columns[0], e.Columns[1])
	case e.Symbol != "" && e.Column == nil:
		text += fmt.Sprintf(".StorageKey(edge.Symbol(%q))", e.Symbol)
	}
	if e.OnDelete != "" {
		text += ".Annotations(entsql.OnDelete(entsql." + e.OnDelete + "))"
	}
	return text
}

func (w *writer) indexesOf() {
	if len(w.Indexes) == 0 {
		return
	}
	w.use("entgo.io/ent/schema/index")
	w.line("// Indexes returns the indexes of the table.")
	w.line("func (%s) Indexes() []ent.Index {\n\treturn []ent.Index{", w.Name)
	for _, i := range w.Indexes {
		text := "index.Fields(" + quotedList(i.Fields) + ")"
		if i.Unique {
			text += ".Unique()"
		}
		if i.Name != "" {
			text += ".StorageKey(" + strconv.Quote(i.Name) + ")"
		}
		var notes []string
		if i.Where != "" {
			notes = append(notes, "entsql.IndexWhere("+strconv.Quote(i.Where)+")")
		}
		if i.Desc != nil {
			notes = append(notes, "entsql.DescColumns("+quotedList(i.Desc)+")")
		}
		if notes != nil {
			text += ".Annotations(" + strings.Join(notes, ", ") + ")"
		}
		w.line("%s,", text)
	}
	w.line("}\n}\n")
}

func (w *writer) policy() {
	w.use("forge/internal/rule")
	create, about := "rule.Admins", ""
	if w.ReadOnly != "" {
		create, about = "rule.Nobody", " Nobody creates one: "+w.ReadOnly+"."
	}
	for _, line := range wrapped("Policy says who may read and change rows." + about) {
		w.line("// %s", line)
	}
	w.line("func (%s) Policy() ent.Policy {", w.Name)
	w.line("return rule.Policy{Read: %s, Create: %s, Update: rule.Admins, Delete: rule.Admins}\n}", w.readers, create)
}
