package scaffold

import (
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// tells reports whether what tells of an entity's changes is to be added: of a new entity, and of
// one that was asked for.
func (g *generator) tells(e *entity.Entity) bool {
	return e.Logged && (g.new[e.Name] || slices.Contains(g.named[e.Name], ""))
}

// changes defines what tells of an entity's changes.
func (g *generator) changes(e *entity.Entity) {
	if !g.tells(e) {
		return
	}
	n, names := g.names[e.Name], binding.ChangesNamesOf(e)
	page := &definition{kind: "type", name: names.Page, description: "Changes of " + n.many + ", and the cursor after them. With no changes, only the cursor has moved."}
	page.add("cursor", ": ChangeCursor!")
	page.add("changes", ": ["+names.Change+"!]!")
	change := &definition{kind: "type", name: names.Change, description: "A change of " + a(n.one) + "."}
	change.add("kind", ": ChangeKind!")
	change.describe("Null if the kind is `MANY`.", "id", ": ID")
	change.describe(upper("the "+n.one+" as it is now. Null if it is gone, or not to be seen."), names.Row, ": "+e.Name)
	g.define(page)
	g.define(change)
	text := "Changes of " + n.many + ", as they happen. The first message comes at once, and says from where on changes are told. Each change comes at least once, and those of one " + n.one + " in their order."
	g.defs["Subscription"].describe(text, names.Field, g.changesArguments(e)+": "+names.Page+"!")
	role, roles, _ := callers(e, func(p rule.Policy) rule.Who { return p.Read })
	g.accesses["Subscription."+names.Field] = Access{"Subscription." + names.Field, role, roles}
}

// The arguments that several fields of Subscription have.
var (
	typesArgument = member{"Of these types only; of all when it is not given.", "types", ": [ChangeType!]", nil}
	fromArgument  = member{"The cursor of the last message, to go on from there, or `changeCursor` of a query. Without it, changes from now on are told.", "after", ": ChangeCursor", nil}
)

// changesArguments returns the arguments of a field that tells of an entity's changes.
func (g *generator) changesArguments(e *entity.Entity) string {
	n, keys := g.names[e.Name], binding.ChangesKeysOf(e, g.Entities)
	args := []member{{"Of these " + n.many + " only; of all when it is not given.", "ids", ": [ID!]", nil}}
	for _, edge := range e.Edges {
		if key, ok := keys[edge.Name+"Ids"]; ok && !key.Closed && edge.Files == nil {
			args = append(args, member{"Of " + n.many + " whose " + words(edge.Name) + " is one of these, or was before the change.", edge.Name + "Ids", ": [ID!]", nil})
		}
	}
	return described(append(args, member{"Of these kinds only. `MANY` is always told.", "kinds", ": [ChangeKind!]", nil}, fromArgument))
}

// described returns arguments with a description of each.
func described(args []member) string {
	var b strings.Builder
	for _, arg := range args {
		b.WriteString("  " + strings.ReplaceAll(strings.TrimSuffix(arg.String(), "\n"), "\n", "\n  ") + "\n")
	}
	return "(\n" + b.String() + "  )"
}

// changesOfAll defines what tells of changes of several types, if it tells of any.
func (g *generator) changesOfAll() {
	kinds := &definition{kind: "enum", name: "ChangeType", description: "The types of which changes are logged."}
	for _, e := range g.Entities {
		if g.tells(e) {
			kinds.add(shout(e.Name), "")
		}
	}
	if len(kinds.members) == 0 {
		return
	}
	for _, name := range binding.ChangeTypes {
		if g.entities[name] != nil {
			g.refuse("%s: the API uses this name for something else, where changes are logged; name the entity otherwise, such as %[1]sEntry", name)
		}
	}
	page := &definition{kind: "type", name: "NodeChanges", description: "Changes in the order in which they can be repeated, and the cursor after them. With no changes, only the cursor has moved."}
	page.add("cursor", ": ChangeCursor!")
	page.add("changes", ": [NodeChange!]!")
	change := &definition{kind: "type", name: "NodeChange", description: "A change of an object."}
	change.add("kind", ": ChangeKind!")
	change.describe("Null if the kind is `MANY`.", "id", ": ID")
	change.describe("The object as it is now. Null if it is gone, or not to be seen.", "node", ": Node")
	kind := &definition{kind: "enum", name: "ChangeKind", description: "What has happened to an object."}
	kind.add("CREATED", "")
	kind.add("UPDATED", "")
	kind.describe("It was deleted, or is no longer the viewer's to see.", "REMOVED", "")
	kind.describe("So many objects of a type were changed at once that none is named: everything of the types asked for has to be read anew.", "MANY", "")
	cursor := &definition{kind: "scalar", name: "ChangeCursor", description: "A place in the log of changes, to go on from. Opaque; good on every server, and for all types."}
	for _, d := range []*definition{page, change, kind, kinds, cursor} {
		g.define(d)
	}
	query, subscription := g.defs["Query"], g.defs["Subscription"]
	query.describe("The place in the log of changes up to which the rest of this answer has seen all changes: `changes` goes on from here.", "changeCursor", ": ChangeCursor!")
	query.describe("What has changed since: the objects that were created, updated and removed, as they are now. `CURSOR_EXPIRED` says that the cursor is too old, and "+
		"`CURSOR_LOST` that it is not one of this database. Then everything has to be read anew.", "changes", described([]member{typesArgument,
		{"`changeCursor`, or the cursor of the last answer.", "after", ": ChangeCursor!", nil},
		{"How many changes to go on by, 1 to 1000; 100 when it is not given. There may be fewer, also if more follow.", "first", ": Int", nil}})+": NodeChanges!")
	subscription.describe("Changes of several types, as they happen. The first message comes at once, and says from where on changes are told. Each change comes at least once, and those of one object in their order.", "changes", described([]member{typesArgument, fromArgument})+": NodeChanges!")
	subscription.describe("Answers a query, and answers it again after changes of what it shows. An answer that is the same as the last one is not sent.", binding.Live, described([]member{
		{"The least time between two answers, in milliseconds: 100 to 3,600,000.", "every", ": Int! = 1000", nil}})+": Query!")
	for _, field := range []string{"Query.changeCursor", "Query.changes", "Subscription.changes", "Subscription." + binding.Live} {
		g.accesses[field] = Access{Field: field, Role: viewer.Anonymous}
	}
}
