package email

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ada@example.com":           "ada@example.com",
		"Ada+x@Example.COM":         "Ada+x@Example.COM",
		"ze\u0301@example.com":      "z\u00e9@example.com",
		"用户@例え.jp":                  "用户@例え.jp",
		"ada@xn--bcher-kva.de":      "ada@xn--bcher-kva.de",
		"ada@my_host":               "ada@my_host",
		"ada":                       "",
		"ada@":                      "",
		"Ada <ada@example.com>":     "",
		"a\u200bda@example.com":     "",
		"ada@exam\u00adple.com":     "",
		"ada@xn--a.de":              "", // not valid Punycode
		"ada@bü\u0338cher..de":      "",
		"ada@" + long("ü", 600):     "",
		"ada@xn--" + long("a", 2e5): "",
	} {
		if got, err := Parse(text); got != want || (err == nil) != (want != "") {
			t.Errorf("Parse(%.40q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func long(s string, n int) string { return strings.Repeat(s, n) }

func TestKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"Ada@Example.com", "ada@example.com", true},
		{"ze\u0301@example.com", "Z\u00c9@example.com", true},
		{"\uff41\uff44\uff41@\uff45xample.com", "ada@example.com", true},
		{"\u212aarl@example.com", "karl@example.com", true},
		{"stra\u00dfe@example.com", "STRASSE@example.com", true},
		{"ada@stra\u00dfe.example", "ada@xn--strae-oqa.example", true},
		{"ada@b\u00fccher.example", "ada@XN--BCHER-KVA.example", true},
		{"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example", true},
		{"\ufb01sh@example.com", "fish@example.com", true},
		{"ada@example.com", "eve@example.com", false},
		{"ada@example.com", "ada@example.org", false},
		{"ada", "ADA", true},
		{"xn--bcher-kva", "b\u00fccher", false}, // no @, so no domain
	} {
		a, b := Key(tt.a), Key(tt.b)
		if (a == b) != tt.same {
			t.Errorf("the keys of %+q and %+q are %+q and %+q", tt.a, tt.b, a, b)
		}
		if again := Key(a); again != a {
			t.Errorf("the key of %+q is %+q, whose key is %+q", tt.a, a, again)
		}
	}
	if long := "a@xn--" + strings.Repeat("a", 1<<20); Key(long) != long {
		t.Error("a domain is read that is longer than any")
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"Ada@Example.com", "ada@example.com", true},
		{"ze\u0301@example.com", "z\u00e9@example.com", true},
		{"ada@b\u00fccher.example", "ada@XN--BCHER-KVA.example", true},
		{"ada@stra\u00dfe.example", "ada@xn--strae-oqa.example", true},
		{"ada@stra\u00dfe.example", "ada@strasse.example", false},
		{"stra\u00dfe@example.com", "strasse@example.com", false},
		{"\uff41da@example.com", "ada@example.com", false},
		{"a\u017fa@example.com", "asa@example.com", false},
		{"", "ada@example.com", false},
	} {
		if Same(tt.a, tt.b) != tt.same {
			t.Errorf("%+q and %+q", tt.a, tt.b)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("ada@xn--bcher-kva.example")
	f.Add("a\u0345\u0301@stra\u00dfe.example")
	f.Fuzz(func(t *testing.T, text string) {
		if key := Key(text); Key(key) != key {
			t.Errorf("the key of %+q is %+q, whose key is %+q", text, key, Key(key))
		}
	})
}
