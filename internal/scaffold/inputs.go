package scaffold

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/rule"
	"forge/internal/write"
)

// inputs defines the mutations of an entity, with what they take and return.
func (g *generator) inputs(e *entity.Entity) {
	if g.create(e) {
		g.createTypes(e)
	}
	if g.update(e) {
		g.updateTypes(e)
	}
	if g.delete(e) {
		g.deleteTypes(e)
	}
}

// create reports whether createX exists: if somebody may, and the columns of new rows can be set.
func (g *generator) create(e *entity.Entity) bool {
	if !g.new[e.Name] {
		return g.stands(e, "create")
	}
	if _, _, ok := callers(e, func(p rule.Policy) rule.Who { return p.Create }); !ok || e.Writer == nil {
		return false
	}
	for i := range e.Fields {
		if f := &e.Fields[i]; g.needed(e, f) && e.Writer.Set[f.Column] == nil {
			g.note("%s: there is no create%s, as its column %s is of type %s, which cannot be written from an input; give it a default or Optional() in ent/schema, or the mutation a resolver", e.Name, e.Name, f.Column, f.Type)
			return false
		}
	}
	return len(g.settable(e, false))+len(g.ownEdges(e, false)) > 0
}

func (g *generator) update(e *entity.Entity) bool {
	if !g.new[e.Name] {
		return g.stands(e, "update")
	}
	_, _, ok := callers(e, func(p rule.Policy) rule.Who { return p.Update })
	return ok && e.Writer != nil && len(g.settable(e, true))+len(g.ownEdges(e, true)) > 0
}

func (g *generator) delete(e *entity.Entity) bool {
	if !g.new[e.Name] {
		return g.stands(e, "delete")
	}
	_, _, ok := callers(e, func(p rule.Policy) rule.Who { return p.Delete })
	return ok && e.Writer != nil
}

// stands reports whether a standard mutation of an entity is in the schema, without code of its
// own.
func (g *generator) stands(e *entity.Entity, verb string) bool {
	return g.doc.has("Mutation", verb+e.Name) && !g.Special["Mutation."+verb+e.Name]
}

// needed reports whether a new row needs a value for a column that nothing but the input gives.
func (g *generator) needed(e *entity.Entity, f *entity.Field) bool {
	matched := slices.ContainsFunc(e.Fields, func(other entity.Field) bool { return other.MatchBy == f.Column })
	numbered := f == &e.Fields[0] && e.Keys == ids.Number
	return !f.Nullable && !f.Default && !matched && !numbered && f.Column != rule.Tenant(e)
}

// settable returns the columns that an input sets: those that somebody sees, and those that new
// rows need. Keys of other rows are not among them, nor is what the server sets.
func (g *generator) settable(e *entity.Entity, update bool) (list []*entity.Field) {
	for i := range e.Fields {
		f := &e.Fields[i]
		matched := slices.ContainsFunc(e.Fields, func(other entity.Field) bool { return other.MatchBy == f.Column })
		switch {
		case e.Writer.Set[f.Column] == nil, g.pointedBy(e, f) != nil, matched, f.Column == e.Deleted, f.Column == rule.Tenant(e):
		case f.Name == "version" && f.Kind == entity.Int && f.Default, f.Kind == entity.Time && f.Default:
		case update && (f.Immutable || i == 0):
		case i == 0 && !g.needed(e, f) && !write.TakesIDs(e):
		case f.Sensitive && !g.needed(e, f):
		case rule.Visible(e, f.Name) != entity.ToNobody || g.needed(e, f):
			list = append(list, f)
		}
	}
	return list
}

// ownEdges returns the edges to one row whose key is a column of the entity, and that an input
// sets.
func (g *generator) ownEdges(e *entity.Entity, update bool) (list []*entity.Edge) {
	for i := range e.Edges {
		edge := &e.Edges[i]
		f := columnOf(e, edge.Column)
		immutable := edge.Immutable || f != nil && f.Immutable
		needed := !edge.Nullable || f != nil && g.needed(e, f)
		switch {
		case !edge.Unique || !edge.OwnKey || edge.Through != "" || update && immutable:
		case edge.Column == rule.Tenant(e), g.entities[edge.To].Prefix == "" && !needed:
		case rule.Visible(e, edge.Name) != entity.ToNobody || f != nil && rule.Visible(e, f.Name) != entity.ToNobody || needed:
			list = append(list, edge)
		}
	}
	return list
}

// keyName returns the name of the field that sets an edge by a key.
func keyName(e *entity.Entity, edge *entity.Edge) string {
	if f := columnOf(e, edge.Column); f != nil {
		return f.Name
	}
	return edge.Name + "Id"
}

