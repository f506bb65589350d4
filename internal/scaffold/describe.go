package scaffold

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/entc/gen"
	"entgo.io/ent/entc/load"
	"entgo.io/ent/privacy"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/schema/entschema"
)

// Describe returns what ent/schema says, without the generated code: the descriptions that
// ent/template would generate, and the tables. Writers of the entities change nothing: they only
// say what can be set. path is the import path of ent/schema. Describe returns an error if ent's
// generator would.
func Describe(path string, schemas []ent.Interface) (s Source, err error) {
	var loaded []*load.Schema
	policies := map[string]ent.Policy{}
	for _, of := range schemas {
		text, err := load.MarshalSchema(of)
		if err != nil {
			return Source{}, err
		}
		l, err := load.UnmarshalSchema(text)
		if err != nil {
			return Source{}, err
		}
		if err := gen.ValidSchemaName(l.Name); err != nil {
			return Source{}, fmt.Errorf("%s: ent has no entity of this name: %w; name it otherwise", l.Name, err)
		}
		loaded, policies[l.Name] = append(loaded, l), policyOf(of)
	}
	graph, err := newGraph(path, loaded)
	if err != nil {
		return Source{}, err
	}
	if err := oneTableEach(graph); err != nil {
		return Source{}, err
	}
	tables, err := graph.Tables()
	if err != nil {
		return Source{}, fmt.Errorf("ent/schema: %w", err)
	}
	s.Tables = entschema.FromEnt(tables)
	s.Comments = map[string]string{}
	for _, t := range graph.Nodes {
		s.Entities = append(s.Entities, describe(t, policies[t.Name]))
		comment(s.Comments, t)
	}
	return s, nil
}

func newGraph(path string, loaded []*load.Schema) (*gen.Graph, error) {
	storage, err := gen.NewStorage("sql")
	if err != nil {
		return nil, err
	}
	graph, err := gen.NewGraph(&gen.Config{Schema: path, Package: strings.TrimSuffix(path, "/schema"), Storage: storage}, loaded...)
	if err != nil {
		return nil, fmt.Errorf("ent/schema: %s", strings.TrimPrefix(err.Error(), "entc/gen: "))
	}
	return graph, nil
}

// oneTableEach returns an error if two entities have one table.
func oneTableEach(graph *gen.Graph) error {
	of := map[string]string{}
	for _, t := range graph.Nodes {
		if other := of[t.Table()]; other != "" {
			return fmt.Errorf("%s: its table %s is that of %s as well; give one of the two another table, as in entsql.Table(%q)", t.Name, t.Table(), other, t.Table()+"_2")
		}
		of[t.Table()] = t.Name
	}
	return nil
}

// policyOf returns the policies of an entity and its mixins as one.
func policyOf(of ent.Interface) ent.Policy {
	var all privacy.Policies
	for _, m := range of.Mixin() {
		if p := m.Policy(); p != nil {
			all = append(all, p)
		}
	}
	if p := of.Policy(); p != nil {
		all = append(all, p)
	}
	return all
}

// comment adds what ent/schema says of an entity.
func comment(comments map[string]string, t *gen.Type) {
	add := func(name, text string) {
		if text != "" {
			comments[name] = text
		}
	}
	about, _ := t.Annotations[(&schema.CommentAnnotation{}).Name()].(map[string]any)
	add(t.Name, text(about["Text"]))
	for _, f := range t.Fields {
		add(t.Name+"."+apiName(f.Name), f.Comment())
	}
	for _, e := range t.Edges {
		add(t.Name+"."+apiName(e.Name), e.Comment())
	}
}

// apiName returns the name of a field of ent/schema in the API, as ent/template does.
func apiName(name string) string {
	camel := gen.Funcs["camel"].(func(string) string)
	return strings.ReplaceAll(camel(name), "ID", "Id")
}

