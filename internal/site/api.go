package site

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// apiFolder is the folder of the reference of the API.
const apiFolder = "api/"

// reference writes the reference of a schema, as pages in Markdown.
type reference struct {
	schema *ast.Schema
	usedBy map[string][]string // links to what has fields or arguments of a type
}

// addAPI adds the reference of a schema to the pages: a page for the fields of each root type, and
// one for each other type. It returns an error if the schema is not valid.
func addAPI(texts map[string]string, sdl string) error {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: sdl})
	if err != nil {
		return err
	}
	r := reference{schema, map[string][]string{}}
	types := r.types()
	for _, t := range append(types, r.roots()...) {
		r.noteUses(t)
	}
	for _, t := range r.roots() {
		texts[apiFolder+pageOf(t)] = r.root(t)
	}
	for _, t := range types {
		texts[apiFolder+pageOf(t)] = r.typePage(t)
	}
	texts[apiFolder+readme] = r.contents(types)
	return nil
}

// roots returns the types whose fields are operations.
func (r reference) roots() (all []*ast.Definition) {
	for _, t := range []*ast.Definition{r.schema.Query, r.schema.Mutation, r.schema.Subscription} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

// types returns the other types of the schema, by their names.
func (r reference) types() (all []*ast.Definition) {
	for _, t := range r.schema.Types {
		if !strings.HasPrefix(t.Name, "__") && !slices.Contains(r.roots(), t) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// rootPages are the pages of the root types, from the folder of the reference.
var rootPages = map[ast.Operation]string{ast.Query: "queries.md", ast.Mutation: "mutations.md", ast.Subscription: "subscriptions.md"}

// pageOf returns the page of a type, from the folder of the reference.
func pageOf(t *ast.Definition) string {
	if page := rootPages[ast.Operation(strings.ToLower(t.Name))]; page != "" {
		return page
	}
	return "types/" + t.Name + ".md"
}

// noteUses notes for the types of the fields and arguments of t that t uses them.
func (r reference) noteUses(t *ast.Definition) {
	note := func(used *ast.Type, as string) {
		page := pageOf(t)
		if slices.Contains(r.roots(), t) {
			page += "#" + strings.ToLower(strings.TrimPrefix(as, "."))
		}
		name, by := used.Name(), "["+code(t.Name+as)+"](../"+page+")"
		if !slices.Contains(r.usedBy[name], by) {
			r.usedBy[name] = append(r.usedBy[name], by)
		}
	}
	for _, f := range fieldsOf(t) {
		note(f.Type, "."+f.Name)
		for _, a := range f.Arguments {
			note(a.Type, "."+f.Name)
		}
	}
}

// fieldsOf returns the fields of a type, without those of introspection.
func fieldsOf(t *ast.Definition) (all ast.FieldList) {
	for _, f := range t.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			all = append(all, f)
		}
	}
	return all
}

// kinds are the kinds of types in their sequence on the first page, with what they are called.
var kinds = []struct {
	kind  ast.DefinitionKind
	title string
}{
	{ast.Object, "Objects"}, {ast.Interface, "Interfaces"}, {ast.Union, "Unions"},
	{ast.InputObject, "Inputs"}, {ast.Enum, "Enums"}, {ast.Scalar, "Scalars"},
}

// contents returns the first page of the reference.
func (r reference) contents(types []*ast.Definition) string {
	var b strings.Builder
	b.WriteString("# API\n\nThis is the reference of the API that this program serves, made from its schema.\n\n")
	for _, t := range r.roots() {
		fmt.Fprintf(&b, "- [%s](%s)\n", titleOfRoot(t), pageOf(t))
	}
	for _, k := range kinds {
		var links []string
		for _, t := range types {
			if t.Kind == k.kind {
				links = append(links, "["+code(t.Name)+"]("+pageOf(t)+")")
			}
		}
		if len(links) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", k.title, strings.Join(links, " · "))
		}
	}
	return b.String()
}

func titleOfRoot(t *ast.Definition) string {
	return map[string]string{"Query": "Queries", "Mutation": "Mutations"}[t.Name] + map[bool]string{true: "Subscriptions"}[t.Name == "Subscription"]
}

