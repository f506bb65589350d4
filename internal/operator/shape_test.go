package operator

import (
	"strings"
	"testing"
)

// TestShape takes the values out of statements, however they are written.
func TestShape(t *testing.T) {
	tests := []struct{ statement, want string }{
		{`SELECT "a1", b FROM t1 WHERE id = $1 AND n > 5 AND x = -1.5e3`, `SELECT "a1", b FROM t1 WHERE id = $1 AND n > ? AND x = -?`},
		{`SELECT 'secret', 'it''s secret', E'a\'secret', U&'secret' x`, `SELECT ?, ?, ?, ? x`},
		{"SELECT 1 -- secret\n, 2 /* secret **/ + 3 /*/ 'secret' */ + 4/**/", `SELECT ? , ? + ? + ?`},
		{`SELECT 1 /* secret /* more */ secret */ + 3`, `SELECT ?`},
		{`/* a */ SELECT 'b */ secret'`, `SELECT ?`},
		{`/* a */ SELECT 'b' /* c */, "d */ secret"`, `SELECT ? , "d */ secret"`},
		{`SELECT $é$ secret $é$, $é1ß$ secret`, `SELECT ?`},
		{`SELECT a /* secret`, `SELECT a`},
		{`SELECT 'secret that was cut`, `SELECT ?`},
		{`SELECT 'a\' secret'`, `SELECT ?`},
		{`DO $x$ secret $x$ secret`, `DO ?`},
		{`SELECT $$secret$$`, `SELECT ?`},
		{`SELECT x'5ec2e7', B'101' , n'secret'`, `SELECT ?, ? , ?`},
		{"ALTER ROLE forge PASSWORD 'secret'", `ALTER ROLE forge PASSWORD ?`},
		{"SELECT größe2\n\tFROM t", `SELECT größe2 FROM t`},
		{`SELECT "it's" = 'secret', "a""b"`, `SELECT "it's" = ?, "a""b"`},
	}
	for _, tt := range tests {
		if got := strings.TrimSpace(shape(tt.statement)); got != tt.want {
			t.Errorf("%s\nis  %s\nnot %s", tt.statement, got, tt.want)
		}
	}
	if got := shape(strings.Repeat("ä", 400)); len(got) > maxShape+len("…") || !strings.HasSuffix(got, "ä…") {
		t.Errorf("a long statement is cut to %d bytes: …%s", len(got), got[len(got)-8:])
	}
}
