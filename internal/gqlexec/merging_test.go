package gqlexec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// apart is a schema in which fields of the same name belong to different types and have different
// types.
var apart = gqlparser.MustLoadSchema(&ast.Source{Input: `
	interface Thing { a(n: Int, o: In): String next: Thing list: [Thing!] }
	input In { x: Int, y: [Int] }
	type A implements Thing { a(n: Int, o: In): String b: Int! c: [Int] next: Thing list: [Thing!] own: A other: B }
	type B implements Thing { a(n: Int, o: In): String b: Int c: [Int!] next: Thing list: [Thing!] own: B other: A }
	type Query { a(n: Int, o: In): String next: Thing list: [Thing!] own: A other: B }
`})

// randomSelections writes random documents that are valid except for fields that cannot be merged.
type randomSelections struct {
	*rand.Rand
	b         strings.Builder
	fragments int
}

var fieldsOf = map[string]map[string]string{ // with the types of the fields
	"Thing": {"a": "", "next": "Thing", "list": "Thing"},
	"A":     {"a": "", "b": "", "c": "", "next": "Thing", "list": "Thing", "own": "A", "other": "B"},
	"B":     {"a": "", "b": "", "c": "", "next": "Thing", "list": "Thing", "own": "B", "other": "A"},
	"Query": {"a": "", "next": "Thing", "list": "Thing", "own": "A", "other": "B"},
}

func pick[T any](r randomSelections, from ...T) T { return from[r.IntN(len(from))] }

// set writes a selection set on a type. It may spread the fragments from number from on.
func (r *randomSelections) set(on string, depth, from int) {
	r.b.WriteString("{ __typename ")
	for range 1 + r.IntN(3) {
		switch {
		case r.IntN(4) == 0 && on != "Query" && from < r.fragments:
			fmt.Fprintf(&r.b, "...f%d ", from+r.IntN(r.fragments-from))
		case r.IntN(3) == 0 && on != "Query" && depth > 0:
			inside := on
			if on == "Thing" {
				inside = pick(*r, "Thing", "A", "B")
			}
			r.b.WriteString("... on " + inside)
			r.set(inside, depth-1, from)
		default:
			r.field(on, depth, from)
		}
	}
	r.b.WriteString("} ")
}

func (r *randomSelections) field(on string, depth, from int) {
	var names []string
	for name, to := range fieldsOf[on] {
		if to == "" || depth > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	name := pick(*r, names...)
	r.b.WriteString(pick(*r, "", "", "x: ", "y: ") + name)
	if name == "a" {
		r.b.WriteString(pick(*r, "", "", "", "(n: 1)", "(n: 2)"))
	}
	r.b.WriteByte(' ')
	if to := fieldsOf[on][name]; to != "" {
		r.set(to, depth-1, from)
	}
}

// document returns a document. Each fragment is spread only by the operation and by earlier
// fragments.
func (r *randomSelections) document() string {
	r.fragments = r.IntN(4)
	r.set("Query", 4, 0)
	for i := range r.fragments {
		on := pick(*r, "Thing", "Thing", "A", "B")
		fmt.Fprintf(&r.b, "fragment f%d on %s ", i, on)
		r.set(on, 3, i+1)
	}
	return r.b.String()
}

// pairs is the algorithm of the specification, word for word: it compares each field with each
// other one.
type pairs struct{ document *ast.QueryDocument }

func (p pairs) fields(set ast.SelectionSet, spread map[string]bool) (all []*ast.Field) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			all = append(all, s)
		case *ast.InlineFragment:
			all = append(all, p.fields(s.SelectionSet, spread)...)
		case *ast.FragmentSpread:
			if !spread[s.Name] {
				spread[s.Name] = true
				all = append(all, p.fields(p.document.Fragments.ForName(s.Name).SelectionSet, spread)...)
			}
		}
	}
	return all
}

// all reports whether check is true for each pair of fields of the same name in a set.
func (p pairs) all(set ast.SelectionSet, check func(a, b *ast.Field) bool) bool {
	fields := p.fields(set, map[string]bool{})
	for i, a := range fields {
		for _, b := range fields[i+1:] {
			if a.Alias == b.Alias && !check(a, b) {
				return false
			}
		}
	}
	return true
}

func (p pairs) fieldsInSetCanMerge(set ast.SelectionSet) bool {
	return p.all(set, func(a, b *ast.Field) bool {
		if !p.sameResponseShape(a, b) {
			return false
		}
		x, y := a.ObjectDefinition, b.ObjectDefinition
		if x != y && x.Kind == ast.Object && y.Kind == ast.Object {
			return true
		}
		written := func(f *ast.Field) (s string) {
			for _, argument := range f.Arguments {
				s += argument.Name + argument.Value.String()
			}
			return s
		}
		return a.Name == b.Name && written(a) == written(b) && p.fieldsInSetCanMerge(slices.Concat(a.SelectionSet, b.SelectionSet))
	})
}

