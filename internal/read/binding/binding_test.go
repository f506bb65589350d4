package binding

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// TestBindOrdersByFieldName checks that an order is named after the field of the entity, as a field
// and a filter are, and not after its column.
func TestBindOrdersByFieldName(t *testing.T) {
	t.Parallel()
	o := &Object{Entity: &entity.Entity{Fields: []entity.Field{
		{Name: "formerName", Column: "name", Kind: entity.String}, {Name: "name", Column: "title", Kind: entity.String},
		{Name: "priceCents", Column: "price", Kind: entity.Int},
	}}}
	new(binder).bindOrders(o, &ast.Definition{EnumValues: ast.EnumValueList{{Name: "NAME"}, {Name: "PRICE_CENTS"}}})
	for order, want := range map[string]string{"NAME": "title", "PRICE_CENTS": "price"} {
		if got := o.Orders[order]; got == nil || got.Field.Column != want {
			t.Errorf("%s orders by %v, want the column %s", order, got, want)
		}
	}
}
