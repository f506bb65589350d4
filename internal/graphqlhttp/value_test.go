package graphqlhttp

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// wantDecoded compares decodeObject with encoding/json, if the text is an object.
func wantDecoded(t *testing.T, object string) {
	t.Helper()
	var want map[string]any
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.UseNumber()
	if !utf8.ValidString(object) || !json.Valid([]byte(object)) || decoder.Decode(&want) != nil || want == nil {
		return
	}
	want = whole(want).(map[string]any)
	if got := decodeObject([]byte(object)); !reflect.DeepEqual(got, want) {
		t.Errorf("decodeObject(%q) is\n%#v, want\n%#v", object, got, want)
	}
}

// whole returns a value whose whole numbers up to 2^53 have no point and no exponent.
func whole(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			value[name] = whole(value[name])
		}
	case []any:
		for i := range value {
			value[i] = whole(value[i])
		}
	case json.Number:
		if n, err := value.Float64(); err == nil && strings.ContainsAny(string(value), ".eE") && math.Mod(n, 1) == 0 && math.Abs(n) <= 1<<53 {
			return json.Number(strconv.Itoa(int(n)))
		}
	}
	return value
}

// TestDecodeNumbers checks numbers that are whole, that are not, and that are too large.
func TestDecodeNumbers(t *testing.T) {
	for written, want := range map[string]json.Number{"1.0": "1", "1e3": "1000", "-2.50e+1": "-25", "-0.0": "0", "9007199254740992.0": "9007199254740992", "1": "1",
		"1.5": "1.5", "1e-1": "1e-1", "1e16": "1e16", "1e400": "1e400", "12345678901234567890": "12345678901234567890"} {
		if got := decodeObject([]byte(`{"a":[` + written + `]}`))["a"].([]any)[0]; got != want {
			t.Errorf("%s is read as %v, want %s", written, got, want)
		}
	}
}

var objects = []string{
	`{}`, " {\t} ", `{"a":1}`, `{ "a" : -1.50e+3 , "b" : 0 }`, `{"a":12345678901234567890}`,
	`{"a":"","b":"\"\\\u00e9\n","c":"é}]"}`, `{"a":true,"b":false,"c":null}`, `{"a":[],"b":[1,"2",[3,{}],{"x":[null]}]}`,
	`{"a":[ 1 , 2 ],"b":{ "c" : { } }}`, `{"a":1,"a":2}`, `{"\u0061":1}`,
	`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
}

// TestDecodeObject compares decodeObject with encoding/json.
func TestDecodeObject(t *testing.T) {
	for _, object := range objects {
		wantDecoded(t, object)
	}
}

func FuzzDecodeObject(f *testing.F) {
	for _, object := range objects {
		f.Add(object)
	}
	f.Fuzz(wantDecoded)
}

func BenchmarkDecodeObject(b *testing.B) {
	object := []byte(`{"id":"user_01h455vb4pex5vsknk084sn02q","first":20,"where":{"nameHasPrefix":"A"}}`)
	b.ReportAllocs()
	for b.Loop() {
		decodeObject(object)
	}
}

// TestCountValues counts values, and checks that more than MaxValues are refused.
func TestCountValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value string
		want  int
	}{
		{`{}`, 1},
		{` { } `, 1},
		{`{"a":1}`, 2},
		{`{"a": [ ], "b": [{}, {}]}`, 5},
		{`{"a":[1,2],"b":{"c":"x,[{,"}}`, 6},
		{`{"a":"\",{"}`, 2},
	} {
		if got := countValues([]byte(tt.value)); got != tt.want {
			t.Errorf("countValues(%s) = %d, want %d", tt.value, got, tt.want)
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		for n, refused := range map[int]bool{MaxValues: false, MaxValues + 1: true} {
			body := `{"query":"{ a }","` + name + `":{"a":[` + strings.Repeat("{},", n-3) + `{}` + `]}}`
			_, why := fromJSON(requestBody, []byte(body))
			if (why != nil) != refused {
				t.Errorf("%d values in %s: refused %t, want %t", n, name, why != nil, refused)
			}
			if why != nil && (why.code != "QUERY_TOO_COMPLEX" || why.errors()[0].Extensions["limit"] != MaxValues) {
				t.Errorf("%d values in %s: %+v", n, name, why)
			}
		}
	}
}
