package usage

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"env", "database-url", "addr", "port", "auth", "pool-size"}
	for name, want := range map[string]string{
		"prot": "port", "prt": "port", "adr": "addr", "address": "addr", "databaseurl": "database-url", "database": "database-url", "pool": "pool-size",
		"PORT": "port", "atuh": "auth",
		"xyzzy": "", "listen-on": "", "": "", "e": "", "j": "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("Nearest of none = %q", got)
	}
}

func TestHelpIsNarrow(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	long := strings.Repeat("seven a ", 40)
	h := Help(&b)
	for _, part := range []string{"NAME:\n   forge\n   --ad", "dr string, -a      " + long + "\n   --x  short\n", "   serve    " + long + "\n" + long + "\n\n"} {
		if n, err := h.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	lines := strings.Split(b.String(), "\n")
	for _, line := range lines {
		if len(line) > HelpWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if got, want := strings.Fields(b.String()), strings.Fields("NAME: forge --addr string, -a "+long+" --x short serve "+long+long); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q\nwant the words\n%q", got, want)
	}
	for _, want := range []string{"   --addr string, -a\n        seven a", "   --x\n        short\n", "   serve    seven a", "\n            seven a"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s\nhas not %q", b.String(), want)
		}
	}
}