// input adds the fields of an input.
func (g *generator) input(d *definition, e *entity.Entity, update bool) {
	for _, f := range g.settable(e, update) {
		text, rest := "", ": "+g.inputScalar(e, f)
		if !update {
			text = g.about(e, f, false)
			rest += bang(g.needed(e, f))
			if f == &e.Fields[0] && write.TakesIDs(e) {
				text = clientID(e)
			} else if f.Default && !f.Nullable {
				text = strings.TrimSpace(text + " If it is left out, the default.")
			}
		}
		d.describe(text, f.Name, rest, f.Name)
	}
	for _, edge := range g.ownEdges(e, update) {
		g.ownEdge(d, e, edge, update)
	}
	for _, edge := range g.edges(e) {
		if !edge.OwnKey || edge.Through != "" {
			g.nestedMany(d, e, edge, update)
		}
	}
}

// clientID describes the ID of a new row that a client has made.
func clientID(e *entity.Entity) string {
	return "An ID that the client has made: `" + e.Prefix + "_` and a UUID of version 7, as IDs are written. `CONFLICT` if it is taken. Without it, the server makes one."
}

// inputScalar returns the type of a column in inputs. The key of new rows is an ID.
func (g *generator) inputScalar(e *entity.Entity, f *entity.Field) string {
	if f == &e.Fields[0] {
		return "ID"
	}
	return g.scalar(e, f)
}

// ownEdge adds the fields that set an edge to one row: by its key, and by an input for a new row.
func (g *generator) ownEdge(d *definition, e *entity.Entity, edge *entity.Edge, update bool) {
	name, to := keyName(e, edge), g.entities[edge.To]
	nested := edge.Name != name && g.create(to) && g.nested(e, edge)
	text := ""
	if nested && !update && !edge.Nullable && !g.ownedBy(e, edge) {
		text = "Either this, or `" + edge.Name + "`."
	}
	if edge.Files != nil {
		text = fileText(edge.Files)
	}
	required := !update && !nested && !edge.Nullable && !g.ownedBy(e, edge)
	d.describe(text, name, ": ID"+bang(required), name, edge.Name)
	if nested {
		d.describe("", edge.Name, ": "+e.Name+upper(edge.Name)+"Input", edge.Name)
		of := &definition{kind: "input", name: e.Name + upper(edge.Name) + "Input", description: "The " + words(edge.Name) + " of " + a(g.names[e.Name].one) + ": one of the two.", writes: true}
		of.add("create", ": Create"+to.Name+"Input")
		of.add("connect", ": ID")
		g.define(of)
	}
}

// ownedBy reports whether the policy says that the edge leads to the owner: without one, whoever
// makes a row owns it.
func (g *generator) ownedBy(e *entity.Entity, edge *entity.Edge) bool {
	return slices.ContainsFunc(rule.Of(e), func(p rule.Policy) bool {
		return p.Owner.Path == "" && p.Owner.Column == edge.Column
	}) && columnOf(e, edge.Column) != nil && columnOf(e, edge.Column).Nullable
}

// nested reports whether inputs of an entity may have inputs for the rows that an edge leads to: if
// the names of their types are free.
func (g *generator) nested(e *entity.Entity, edge *entity.Edge) bool {
	if rule.Visible(e, edge.Name) == entity.ToNobody || edge.Join != "" || !g.shown(edge.To) {
		return false
	}
	for _, name := range nestedNames(e, edge) {
		of := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "Create"), "Update"), "Input")
		if taken := g.entities[of]; taken != nil || g.new[e.Name] && g.doc.defined[name] != nil {
			return false
		}
	}
	return true
}

// nestedNames returns the names of the types that a nested input consists of.
func nestedNames(e *entity.Entity, edge *entity.Edge) []string {
	of := e.Name + upper(edge.Name)
	if edge.Unique && edge.OwnKey {
		return []string{of + "Input"}
	}
	return []string{"Create" + of + "Input", "Update" + of + "Input", "Update" + of + "EntryInput"}
}