func (p pairs) sameResponseShape(a, b *ast.Field) bool {
	x, y := a.Definition.Type, b.Definition.Type
	for ; x.NonNull == y.NonNull && x.Elem != nil && y.Elem != nil; x, y = x.Elem, y.Elem {
	}
	if x.NonNull != y.NonNull || x.Elem != nil || y.Elem != nil {
		return false
	}
	if apart.Types[x.NamedType].IsLeafType() || apart.Types[y.NamedType].IsLeafType() {
		return x.NamedType == y.NamedType
	}
	return p.all(slices.Concat(a.SelectionSet, b.SelectionSet), p.sameResponseShape)
}

// everySet reports whether the fields of a set, and of all sets below it, can be merged.
func (p pairs) everySet(set ast.SelectionSet) bool {
	for _, f := range p.fields(set, map[string]bool{}) {
		if !p.everySet(f.SelectionSet) {
			return false
		}
	}
	return p.fieldsInSetCanMerge(set)
}

// TestMergingAsInPairs compares the rule with the algorithm of the specification on random
// documents. Both must accept the same documents.
func TestMergingAsInPairs(t *testing.T) {
	t.Parallel()
	both := map[bool]int{}
	for seed := range uint64(3000) {
		r := &randomSelections{Rand: rand.New(rand.NewPCG(seed, 1))}
		text := r.document()
		document := mustParse(t, text)
		found := rulesBroken(Validator{Schema: apart}.validate(t.Context(), text, document))
		want := !pairs{document}.everySet(document.Operations[0].SelectionSet)
		if got := found[rules.OverlappingFieldsCanBeMergedRule.Name]; got != want {
			t.Fatalf("seed %d: that there is a conflict is %t, and in pairs %t\n%s", seed, got, want, text)
		}
		both[want]++
	}
	if both[true] < 300 || both[false] < 300 {
		t.Errorf("%v; there must be enough documents with conflicts (true) and without", both)
	}
}

// rulesBroken returns the names of the rules that errors are about.
func rulesBroken(errs gqlerror.List) map[string]bool {
	names := map[string]bool{}
	for _, err := range errs {
		names[err.Rule] = true
	}
	return names
}

// TestMerging checks fields that can be merged, and the messages about fields that cannot.
func TestMerging(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"the same twice", `{ a(n: 1) a(n: 1) }`, ""},
		{"other arguments", `{ a(n: 1) a(n: 2) }`, `1:3 1:11 Fields "a" conflict because they have differing arguments.`},
		{"other objects", `{ a(o: {x: 1}) a(o: {x: 2}) }`, `1:3 1:16 Fields "a" conflict because they have differing arguments.`},
		{"other lists", `{ a(o: {y: [1, 2]}) a(o: {y: [12]}) }`, `1:3 1:21 Fields "a" conflict because they have differing arguments.`},
		{"another order", `{ a(o: {x: 1, y: []}, n: 1) a(n: 1, o: {y: [], x: 1}) }`, ""},
		{"another field", `{ own { x: b } own { x: c } }`, `1:9 1:22 Fields "own" conflict because subfields "x" conflict because "b" and "c" are different fields.`},
		{"far below one field", `{ own { own { x: b x: c } } }`, `1:15 1:20 Fields "x" conflict because "b" and "c" are different fields.`},
		{"in a fragment", `{ own { ...f x: a } } fragment f on A { x: b }`, `1:41 1:14 Fields "x" conflict because "b" and "a" are different fields.`},
		{"of other types", `{ next { ... on A { x: own { a } } ... on B { x: other { a } } } }`, ""},
		{"of other types that look different", `{ next { ... on A { x: b } ... on B { x: b } } }`, `1:21 1:39 Fields "x" conflict because they return conflicting types "Int!" and "Int".`},
		{"of other types that look different below", `{ next { ... on A { x: own { y: b } } ... on B { x: own { y: b } } } }`,
			`1:30 1:59 Fields "x" conflict because subfields "y" conflict because they return conflicting types "Int!" and "Int".`},
		{"a list and none", `{ next { ... on A { x: list { a } } ... on B { x: next { a } } } }`, `1:21 1:48 Fields "x" conflict because they return conflicting types "[Thing!]" and "Thing".`},
		{"an interface and a type", `{ next { x: next { a } ... on A { x: own { a } } } }`, `1:10 1:35 Fields "x" conflict because "next" and "own" are different fields.`},
		{"what is not there", `{ nothing { x: a x: b } }`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, err := range (Validator{Schema: apart}).validate(t.Context(), tt.text, mustParse(t, tt.text)) {
				if err.Rule == rules.OverlappingFieldsCanBeMergedRule.Name {
					for _, l := range err.Locations {
						got += fmt.Sprintf("%d:%d ", l.Line, l.Column)
					}
					got += strings.TrimSuffix(err.Message, " Use different aliases on the fields to fetch both if this was intentional.")
				}
			}
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
