package binding

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// Like a field and a condition, an order goes by the name of the entity's field: its column may have another, or that of another field.
func TestOrderOfAFieldInAnotherColumn(t *testing.T) {
	t.Parallel()
	o := &Object{Entity: &entity.Entity{Fields: []entity.Field{
		{Name: "formerName", Column: "name", Kind: entity.String}, {Name: "name", Column: "title", Kind: entity.String},
		{Name: "priceCents", Column: "price", Kind: entity.Int},
	}}}
	new(binder).bindOrders(o, &ast.Definition{EnumValues: ast.EnumValueList{{Name: "NAME"}, {Name: "PRICE_CENTS"}}})
	for order, want := range map[string]string{"NAME": "title", "PRICE_CENTS": "price"} {
		if got := o.Orders[order]; got == nil || got.Column != want {
			t.Errorf("%s orders by %v, want the column %s", order, got, want)
		}
	}
}
