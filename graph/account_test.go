package graph

import "testing"

// TestAccountsLoginKey checks which logins are counted together: emails with the same key, and
// usernames with the same stored form.
func TestAccountsLoginKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"ada@example.com", "ADA@Example.com", true},
		{"stra\u00dfe@example.com", "STRASSE@example.com", true},
		{"a\u0345\u0301@example.com", "a\u03b9\u0301@example.com", false}, // normalization changes the order of their marks
		{"ze\u0301@example.com", "Z\u00e9@example.com", true},
		{"\uff41da@example.com", "ada\uff20example.com", true},
		{"\u212aarl@example.com", "karl@example.com", true},
		{"ada@xn--bcher-kva.example", "ada@B\u00dcCHER.example", true},
		{"ada\uff20exam\u00adple.com", "ada@example.com", true}, // no username has a soft hyphen
		{"ada\ufe6bexa\u200bm\u200bple.com", "ada@example.com", true},
		{"ada", "ａｄａ", true},
		{"zoë", "zoe\u0308", true},
		{"a\u200bda", "ada", false}, // earlier versions may have stored the first
		{"ada", "Ada", false},
		{"ada", "eve", false},
	} {
		a, b := Accounts{}.LoginKey(tt.a), Accounts{}.LoginKey(tt.b)
		if is := a == b; is != tt.same {
			t.Errorf("%+q and %+q are %+q and %+q", tt.a, tt.b, a, b)
		}
	}
}
