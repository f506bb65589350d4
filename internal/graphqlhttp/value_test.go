package graphqlhttp

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// wantDecoded compares decodeObject with encoding/json, which reads the object if it is one.
func wantDecoded(t *testing.T, object string) {
	t.Helper()
	var want map[string]any
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.UseNumber()
	if !utf8.ValidString(object) || !json.Valid([]byte(object)) || decoder.Decode(&want) != nil || want == nil {
		return
	}
	if got := decodeObject([]byte(object)); !reflect.DeepEqual(got, want) {
		t.Errorf("decodeObject(%q) is\n%#v, want\n%#v", object, got, want)
	}
}

var objects = []string{
	`{}`, " {\t} ", `{"a":1}`, `{ "a" : -1.50e+3 , "b" : 0 }`, `{"a":12345678901234567890}`,
	`{"a":"","b":"\"\\\u00e9\n","c":"é}]"}`, `{"a":true,"b":false,"c":null}`, `{"a":[],"b":[1,"2",[3,{}],{"x":[null]}]}`,
	`{"a":[ 1 , 2 ],"b":{ "c" : { } }}`, `{"a":1,"a":2}`, `{"\u0061":1}`,
	`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
}

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