// nestedMany adds a field for the rows that an edge leads to and that hold the key, or that a table
// joins.
func (g *generator) nestedMany(d *definition, e *entity.Entity, edge *entity.Edge, update bool) {
	parts := g.parts(e, edge, update)
	if len(parts) == 0 || !g.nested(e, edge) {
		return
	}
	verb, to := map[bool]string{false: "Create", true: "Update"}[update], g.entities[edge.To]
	name := verb + e.Name + upper(edge.Name) + "Input"
	of := &definition{kind: "input", name: name, writes: true, description: "The " + words(edge.Name) + " of " + a(g.names[e.Name].one) + "."}
	list := func(name string) string {
		if edge.Unique {
			return ": " + name
		}
		return ": [" + name + "!]"
	}
	for _, part := range parts {
		typed := "ID"
		switch part {
		case "create":
			typed = "Create" + to.Name + "Input"
		case "update":
			typed = "Update" + e.Name + upper(edge.Name) + "EntryInput"
			entry := &definition{kind: "input", name: typed, writes: true, description: "What to change of one of the " + words(edge.Name) + "."}
			entry.add("id", ": ID!")
			entry.add("input", ": Update"+to.Name+"Input!")
			g.define(entry)
		}
		text := partTexts[part]
		if edge.Files != nil && part != "disconnect" {
			text = fileText(edge.Files) + fmt.Sprintf(" %d of them at most.", edge.Files.Number())
		}
		of.describe(text, part, list(typed))
	}
	if g.define(of) {
		d.describe("", edge.Name, ": "+name, edge.Name)
	}
}

// fileText says which files an input takes.
func fileText(limits *entity.FileLimits) string {
	var said []string
	if limits.MaxBytes > 0 {
		said = append(said, "at most "+digits(limits.MaxBytes)+" bytes")
	}
	if len(limits.ContentTypes) > 0 {
		said = append(said, joinWords(limits.ContentTypes, "or"))
	}
	text := "An upload of one's own that is in no row yet; see `createUpload`."
	if len(said) > 0 {
		text += " " + upper(strings.Join(said, ", ")) + "."
	}
	return text
}

var partTexts = map[string]string{
	"create":     "New ones.",
	"connect":    "Those that are there, and are to be related.",
	"disconnect": "Those that are no longer to be related.",
	"set":        "Those that are related, besides new ones; all others are not. It stands in the place of `connect`, `disconnect` and `delete`.",
	"update":     "What to change of related ones.",
	"delete":     "Related ones that are removed.",
}

// withoutBack is why rows cannot be set by an edge.
const withoutBack = "holds the key and has no edge back"

// parts returns what a nested input can do with related rows.
func (g *generator) parts(e *entity.Entity, edge *entity.Edge, update bool) (parts []string) {
	to := g.entities[edge.To]
	if to.Writer == nil || to.Prefix == "" || edge.Join != "" {
		return nil
	}
	fixed, required := false, false
	if edge.Through == "" {
		key, back := columnOf(to, edge.Column), backEdge(to, edge)
		if key == nil && back == nil {
			g.note("%s.%s: inputs have no %s, as %s "+withoutBack+"; add one to its Edges in ent/schema: edge.From(NAME, %[1]s.Type).Ref(%[5]q), "+
				"with Unique() if each %[4]s has one %[1]s, and without if it may have many; then run go run . scaffold %[1]s.%[2]s", e.Name, edge.Name, edge.Name, to.Name, entity.Snake(edge.Name))
			return nil
		}
		fixed = key != nil && key.Immutable || back != nil && back.Immutable
		required = key != nil && !key.Nullable || key == nil && !back.Nullable
	}
	if g.create(to) && g.omittable(to, edge) {
		parts = append(parts, "create")
	}
	if !fixed {
		parts = append(parts, "connect")
	}
	if !update || edge.Unique {
		return parts
	}
	if !fixed && !required {
		parts = append(parts, "disconnect", "set")
	}
	if g.update(to) {
		parts = append(parts, "update")
	}
	if g.delete(to) {
		parts = append(parts, "delete")
	}
	return parts
}

// backEdge returns the edge of an entity whose key is that of an edge to the entity, or nil.
func backEdge(to *entity.Entity, edge *entity.Edge) *entity.Edge {
	i := slices.IndexFunc(to.Edges, func(other entity.Edge) bool {
		return other.OwnKey && other.Through == "" && other.Column == edge.Column
	})
	if i < 0 {
		return nil
	}
	return &to.Edges[i]
}

// omittable reports whether the input for a new row can leave out the key of the row around it.
func (g *generator) omittable(to *entity.Entity, edge *entity.Edge) bool {
	if edge.Through != "" {
		return true
	}
	back := backEdge(to, edge)
	if back == nil {
		return !g.needed(to, columnOf(to, edge.Column))
	}
	if def := g.doc.defined["Create"+to.Name+"Input"]; def != nil && !g.new[to.Name] {
		f := def.Fields.ForName(keyName(to, back))
		return f == nil || !f.Type.NonNull
	}
	return back.Nullable || g.ownedBy(to, back) || back.Name != keyName(to, back) && g.create(g.entities[back.To]) && g.nested(to, back)
}

