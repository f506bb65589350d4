package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzMembers compares the walk over an object's members with what encoding/json finds in it.
func FuzzMembers(f *testing.F) {
	for _, object := range []string{
		`{}`, ` { } `, `{"a":1}`, "{\n\t\"a\" : [1, {\"b\": \"]}\\\"\"}] ,\r\"c\":-1.5e+3 }", `{"a":"\\","b":{"c":{}},"b":[[]],"\u0062":null,"":true}`, `{"a":"é\ud83d\ude00"}`,
		`{"a":"\"\\\/\b\f\n\r\t","b":"a\nb\u00e4","c":"\ud83d\n"}`,
	} {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		if notJSON("it", object) != nil || kindOf(object) != "an object" {
			t.Skip()
		}
		decoder := json.NewDecoder(bytes.NewReader(object))
		if _, err := decoder.Token(); err != nil {
			t.Fatal(err)
		}
		members := membersOf(object)
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				t.Fatal(err)
			}
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			if !members.next() || string(members.name) != name || !bytes.Equal(members.value, value) {
				t.Fatalf("%s: member %q with %q, want %q with %q", object, members.name, members.value, name, value)
			}
			if kindOf(value) == text {
				var want string
				if err := json.Unmarshal(value, &want); err != nil {
					t.Fatal(err)
				}
				if got := unquote(value); got != want {
					t.Fatalf("unquote(%s): %q, want %q", value, got, want)
				}
			}
		}
		if members.next() {
			t.Fatalf("%s: there is another member %q", object, members.name)
		}
	})
}
