package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzMembers compares members with the members that encoding/json finds in an object.
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

// TestNotJSONNesting checks that values that are nested too deeply have a message of their own.
func TestNotJSONNesting(t *testing.T) {
	t.Parallel()
	open, end := strings.Repeat("[", 50_000), strings.Repeat("]", 50_000)
	for name, tt := range map[string]struct{ value, want string }{
		"most that is allowed":   {open[:maxNested] + end[:maxNested], ""},
		"one more":               {open[:maxNested+1] + end[:maxNested+1], "nested too deeply: at most 10000"},
		"in a member":            {`{"\"a[":` + open + end + `}`, "nested too deeply: at most 10000"},
		"side by side":           {"[" + strings.Repeat("[],", 20_000) + "x", "error at byte 60002"},
		"not valid further in":   {open[:9_000] + "x", "error at byte 9001"},
		"brackets within a text": {`{"a":"` + open + `"x`, "error at byte 50008"},
		"a text that has no end": {`{"a":"` + open, "ends too early"},
		"a line end in brackets": {`{"a":"` + open + "\n", "error at byte 50007"},
	} {
		refused := notJSON("variables", []byte(tt.value))
		switch {
		case tt.want == "" && refused != nil:
			t.Errorf("%s: %s", name, refused.message)
		case tt.want != "" && (refused == nil || !strings.Contains(refused.message, tt.want)):
			t.Errorf("%s: %+v, want %q", name, refused, tt.want)
		}
	}
}