// mutation adds a root field, and says who may call it.
func (g *generator) mutation(e *entity.Entity, what func(rule.Policy) rule.Who, text, name, rest string) {
	if !g.new[e.Name] {
		return
	}
	g.defs["Mutation"].describe(text, name, rest)
	role, roles, _ := callers(e, what)
	g.accesses["Mutation."+name] = Access{"Mutation." + name, max(role, 1), roles} // nobody changes anything without signing in
}

func (g *generator) createTypes(e *entity.Entity) {
	n := g.names[e.Name]
	many := upper(n.list)
	input := &definition{kind: "input", name: "Create" + e.Name + "Input", writes: true, description: upper(a("new "+n.one)) + "."}
	if slices.ContainsFunc(g.settable(e, false), func(f *entity.Field) bool { return f.Line }) {
		input.description += " Blanks around texts are cut off."
	}
	g.define(input)
	g.input(input, e, false)
	payload := &definition{kind: "type", name: "Create" + e.Name + "Payload", writes: true, description: "The new " + n.one + "."}
	create := func(p rule.Policy) rule.Who { return p.Create }
	text, arguments := "Makes "+a(n.one)+".", "(input: Create"+e.Name+"Input!"
	if keys := g.conflicts(e, input); len(keys) > 0 {
		text = strings.TrimSuffix(text, ".") + ". `CONFLICT` if a unique value is taken, unless `onConflict` says what to do then."
		arguments += ", onConflict: " + e.Name + "ConflictInput"
		payload.description = "The " + n.one + ", new or with the same unique value."
		payload.describe("Whether the "+n.one+" is new.", "created", ": Boolean!")
		g.conflictTypes(e, keys)
	}
	payload.add(n.field, ": "+e.Name+"!")
	g.define(payload)
	g.mutation(e, create, text, "create"+e.Name, arguments+"): Create"+e.Name+"Payload!")

	bulk := &definition{kind: "type", name: "Create" + many + "Payload", writes: true, description: "The new " + n.many + ", and what could not be made."}
	bulk.describe("How many were made.", "affected", ": Int!")
	bulk.add(n.list, ": ["+e.Name+"!]!")
	bulk.describe("One for each entry that was left out; empty with `ABORT`.", "errors", ": [Create"+many+"Error!]!")
	failed := &definition{kind: "type", name: "Create" + many + "Error", writes: true, description: "Why one entry of a bulk mutation was left out."}
	failed.describe("The entry's place in the input, from 0.", "index", ": Int!")
	failed.describe("One of the codes that an error of a single mutation would have.", "code", ": String!")
	failed.describe("A sentence for people.", "message", ": String!")
	failed.describe("The path of the argument at fault, if there is one.", "field", ": String")
	if g.free(bulk.name, failed.name) {
		g.define(bulk)
		g.define(failed)
		g.mutation(e, create, "Makes up to 1,000 "+n.many+" at once.", "create"+many, "(input: [Create"+e.Name+"Input!]!, onError: OnError! = ABORT): Create"+many+"Payload!")
	}
}

// free reports whether no type and no entity has one of the names.
func (g *generator) free(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return g.defs[name] != nil || g.entities[name] != nil })
}

// conflicts returns the unique keys that fields of the input set, by their names, in order.
func (g *generator) conflicts(e *entity.Entity, input *definition) (names []string) {
	if !g.free(e.Name+"ConflictInput", e.Name+"Unique") {
		return nil
	}
	set := map[string]bool{}
	for _, m := range input.members {
		set[m.name] = true
	}
	keys := g.uniques(e)
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		unset := func(column string) bool { return column != rule.Tenant(e) && !set[g.inputName(e, column)] }
		if !slices.ContainsFunc(keys[name], unset) {
			names = append(names, name)
		}
	}
	return names
}

// inputName returns the name of the field that sets a column.
func (g *generator) inputName(e *entity.Entity, column string) string {
	for _, f := range e.Fields {
		if f.Column == column || f.MatchBy == column {
			return f.Name
		}
	}
	for i := range e.Edges {
		if e.Edges[i].OwnKey && e.Edges[i].Column == column {
			return e.Edges[i].Name + "Id"
		}
	}
	return ""
}

func (g *generator) conflictTypes(e *entity.Entity, keys []string) {
	n := g.names[e.Name]
	conflict := &definition{kind: "input", name: e.Name + "ConflictInput", writes: true, description: "What to do if " + a(n.one) + " with the same unique value is there."}
	conflict.add("on", ": "+e.Name+"Unique!")
	conflict.add("do", ": ConflictAction!")
	unique := &definition{kind: "enum", name: e.Name + "Unique", writes: true, description: "What is unique of " + a(n.one) + "."}
	for _, key := range keys {
		unique.add(key, "")
	}
	g.define(conflict)
	g.define(unique)
}

