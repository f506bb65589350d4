package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/audit.md anew")

// TestAudit runs the public audits, and compares their results with docs/audit.md.
func TestAudit(t *testing.T) {
	const page = "../../docs/audit.md"
	report := filepath.Join(t.TempDir(), "audit.md")
	t.Setenv("AUDIT_REPORT", report)
	npmTest(t, "../../internal/graphqlhttp/audit")
	got, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("docs/audit.md is not what the audits say now (-update writes it anew):\n%s", got)
	}
}
