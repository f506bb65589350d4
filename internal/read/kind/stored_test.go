package kind

import (
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
)

// TestStores has types that databases have which Forge has not made.
func TestStores(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of               entity.Kind
		goType           string
		dialect, stored  string
		want             bool
		convert, compare string
	}{
		{entity.Enum, "", dialect.Postgres, "mpaa_rating", true, "", ""},
		{entity.Enum, "", dialect.SQLite, "mpaa_rating", false, "", ""},
		{entity.List, "array.Texts", dialect.Postgres, "text[]", true, "to_jsonb(%s)::text", "to_jsonb(%s)"},
		{entity.List, "[]string", dialect.Postgres, "text[]", false, "to_jsonb(%s)::text", "to_jsonb(%s)"},
		{entity.Time, "", dialect.Postgres, "timestamp without time zone", true, "(%s AT TIME ZONE 'UTC')", ""},
		{entity.Time, "", dialect.Postgres, "timestamptz(3)", true, "", ""},
		{entity.Time, "", dialect.Postgres, "timestamp(3)", true, "(%s AT TIME ZONE 'UTC')", ""},
		{entity.JSON, "", dialect.Postgres, "json", true, "", "%s::jsonb"},
		{entity.String, "", dialect.Postgres, "character(20)", true, "%s::text", ""},
		{entity.String, "", dialect.Postgres, "citext", true, "", ""},
		{entity.String, "", dialect.SQLite, "datetime", true, "(%s || '')", ""},
		{entity.Decimal, "", dialect.SQLite, "numeric(15,2)", true, "", ""},
		{entity.Decimal, "", dialect.SQLite, "numeric(16,2)", false, "", ""},
		{entity.Decimal, "", dialect.SQLite, "numeric", false, "", ""},
	} {
		f := &entity.Field{Kind: tt.of, Elem: entity.String, Type: tt.goType, Stored: map[string]string{tt.dialect: tt.stored}}
		k, _ := Of(tt.of)
		if got := k.Stores(f, tt.dialect); got != tt.want {
			t.Errorf("kind %d as %s on %s: %t", tt.of, tt.stored, tt.dialect, got)
		}
		if got := Conversion(f, tt.dialect); got != tt.convert {
			t.Errorf("kind %d as %s is converted by %q, want %q", tt.of, tt.stored, got, tt.convert)
		}
		if got := Document(f); got != tt.compare {
			t.Errorf("kind %d as %s is compared as %q, want %q", tt.of, tt.stored, got, tt.compare)
		}
	}
}

func TestValueNames(t *testing.T) {
	t.Parallel()
	f := &entity.Field{Kind: entity.Enum, Values: []string{"G", "PG-13", "in progress", "3D", "true"}}
	for i, name := range []string{"G", "PG_13", "in_progress", "_3D", "_true"} {
		if got := f.ValueNames()[i]; got != name {
			t.Errorf("%s is called %s, want %s", f.Values[i], got, name)
		}
		if arg, err := kinds[entity.Enum].Argument(f, name); err != nil || arg != f.Values[i] {
			t.Errorf("%s is compared as %v, %v", name, arg, err)
		}
		if b, ok := kinds[entity.Enum].Write(f, nil, []byte(f.Values[i])); !ok || string(b) != `"`+name+`"` {
			t.Errorf("%s is shown as %s, %t", f.Values[i], b, ok)
		}
	}
}