// versioned returns the argument expectedVersion, if rows have a version.
func versioned(e *entity.Entity) string {
	if e.Field("version") == nil {
		return ""
	}
	return ", expectedVersion: Int"
}

func (g *generator) updateTypes(e *entity.Entity) {
	n := g.names[e.Name]
	many := upper(n.list)
	input := &definition{kind: "input", name: "Update" + e.Name + "Input", writes: true, description: "What to change of " + a(n.one) + ". What is left out stays; `null` clears."}
	g.define(input)
	g.input(input, e, true)
	payload := &definition{kind: "type", name: "Update" + e.Name + "Payload", writes: true, description: "The " + n.one + " as changed."}
	payload.add(n.field, ": "+e.Name+"!")
	g.define(payload)
	update := func(p rule.Policy) rule.Who { return p.Update }
	g.mutation(e, update, "Changes "+a(n.one)+".", "update"+e.Name, "(id: ID!, input: Update"+e.Name+"Input!"+versioned(e)+"): Update"+e.Name+"Payload!")

	bulk := &definition{kind: "input", name: "Update" + many + "Input", writes: true, description: "What to change of several " + n.many + "; see `Update" + e.Name + "Input`."}
	for _, f := range g.settable(e, true) {
		if !g.isUnique(e, f) {
			bulk.add(f.Name, ": "+g.scalar(e, f), f.Name)
		}
	}
	for _, edge := range g.ownEdges(e, true) {
		if edge.To != e.Name && edge.Files == nil && !slices.ContainsFunc(g.entities[edge.To].Edges, func(back entity.Edge) bool { return back.Column == edge.Column && back.Unique && !back.OwnKey }) {
			bulk.add(keyName(e, edge), ": ID", edge.Name)
		}
	}
	changed := &definition{kind: "type", name: "Update" + many + "Payload", writes: true, description: "The " + n.many + " as changed."}
	changed.describe("How many there are.", "affected", ": Int!")
	changed.add(n.list, ": ["+e.Name+"!]!")
	if len(bulk.members) > 0 && g.free(bulk.name, changed.name) {
		g.define(bulk)
		g.define(changed)
		g.mutation(e, update, "Changes all "+n.many+" that fulfil a condition and that one may change. `BAD_USER_INPUT`, and nothing is changed, if they are more than `atMost`, which is 10,000 at most.",
			"update"+many, "(where: "+e.Name+"WhereInput!, input: Update"+many+"Input!, atMost: Int! = 100): Update"+many+"Payload!")
	}
}

func (g *generator) deleteTypes(e *entity.Entity) {
	n := g.names[e.Name]
	many := upper(n.list)
	remove := func(p rule.Policy) rule.Who { return p.Delete }
	payload := &definition{kind: "type", name: "Delete" + e.Name + "Payload", writes: true, description: "What is gone."}
	payload.add("deletedId", ": ID!")
	g.define(payload)
	text, verb, done := "Removes "+a(n.one)+".", "Removes", "removed"
	if e.Deleted != "" {
		verb, done = "Hides", "hidden"
		text = "Hides " + a(n.one) + " from every query. `restore" + e.Name + "` undoes it."
	}
	g.mutation(e, remove, text, "delete"+e.Name, "(id: ID!"+versioned(e)+"): Delete"+e.Name+"Payload!")
	if e.Deleted != "" {
		back := &definition{kind: "type", name: "Restore" + e.Name + "Payload", writes: true, description: "The " + n.one + " that is back."}
		back.add(n.field, ": "+e.Name+"!")
		g.define(back)
		g.mutation(e, remove, "Brings "+a("deleted "+n.one)+" back. `CONFLICT` if a unique value is taken by now, or if it is not deleted.", "restore"+e.Name, "(id: ID!): Restore"+e.Name+"Payload!")
	}
	bulk := &definition{kind: "type", name: "Delete" + many + "Payload", writes: true, description: "What is gone."}
	bulk.describe("How many there were.", "affected", ": Int!")
	bulk.add("deletedIds", ": [ID!]!")
	if g.free(bulk.name) {
		g.define(bulk)
		g.mutation(e, remove, verb+" all "+n.many+" that fulfil a condition and that one may remove. `BAD_USER_INPUT`, and nothing is "+done+", if they are more than `atMost`, which is 10,000 at most.",
			"delete"+many, "(where: "+e.Name+"WhereInput!, atMost: Int! = 100): Delete"+many+"Payload!")
	}
}
