package message

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func files(name, text string) fstest.MapFS {
	return fstest.MapFS{"messages/" + name: {Data: []byte(text)}}
}

func TestIn(t *testing.T) {
	t.Parallel()
	c, err := Load(files("de.json", `{"%s has %d": "%[2]d hat %[1]s", "100%": "hundert", "it": "es", "%s: %s": "%[2]s (%[1]s)"}`))
	if err != nil {
		t.Fatal(err)
	}
	german := c.Match("de")
	for _, tt := range []struct {
		text            Text
		english, german string
	}{
		{New("%s has %d", "a%d", 5), "a%d has 5", "5 hat a%d"},
		{New("100%"), "100%", "hundert"},
		{New("%s: %s", New("it"), errors.New("it")), "it: it", "es (es)"},
		{New("%s: %s", "it", errors.New("%s")), "it: %s", "%s (it)"},
		{New("unknown %s", New("it")), "unknown it", "unknown es"},
	} {
		if e, g := tt.text.String(), tt.text.In(german); e != tt.english || g != tt.german {
			t.Errorf("%q is %q and %q, want %q and %q", tt.text.Format, e, g, tt.english, tt.german)
		}
	}
}

// TestLoadBad loads files that are not right. The error names the file.
func TestLoadBad(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"german language.json": `{}`, "de.json": `{"%s is %d": "%s"}`, "fr.json": `{"%s": "%d"}`, "it.json": `{"a": "%s"}`, "es.json": `{"%s": "%[2]s"}`,
		"nl.json": `[]`, "pl.json": `{"a": {"b": "c"}}`, "da.json": ``, "sv.json": `{"%s %s": "%s"}`, "fi.json": `{"%s": "%*d%s"}`, "cs.json": `{"%s": "%s %"}`,
	} {
		if _, err := Load(files(name, text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s with %s: %v", name, text, err)
		}
	}
	if _, err := Load(nil); err != nil {
		t.Error(err)
	}
}