// root returns the page of a root type: a section for each field.
func (r reference) root(t *ast.Definition) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", titleOfRoot(t), t.Description)
	for _, f := range fieldsOf(t) {
		r.field(&b, f, "types/")
	}
	return b.String()
}

// field writes the section of a field. types leads to the pages of types.
func (r reference) field(b *strings.Builder, f *ast.FieldDefinition, types string) {
	fmt.Fprintf(b, "\n## %s\n\nReturns %s.%s\n\n%s\n", f.Name, r.link(f.Type, types), deprecated(f.Directives), f.Description)
	if len(f.Arguments) == 0 {
		return
	}
	b.WriteString("\n| Argument | Type | Default | Meaning |\n| --- | --- | --- | --- |\n")
	for _, a := range f.Arguments {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(a.Name), r.link(a.Type, types), value(a.DefaultValue), cell(a.Description+deprecated(a.Directives)))
	}
}

// typePage returns the page of a type.
func (r reference) typePage(t *ast.Definition) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s %s\n", t.Name, r.kindOf(t), t.Description)
	switch t.Kind {
	case ast.Enum:
		b.WriteString("\n| Value | Meaning |\n| --- | --- |\n")
		for _, v := range t.EnumValues {
			fmt.Fprintf(&b, "| %s | %s |\n", code(v.Name), cell(v.Description+deprecated(v.Directives)))
		}
	case ast.InputObject:
		b.WriteString("\n| Field | Type | Default | Meaning |\n| --- | --- | --- | --- |\n")
		for _, f := range t.Fields {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(f.Name), r.link(f.Type, ""), value(f.DefaultValue), cell(f.Description+deprecated(f.Directives)))
		}
	case ast.Object, ast.Interface:
		r.fields(&b, t)
	}
	if used := r.usedBy[t.Name]; len(used) > 0 {
		fmt.Fprintf(&b, "\nUsed by: %s\n", strings.Join(used, ", "))
	}
	return b.String()
}

// fields writes the fields of a type, and a section for each that has arguments.
func (r reference) fields(b *strings.Builder, t *ast.Definition) {
	b.WriteString("\n| Field | Type | Meaning |\n| --- | --- | --- |\n")
	for _, f := range fieldsOf(t) {
		name := code(f.Name)
		if len(f.Arguments) > 0 {
			name = "[" + name + "](#" + strings.ToLower(f.Name) + ")"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, r.link(f.Type, ""), cell(f.Description+deprecated(f.Directives)))
	}
	for _, f := range fieldsOf(t) {
		if len(f.Arguments) > 0 {
			r.field(b, f, "")
		}
	}
}

// kindOf says what kind of type t is, and which types belong to it.
func (r reference) kindOf(t *ast.Definition) string {
	var links []string
	list := func(names []string) string {
		links = nil
		for _, name := range names {
			links = append(links, "["+code(name)+"]("+name+".md)")
		}
		return strings.Join(links, ", ")
	}
	switch {
	case t.Kind == ast.Object && len(t.Interfaces) > 0:
		return "Object; implements " + list(t.Interfaces) + "."
	case t.Kind == ast.Union:
		return "Union of " + list(t.Types) + "."
	case t.Kind == ast.Interface:
		var names []string
		for _, of := range r.schema.PossibleTypes[t.Name] {
			names = append(names, of.Name)
		}
		slices.Sort(names)
		return "Interface of " + list(names) + "."
	}
	return map[ast.DefinitionKind]string{ast.Object: "Object.", ast.InputObject: "Input.", ast.Enum: "Enum.", ast.Scalar: "Scalar."}[t.Kind]
}

// link returns a type with a link to its page. types leads to the pages of types.
func (r reference) link(t *ast.Type, types string) string {
	return "[" + code(t.String()) + "](" + types + t.Name() + ".md)"
}

func code(text string) string { return "`" + text + "`" }

// value returns a default value, or nothing if there is none.
func value(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return code(v.String())
}

// cell returns a text that may stand in a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// deprecated returns why something is deprecated, or nothing if it is not.
func deprecated(directives ast.DirectiveList) string {
	d := directives.ForName("deprecated")
	if d == nil {
		return ""
	}
	reason := "No longer supported"
	if a := d.Arguments.ForName("reason"); a != nil {
		reason = cmp.Or(a.Value.Raw, reason)
	}
	return " **Deprecated:** " + reason
}
