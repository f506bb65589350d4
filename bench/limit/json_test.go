package main

import "testing"

// TestID checks examples of the TypeID specification, version 0.3: spec/valid.yml.
func TestID(t *testing.T) {
	for text, key := range map[string]uuid{
		`"prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz"`: {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		`"prefix_0123456789abcdefghjkmnpqrs"`: {0x01, 0x10, 0xc8, 0x53, 0x1d, 0x09, 0x52, 0xd8, 0xd7, 0x3e, 0x11, 0x94, 0xe9, 0x5b, 0x5f, 0x19},
	} {
		if got := string(appendID(nil, "prefix_", key[:])); got != text {
			t.Errorf("appendID: %s, want %s", got, text)
		}
		var got uuid
		if err := got.UnmarshalText([]byte(text[1 : len(text)-1])); err != nil || got != key {
			t.Errorf("UnmarshalText(%s): %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "user_", "user_0123456789abcdefghjkmnpqr!"} {
		if err := new(uuid).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("UnmarshalText(%q) takes it", text)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{"": `""`, "é ×": `"é ×"`, `a"b\c`: `"a\"b\\c"`, "a\nb": `"a\nb"`} {
		if got := string(appendText(nil, []byte(text))); got != want {
			t.Errorf("appendText(%q): %s, want %s", text, got, want)
		}
	}
	if got := string(appendText(nil, nil)); got != "null" {
		t.Errorf("appendText of NULL: %s", got)
	}
}
