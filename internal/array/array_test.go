package array

import (
	"reflect"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
)

// TestScan reads lists as both databases return them.
func TestScan(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	for _, tt := range []struct {
		src       any
		got, want any
	}{
		{`{"x y",b}`, &Texts{}, &Texts{"x y", "b"}},
		{[]byte(`["x y","{"]`), &Texts{}, &Texts{"x y", "{"}},
		{`{}`, &Texts{"a"}, &Texts{}},
		{nil, &Texts{"a"}, new(Texts)},
		{`{1,-2}`, &Ints{}, &Ints{1, -2}},
		{`{9007199254740993}`, &BigInts{}, &BigInts{9007199254740993}},
		{`[1.5]`, &Floats{}, &Floats{1.5}},
		{`{t,f}`, &Bools{}, &Bools{true, false}},
		{`{01890a5d-ac96-774b-bcce-b302099a8057}`, &UUIDs{}, &UUIDs{id}},
	} {
		if err := tt.got.(interface{ Scan(any) error }).Scan(tt.src); err != nil || !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", tt.src, tt.got, err, tt.want)
		}
	}
	for _, bad := range []any{1, "x", "{{1},{2}}", "{NULL}"} {
		if err := new(Ints).Scan(bad); err == nil {
			t.Errorf("%v is read as whole numbers", bad)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	if v, err := (Texts{"a", `"`}).Value(); err != nil || v != `["a","\""]` {
		t.Errorf("a list is %v, %v", v, err)
	}
	if v, err := (Texts(nil)).Value(); err != nil || v != nil {
		t.Errorf("no list is %v, %v", v, err)
	}
	if p := (Texts{}).FormatParam("?", &sql.StmtInfo{Dialect: dialect.SQLite}); p != "?" {
		t.Errorf("the parameter on SQLite is %s", p)
	}
}
