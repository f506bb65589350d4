package differ

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// summaryArgument makes an argument of groups or countDistinct.
func (g *generator) summaryArgument(a *ast.ArgumentDefinition) any {
	of := a.Type.Name()
	switch {
	case strings.HasSuffix(of, "GroupField"):
		return g.anyValue(of)
	case strings.HasSuffix(of, "GroupBy"):
		return g.groupBy(strings.TrimSuffix(of, "GroupBy"))
	case strings.HasSuffix(of, "Having"):
		return g.having(strings.TrimSuffix(of, "Having"))
	case strings.HasSuffix(of, "GroupOrder"):
		return g.groupOrder(strings.TrimSuffix(of, "GroupOrder"))
	}
	if g.refused() {
		return choose(&g.choices, []int{-1, 1001})
	}
	return choose(&g.choices, []int{3, 0, 1, 2, 20, 1000})
}

func (g *generator) anyValue(enum string) enumValue {
	return enumValue(choose(&g.choices, g.schema.Types[enum].EnumValues).Name)
}

// groupBy makes the argument by, of up to three different columns. What it names is kept for
// orderBy, which is made next.
func (g *generator) groupBy(name string) any {
	e, by, columns := g.entities[name], listValue{}, []*entity.Field{}
	if g.refused() && g.often(30) {
		return by
	}
	g.keyed = nil
	for range 1 + g.below(3) {
		value := g.anyValue(name + "GroupField")
		f, _ := columnOfKey(e, string(value))
		if slices.Contains(columns, f) && !g.refused() {
			continue
		}
		columns, g.keyed = append(columns, f), append(g.keyed, value)
		entry := object{{"field", value}}
		if f.Kind == entity.Time && g.often(70) || g.refused() {
			entry = append(entry, objectField{"bucket", g.anyValue("TimeBucket")})
			if g.often(40) {
				entry = append(entry, objectField{"timeZone", choose(&g.choices, []string{"UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"})})
			}
		}
		by = append(by, entry)
	}
	return by
}

// having makes the argument having.
func (g *generator) having(name string) any {
	where := object{}
	for range g.below(3) {
		def := choose(&g.choices, g.schema.Types[name+"Having"].Fields)
		if slices.ContainsFunc(where, func(f objectField) bool { return f.name == def.Name }) {
			continue
		}
		measured := def.Name
		for _, op := range []string{"NEQ", "GTE", "LTE", "GT", "LT"} {
			measured = strings.TrimSuffix(measured, op)
		}
		function, f := measureOf(g.entities[name], measured)
		where = append(where, objectField{def.Name, g.value(def.Type, func() any {
			switch function {
			case "count", "countDistinct":
				return g.below(4)
			case "sum":
				return choose(&g.choices, []string{"0", "10", "1000", "-1"})
			case "avg":
				if f.Kind == entity.Decimal {
					return choose(&g.choices, []string{"0.5", "3", "1000", "-0.25"})
				}
				return choose(&g.choices, []float64{0.5, 3, 1000, -0.25})
			}
			return g.sample(name, f, "")
		})})
	}
	return where
}

// groupOrder makes the argument orderBy of groups, by their keys and by results.
func (g *generator) groupOrder(name string) any {
	values := g.schema.Types[name+"GroupOrderField"].EnumValues
	return g.list(func() any {
		value := g.anyValue(name + "GroupOrderField")
		function, f := measureOf(g.entities[name], string(value))
		if function == "" && !g.refused() { // a key that groups are formed by
			value = "COUNT"
			keys := slices.DeleteFunc(slices.Clone(g.keyed), func(k enumValue) bool {
				return !slices.ContainsFunc(values, func(v *ast.EnumValueDefinition) bool { return v.Name == string(k) })
			})
			if len(keys) > 0 {
				value = choose(&g.choices, keys)
			}
			function, f = measureOf(g.entities[name], string(value))
		}
		o := object{{"field", value}}
		if g.often(50) {
			o = append(o, objectField{"direction", g.anyValue("OrderDirection")})
		}
		if g.schema.Types[name+"GroupOrder"].Fields.ForName("collation") != nil && (resultOf(function, f).Kind == entity.String && g.often(40) || g.refused()) {
			o = append(o, objectField{"collation", choose(&g.choices, []string{"de", "sv", "und"})})
		}
		return o
	})
}
