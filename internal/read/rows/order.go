package rows

import (
	"fmt"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/viewer"
)

// Term is one part of an order.
type Term struct {
	Column   string
	Kind     entity.Kind
	Desc     bool
	Nullable bool
}

// order reads an orderBy argument. The key comes last, so that the order is total. Its direction is
// that of the term before it, so that one index serves both directions.
func order(o *binding.Object, value any, role viewer.Role) ([]Term, error) {
	var terms []Term
	key := Term{Column: o.Key().Name, Kind: entity.ID}
	for i, entry := range plan.List(value) {
		input := entry.(map[string]any)
		f := o.Orders[fmt.Sprint(input["field"])]
		if f == nil {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.field", i), "%.40q is nothing to order by", input["field"])
		}
		if o.Entity.Visible[f.Name] != entity.ToAll && role != viewer.Admin {
			return nil, apperr.Forbidden(fmt.Sprintf("orderBy.%d.field", i), "only an administrator may order by this")
		}
		t := Term{Column: f.Column, Kind: f.Kind, Desc: input["direction"] == "DESC", Nullable: f.Nullable}
		if direction, given := input["direction"]; given && !t.Desc && direction != "ASC" {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.direction", i), "%.40q is no direction: it is ASC or DESC", direction)
		}
		if !ordersBy(terms, t.Column) {
			terms = append(terms, t)
			key.Desc = t.Desc
		}
	}
	return append(terms, key), nil
}

// ordersBy reports whether terms order by the column already: a second time would change nothing.
func ordersBy(terms []Term, column string) bool {
	for _, t := range terms {
		if t.Column == column {
			return true
		}
	}
	return false
}
