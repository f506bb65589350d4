package gqlexec

import "testing"

// TestDefaultInGraphQL converts default values as gqlparser writes them.
func TestDefaultInGraphQL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ written, want string }{
		{`ASC`, `ASC`},
		{`"x"`, `"x"`},
		{`"\x07\a\u00a0\U0001f600\U000e0001\"\\"`, `"\u0007\u0007` + "\u00a0😀\U000e0001" + `\"\\"`},
		{`{a:"b",c:["\v","d"],e:{f:true}}`, `{a:"b",c:["\u000b","d"],e:{f:true}}`},
	} {
		if got := *inGraphQL(&tt.written); got != tt.want {
			t.Errorf("%s is written %s, want %s", tt.written, got, tt.want)
		}
	}
	if inGraphQL(nil) != nil {
		t.Error("a default where there is none")
	}
}
