package read

import (
	"context"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// Impersonal reports whether a query or a subscription is answered alike for all viewers with the
// role, the further roles and the tenant of the viewer of ctx, whoever they are. Then every row
// that it may read is shown to all of them, and so is every field. It returns false if that is not
// certain.
func (e *Engine) Impersonal(ctx context.Context, op *graphql.OperationContext) bool {
	i := impersonal{ctx, e.binding, op.Variables, viewer.RoleOf(ctx) == viewer.Admin, nil}
	return i.selection(op.Operation.SelectionSet)
}

// MaxAge returns for how many seconds the answer to a query may be kept for whoever asks the same:
// the shortest MaxAge of the entities that it may read. It returns 0 if there may be something in
// it that not everybody may see, or that one of the entities says nothing about.
func (e *Engine) MaxAge(op *graphql.OperationContext) int {
	age := math.MaxInt
	i := impersonal{viewer.NewContext(context.Background(), viewer.Viewer{}), e.binding, op.Variables, false, &age}
	if op.Operation.Operation != ast.Query || !i.selection(op.Operation.SelectionSet) || age == math.MaxInt {
		return 0
	}
	return age
}

type impersonal struct {
	ctx       context.Context
	b         *binding.Binding
	variables map[string]any
	admin     bool
	age       *int // becomes the shortest MaxAge; may be nil
}

func (i impersonal) selection(set ast.SelectionSet) bool {
	for _, s := range set {
		of := ast.SelectionSet(nil)
		switch s := s.(type) {
		case *ast.Field:
			if !i.field(s) || !i.leads(s) {
				return false
			}
			of = s.SelectionSet
		case *ast.InlineFragment:
			of = s.SelectionSet
		case *ast.FragmentSpread:
			of = s.Definition.SelectionSet
		}
		if !i.selection(of) {
			return false
		}
	}
	return true
}

// field reports whether a field is shown to all.
func (i impersonal) field(f *ast.Field) bool {
	parent := f.ObjectDefinition
	switch o := i.b.Objects[parent.Name]; {
	case f.Name == "__typename":
		return true
	case parent == i.b.Schema.Query:
		return i.b.Refers(f.Name)
	case parent == i.b.Schema.Subscription:
		return f.Name == binding.Live || i.b.Changes.Typed[f.Name] != nil
	case i.b.Links[parent.Name] != nil:
		return false
	case o != nil:
		return i.shown(o.Fields[f.Name])
	}
	return true // a part of a page, an aggregate or a change
}

func (i impersonal) shown(f *binding.Field) bool {
	switch {
	case f == nil || f.Computed != nil || f.Members != nil || f.Column != nil && f.Column.Shown != nil:
		return false
	case f.Visible != entity.ToAll && (f.Visible != entity.ToOwners || !i.admin):
		return false
	}
	return f.Join == nil || i.rows(f.Join)
}

// leads reports whether all rows that a field leads to are shown to all, and whether its arguments
// look at no others.
func (i impersonal) leads(f *ast.Field) bool {
	name := f.Definition.Type.Name()
	objects := i.b.PagesOf(name)
	if o := i.b.Objects[name]; o != nil {
		objects = append(objects, o)
	}
	if def := i.b.Schema.Types[name]; def.IsAbstractType() {
		return false
	}
	args := f.ArgumentMap(i.variables)
	for _, o := range objects {
		if !i.rows(o.Entity) || !i.where(o, args["where"]) || !i.order(o, args["orderBy"]) {
			return false
		}
	}
	return args["by"] == nil && args["having"] == nil && args["deleted"] == nil // groups, and what administrators list
}

// rows reports whether all rows of an entity are shown to all.
func (i impersonal) rows(e *entity.Entity) bool {
	if i.age != nil {
		*i.age = min(*i.age, e.MaxAge)
	}
	return rule.Hears(i.ctx, e).All
}

func (i impersonal) where(o *binding.Object, value any) bool {
	for _, one := range plan.List(value) {
		conditions, ok := one.(map[string]any)
		if !ok && one != nil {
			return false
		}
		for name, of := range conditions {
			f := o.Filters[name]
			switch {
			case f == nil || f.Edge != nil && f.To == nil || f.Join != nil && !i.rows(f.Join):
				return false
			case f.To != nil && !i.rows(f.To.Entity):
				return false
			}
			to := o
			if f.To != nil {
				to = f.To
			}
			if nested := f.Op == "not" || f.Op == "and" || f.Op == "or" || f.Op == "hasWith"; nested && !i.where(to, of) {
				return false
			}
		}
	}
	return true
}

func (i impersonal) order(o *binding.Object, value any) bool {
	for _, one := range plan.List(value) {
		of, _ := one.(map[string]any)
		name, _ := of["field"].(string)
		if by := o.Orders[name]; by == nil || by.Edge != nil {
			return false
		}
	}
	return true
}