// describe returns the description of an entity that ent/template would generate.
func describe(t *gen.Type, policy ent.Policy) *entity.Entity {
	own := annotation(t.Annotations)
	e := &entity.Entity{Name: t.Name, Table: t.Table(), Schema: text(own["Schema"]), Prefix: text(own["Prefix"]), Owner: text(own["Owner"]), Deleted: text(own["Deleted"]),
		Ruled: t.NumPolicy() > 0, Filtered: t.NumInterceptors() > 0, Visible: map[string]entity.Visibility{}, Search: texts(own["Search"]),
		Logged: own["Logged"] == true, LoggedFor: texts(own["LoggedFor"]), ClientIDs: own["ClientIDs"] == true}
	if rules, ok := own["Personal"].(map[string]any); ok {
		e.Personal = map[string]entity.Erase{}
		for name, rule := range rules {
			e.Personal[name] = entity.Erase(text(rule))
		}
	}
	e.OwnerErased = entity.Erase(text(own["OwnerErased"]))
	e.Files = own["StoresFiles"] == true
	if age, ok := own["MaxAge"].(float64); ok {
		e.MaxAge = int(age)
	}
	if e.Ruled {
		e.Policy = func() ent.Policy { return policy }
	}
	e.Hooked = slices.ContainsFunc(t.HookPositions(), func(p *load.Position) bool { return !p.MixedIn })
	for _, name := range texts(own["ShownToAll"]) {
		e.Visible[name] = entity.ToAll
	}
	for _, name := range texts(own["ShownToOwners"]) {
		e.Visible[name] = entity.ToOwners
	}
	e.Unites, e.Computed = unites(own["Unites"]), computed(own["Computed"])
	if t.HasOneFieldID() {
		e.Fields = append(e.Fields, describeKey(t))
		switch {
		case t.ID.IsString():
			e.Keys = ids.Text
		case t.ID.Type.Type.Integer():
			e.Keys = ids.Number
		}
	}
	for _, f := range t.Fields {
		e.Fields = append(e.Fields, describeField(t, f))
	}
	for _, edge := range t.Edges {
		e.Edges = append(e.Edges, describeEdge(t, edge))
	}
	if identifies(t) {
		e.Writer = writerOf(t)
	}
	return e
}

// identifies reports whether rows of the entity have an ID that clients see.
func identifies(t *gen.Type) bool {
	return t.HasOneFieldID() && (t.ID.IsUUID() || (t.ID.IsString() || t.ID.Type.Type.Integer()) && !stored(t.ID))
}

// stored reports whether the Go type of a field decides its stored form.
func stored(f *gen.Field) bool {
	return f.HasValueScanner() || f.HasGoType() && f.Type.ValueScanner()
}

func describeKey(t *gen.Type) entity.Field {
	f := entity.Field{Name: "id", Column: t.ID.StorageKey(), Kind: keyKind(t.ID), Type: t.ID.Type.String(), Refers: t.Name,
		Default: t.ID.Default, Immutable: t.ID.Immutable, Stored: t.ID.Column().SchemaType}
	if f.Kind != entity.ID {
		f.Elem = elemOf(t.ID)
	}
	return f
}

func describeField(t *gen.Type, f *gen.Field) entity.Field {
	own := annotation(f.Annotations)
	d := entity.Field{Name: apiName(f.Name), Column: f.StorageKey(), Kind: kindOf(f), Type: f.Type.String(), Nullable: f.Optional, Sensitive: f.Sensitive(),
		Default: f.Default, Immutable: f.Immutable, Stored: f.Column().SchemaType, MatchBy: text(own["MatchBy"])}
	d.Line, _ = own["Line"].(bool)
	switch {
	case f.IsEdgeField():
		d.Kind = keyKind(f)
	case d.Kind == entity.List:
		d.Elem = elemOf(f)
	}
	if f.IsEnum() {
		d.Values = f.EnumValues()
	}
	for _, e := range t.Edges {
		if e.Field() != nil && e.Field().Name == f.Name {
			d.Refers = e.Type.Name
		}
	}
	return d
}

func describeEdge(t *gen.Type, e *gen.Edge) entity.Edge {
	near, far := 0, 1
	if e.IsInverse() {
		near, far = 1, 0
	}
	d := entity.Edge{Name: gen.Funcs["camel"].(func(string) string)(e.Name), To: e.Type.Name, OwnKey: e.OwnFK(), Inverse: e.IsInverse(), Immutable: e.Immutable, Unique: e.Unique}
	if e.M2M() {
		d.Column, d.Through, d.Far = e.Rel.Columns[near], e.Rel.Table, e.Rel.Columns[far]
		join := e.Through
		if join == nil && e.Ref != nil {
			join = e.Ref.Through
		}
		if join != nil {
			d.Join = join.Name
		}
	} else {
		d.Column = e.Rel.Column()
	}
	if e.OwnFK() {
		d.Nullable = e.Optional || e.Type.Name == t.Name
		if e.Field() != nil {
			d.Nullable = e.Field().Optional
		}
	}
	if shows, ok := annotation(e.Annotations)["Shows"].(map[string]any); ok {
		d.Shows = map[string]string{}
		for name, column := range shows {
			d.Shows[name] = text(column)
		}
	}
	d.Files = fileLimits(annotation(e.Annotations)["Files"])
	return d
}

func fileLimits(value any) *entity.FileLimits {
	of, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	bytes, _ := of["MaxBytes"].(float64)
	most, _ := of["Most"].(float64)
	return &entity.FileLimits{MaxBytes: int64(bytes), ContentTypes: texts(of["ContentTypes"]), Most: int(most)}
}

// keyKind returns the kind of a column that holds keys of rows.
func keyKind(f *gen.Field) entity.Kind {
	switch {
	case f.IsUUID():
		return entity.ID
	case stored(f):
		return entity.Other
	case f.IsString(), f.Type.Type.Integer():
		return entity.ID
	}
	return kindOf(f)
}

