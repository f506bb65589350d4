package binding

import (
	"testing"

	"forge/internal/entity"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	e := &entity.Entity{
		Fields: []entity.Field{{Name: "id"}, {Name: "name"}, {Name: "nameIn"}, {Name: "isNil"}, {Name: "teamWithCount"}},
		Edges:  []entity.Edge{{Name: "team"}, {Name: "teamWith"}, {Name: "only", Unique: true, Shows: map[string]string{"size": "size"}}},
	}
	for _, tt := range []struct{ name, op, field, edge string }{
		{"not", "not", "", ""}, {"and", "and", "", ""}, {"or", "or", "", ""},
		{"id", "", "id", ""}, {"idIn", "In", "id", ""}, {"nameHasPrefix", "HasPrefix", "name", ""}, {"nameGTE", "GTE", "name", ""},
		{"nameInIn", "In", "nameIn", ""}, {"isNilIsNil", "IsNil", "isNil", ""},
		{"hasTeam", "has", "", "team"}, {"hasTeamWithWith", "hasWith", "", "teamWith"},
		{"teamCount", "", "", "team"}, {"teamCountGTE", "GTE", "", "team"}, {"teamWithCount", "", "teamWithCount", ""}, {"teamWithCountLT", "LT", "teamWithCount", ""},
		{"sizeNotIn", "NotIn", "", "only"}, {"nameNotIn", "NotIn", "name", ""}, {"onlyCount", "?", "", ""}, {"teamCountIn", "?", "", ""},
		{"nameLike", "?", "", ""}, {"age", "?", "", ""}, {"hasName", "?", "", ""}, {"", "?", "", ""}, {"nam", "?", "", ""},
	} {
		all := parseFilter(e, tt.name)
		if tt.op == "?" {
			if len(all) > 0 {
				t.Errorf("%q is taken for a condition: %+v", tt.name, all[0])
			}
			continue
		}
		if len(all) != 1 {
			t.Errorf("%q can be read in %d ways, want one", tt.name, len(all))
			continue
		}
		f := all[0]
		if f.Op != tt.op || f.Field != nil && f.Field.Name != tt.field || f.Edge != nil && f.Edge.Name != tt.edge ||
			(f.Field == nil) != (tt.field == "") || (f.Edge == nil) != (tt.edge == "") {
			t.Errorf("%q is read as %+v, want %+v", tt.name, f, tt)
		}
	}
	for _, name := range []string{"nameIn", "hasTeamWith"} {
		if n := len(parseFilter(e, name)); n != 2 {
			t.Errorf("%q can be read in %d ways, want 2", name, n)
		}
	}
}
