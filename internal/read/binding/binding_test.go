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

// TestBindOrdersByRelatedRows checks what is compared, who may order by it, and whether it may be
// NULL. An order over an edge or a column that not everybody may see is for administrators.
func TestBindOrdersByRelatedRows(t *testing.T) {
	t.Parallel()
	team := &entity.Entity{Name: "Team", Ruled: true, Visible: map[string]entity.Visibility{"name": entity.ToAll, "motto": entity.ToOwners},
		Fields: []entity.Field{{Name: "name", Column: "title", Kind: entity.String}, {Name: "motto", Column: "motto", Kind: entity.String}}}
	o := &Object{Entity: &entity.Entity{Name: "Hero", Ruled: true, Visible: map[string]entity.Visibility{"team": entity.ToAll, "rivals": entity.ToAll, "debts": entity.ToOwners},
		Edges: []entity.Edge{{Name: "team", To: "Team", Unique: true, OwnKey: true}, {Name: "rivals", To: "Team"}, {Name: "debts", To: "Team"}}}}
	b := &binder{Binding: &Binding{Schema: &ast.Schema{}}, all: map[string]*entity.Entity{"Team": team}, hidden: map[string]*Object{}}
	b.bindOrders(o, &ast.Definition{EnumValues: ast.EnumValueList{{Name: "TEAM_NAME"}, {Name: "TEAM_MOTTO"}, {Name: "RIVALS_COUNT"}, {Name: "DEBTS_COUNT"}}})
	if len(b.findings) > 0 {
		t.Fatal(b.findings)
	}
	for order, want := range map[string]struct {
		name             string
		nullable, closed bool
	}{
		"TEAM_NAME": {"team.title", true, false}, "TEAM_MOTTO": {"team.motto", true, true},
		"RIVALS_COUNT": {"rivals#", false, false}, "DEBTS_COUNT": {"debts#", false, true},
	} {
		if got := o.Orders[order]; got.Name() != want.name || got.Nullable != want.nullable || got.Closed != want.closed {
			t.Errorf("%s: %+v, want %+v", order, got, want)
		}
	}
}
