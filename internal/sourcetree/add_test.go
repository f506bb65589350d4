package sourcetree

import "testing"

// TestCondition writes the CHECK of a column. That of a decimal number holds where the column is a
// text.
func TestCondition(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		field Field
		want  string
	}{
		{Field{Name: "pages", Type: "int", Min: "1"}, "pages >= 1"},
		{Field{Name: "unitPrice", Type: "decimal", Min: "9"}, "unit_price + 0 >= 9"},
		{Field{Name: "price", Type: "decimal", Min: "9", Max: "100"}, "price + 0 BETWEEN 9 AND 100"},
		{Field{Name: "name", Type: "string", Length: 9}, "length(name) BETWEEN 1 AND 9"},
	} {
		if got, _ := tt.field.condition(); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.field, got, tt.want)
		}
	}
}
