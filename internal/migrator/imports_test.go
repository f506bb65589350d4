package migrator_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A running server imports the migrator, so the migrator must import nothing that only planning
// needs, and nothing of the application.
func TestImportsNothingOfPlanning(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "forge/internal/migrator").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for path := range strings.FieldsSeq(string(out)) {
		for _, prefix := range []string{"forge/internal/migrator/dev", "forge/internal/pgtemp", "ariga.io/atlas",
			"forge/migrate", "forge/ent", "forge/graph"} {
			if path == prefix || strings.HasPrefix(path, prefix+"/") {
				t.Errorf("internal/migrator imports %s", path)
			}
		}
	}
}
