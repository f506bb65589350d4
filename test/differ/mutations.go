package differ

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// makeMutation returns the mutation that the choices lead to. It has one or two root fields.
func (d *Differ) makeMutation(from choices) operation {
	c := d.contents
	g := &generator{choices: from, contents: c, values: d.values, inputs: d.app.Inputs, left: 25, moving: true}
	var fields []string
	s := &scope{}
	for range 1 + g.below(2) {
		fields = append(fields, g.field(&ast.Definition{Kind: ast.Object, Name: c.schema.Mutation.Name, Fields: d.app.mutations(c.schema)}, s, 0))
	}
	return g.finish(ast.Mutation, " { "+strings.Join(fields, " ")+" }", false)
}

// mutations returns all mutations but those that are skipped.
func (a App) mutations(schema *ast.Schema) ast.FieldList {
	return slices.DeleteFunc(slices.Clone(schema.Mutation.Fields), func(f *ast.FieldDefinition) bool {
		return slices.Contains(a.Skipped, f.Name) || a.API.Access["Mutation."+f.Name].Credentials
	})
}

// input makes a value for an argument or an input field of a mutation.
func (g *generator) input(mutation, name string, t *ast.Type) any {
	def := g.schema.Types[t.Name()]
	switch {
	case !t.NonNull && g.often(15):
		return nil
	case name == "where":
		return g.where(strings.TrimSuffix(t.Name(), "WhereInput"), 1)
	case t.Elem != nil:
		list := listValue{g.input(mutation, name, t.Elem)}
		for range g.below(3) {
			list = append(list, g.input(mutation, name, t.Elem))
		}
		return list
	case def.Kind == ast.InputObject:
		var fields object
		for _, f := range def.Fields {
			if values, own := g.inputs[f.Name]; own && len(values) == 0 {
				continue
			}
			if f.Type.NonNull && f.DefaultValue == nil || g.often(60) {
				fields = append(fields, objectField{f.Name, g.value(f.Type, func() any { return g.input(mutation, f.Name, f.Type) })})
			}
		}
		return fields
	case len(g.inputs[name]) > 0:
		return choose(&g.choices, g.inputs[name])
	case def.Kind == ast.Enum:
		return enumValue(choose(&g.choices, def.EnumValues).Name)
	case t.Name() == "ID":
		return g.id(g.meantBy(mutation, name))
	case t.Name() == "Int":
		return choose(&g.choices, []int{1, 2, 5, 0, 7, 250, -1})
	case t.Name() == "Boolean":
		return g.often(50)
	}
	return choose(&g.choices, AwkwardNames) + choose(&g.choices, []string{"", "1", "2", "\x1b", " "})
}

// meantBy returns the entity whose ID an argument takes. The name of the argument says which, or
// else the name of the mutation.
func (g *generator) meantBy(mutation, argument string) string {
	for _, e := range g.entities { // the name of an edge to it, and Id
		if edge, ok := strings.CutSuffix(argument, "Id"); ok && edge != "" && e.Edge(edge) != nil && e.Edge(edge).Unique {
			return e.Edge(edge).To
		}
	}
	for _, name := range g.values.shown {
		if strings.EqualFold(argument, name+"Id") || argument == "id" && strings.HasSuffix(mutation, name) {
			return name
		}
	}
	return "Node"
}

// withoutNewIDs returns the reply with the same text in place of every ID that no row had at first.
func (d *Differ) withoutNewIDs(r reply) reply {
	masked := func(text json.RawMessage) json.RawMessage {
		return d.someID.ReplaceAllFunc(text, func(id []byte) []byte {
			for _, known := range d.values.ids {
				if slices.Contains(known, string(id)) {
					return id
				}
			}
			return []byte("new")
		})
	}
	r.Data = masked(r.Data)
	for i, err := range r.Errors {
		r.Errors[i] = masked(err)
	}
	return r
}

// Mutations makes mutations from the first n seeds. It runs each through the read engine on the
// database of d, and field by field on another one with the same contents. Each mutation works on
// what the earlier ones left. It returns the first difference, or "". Otherwise unstored are the
// mutations that were never stored.
func (d *Differ) Mutations(n uint64, twin *database.DB) (unstored []string, difference string) {
	of := *d
	// A standard mutation has no payload of gqlgen's that would tell when rows have changed.
	of.plain = d.plainClient(twin, viewer.System, func(ctx context.Context) *contents {
		return read(ctx, d.contents.schema, d.app.API.Entities, d.app.Client(unit.FromContext(ctx)))
	})
	var prefixes []string
	for _, name := range d.values.shown {
		prefixes = append(prefixes, d.contents.entities[name].Prefix)
	}
	of.twins, of.someID = true, regexp.MustCompile(`(`+strings.Join(prefixes, "|")+`)_[0-9a-z]{26}`)
	stored := d.NewCoverage()
	for seed := range n {
		op := d.makeMutation(seeded(seed))
		got, difference := of.compare(op)
		if difference != "" {
			return nil, fmt.Sprintf("mutation %d: %s", seed, difference)
		}
		if len(got.Errors) == 0 {
			stored.add(op, got)
		}
	}
	for _, f := range d.app.mutations(d.contents.schema) {
		if stored.parts["Mutation."+f.Name] == 0 {
			unstored = append(unstored, f.Name)
		}
	}
	return unstored, ""
}

// AwkwardNames are texts that a wrong comparison confuses with others: with wildcards, in different
// cases, and with characters at the ends of ranges.
var AwkwardNames = []string{
	"ada", "Ada", "ada%", "ada_x", "adaxx", "ad", "ada\U0010FFFF", "ada\U0010FFFFz", "adb", "äda", "Ω", "\U0010FFFF\U0010FFFF",
	"z\uD7FF", "z\uE000", `a"b\c`, "<ada>&", "ada\u2028x", "O'Hara", "ada\x7F", "😀",
}