// elements are the Go types of lists that can be read, with the kinds of their elements.
var elements = map[string]entity.Kind{
	"[]string": entity.String, "[]bool": entity.Bool, "[]int": entity.Int, "[]int8": entity.Int, "[]int16": entity.Int, "[]int32": entity.Int, "[]uint16": entity.Int,
	"[]int64": entity.BigInt, "[]uint": entity.BigInt, "[]uint32": entity.BigInt, "[]uint64": entity.BigInt, "[]float64": entity.Float, "[]float32": entity.Float32,
	"[]uuid.UUID": entity.UUID, "[]decimal.Decimal": entity.Decimal,
	"array.Texts": entity.String, "array.Ints": entity.Int, "array.BigInts": entity.BigInt, "array.Floats": entity.Float, "array.Bools": entity.Bool, "array.UUIDs": entity.UUID,
}

func goType(f *gen.Field) string { return strings.ReplaceAll(f.Type.String(), "*", "") }

func elemOf(f *gen.Field) entity.Kind { return elements[goType(f)] }

// kindOf returns the kind of a column, as ent/template does.
func kindOf(f *gen.Field) entity.Kind {
	switch {
	case f.IsUUID():
		return entity.UUID
	case goType(f) == "decimal.Decimal":
		return entity.Decimal
	case strings.HasPrefix(goType(f), "array."):
		return entity.List
	case f.IsString() && goType(f) == "url.URL":
		return entity.String
	case stored(f):
		return entity.Other
	case f.IsEnum():
		return entity.Enum
	case f.IsTime():
		return timeKind(f.Column().SchemaType["postgres"])
	case f.IsBool():
		return entity.Bool
	case f.IsString():
		return entity.String
	case f.IsBytes():
		return entity.Bytes
	case f.IsJSON():
		if _, list := elements[goType(f)]; list {
			return entity.List
		}
		return entity.JSON
	}
	return numberKind(f)
}

func timeKind(stored string) entity.Kind {
	switch {
	case stored == "date":
		return entity.Date
	case stored == "time", strings.HasPrefix(stored, "time without"):
		return entity.LocalTime
	}
	return entity.Time
}

func numberKind(f *gen.Field) entity.Kind {
	switch of := f.Type.Type; {
	case of == field.TypeFloat32:
		return entity.Float32
	case of.Float():
		return entity.Float
	case goType(f) == "time.Duration":
		return entity.Duration
	case of == field.TypeInt64, of == field.TypeUint, of == field.TypeUint32, of == field.TypeUint64:
		return entity.BigInt
	case of.Integer():
		return entity.Int
	}
	return entity.Other
}

// writerOf returns a writer that only says what can be set.
func writerOf(t *gen.Type) *entity.Writer {
	set := func(ent.Mutation, any) error { return nil }
	link := func(ent.Mutation, any) {}
	w := &entity.Writer{New: func(context.Context, ent.Op, any) entity.Mutation { return entity.Mutation{} },
		Set: map[string]func(ent.Mutation, any) error{}, Link: map[string]func(ent.Mutation, any){}, Unlink: map[string]func(ent.Mutation, any){}}
	if t.ID.UserDefined {
		w.Set[t.ID.StorageKey()] = set
	}
	for _, f := range t.Fields {
		if d := describeField(t, f); d.Kind != entity.Other && (d.Kind != entity.String || !stored(f)) {
			w.Set[f.StorageKey()] = set
		}
	}
	for _, e := range t.Edges {
		if e.Type.HasOneFieldID() && keyKind(e.Type.ID) != entity.Other {
			name := describeEdge(t, e).Name
			if w.Link[name] = link; !e.Unique {
				w.Unlink[name] = link
			}
		}
	}
	return w
}

// annotation returns the annotation of package entity, as ent's generator has it.
func annotation(all gen.Annotations) map[string]any {
	own, _ := all[entity.Annotation{}.Name()].(map[string]any)
	return own
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

func texts(value any) (list []string) {
	all, _ := value.([]any)
	for _, one := range all {
		list = append(list, text(one))
	}
	return list
}

func unites(value any) map[string][]string {
	all, _ := value.(map[string]any)
	if len(all) == 0 {
		return nil
	}
	edges := map[string][]string{}
	for name, list := range all {
		edges[name] = texts(list)
	}
	return edges
}

func computed(value any) map[string]entity.Computed {
	all, _ := value.(map[string]any)
	if len(all) == 0 {
		return nil
	}
	fields := map[string]entity.Computed{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		of, _ := all[name].(map[string]any)
		price, _ := of["Price"].(float64)
		outside, _ := of["Outside"].(bool)
		fields[name] = entity.Computed{Needs: texts(of["Needs"]), Price: int(price), Outside: outside}
	}
	return fields
}
