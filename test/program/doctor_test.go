package program

import (
	"encoding/json"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestDoctor checks the output and the exit status. The tests of internal/doctor check the
// findings.
func TestDoctor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		code, stdout, stderr := do(t, "DATABASE_URL="+url, "doctor")
		if code != 0 || !strings.Contains(stdout, "OK      schema") || stderr != "" {
			t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		mustExec(t, url, "DROP TABLE order_items")
		code, stdout, stderr = do(t, "DATABASE_URL="+url, "doctor")
		if code != 1 || !strings.Contains(stdout, "FAIL    schema") || !strings.Contains(stdout, "order_items") || !isOneLine(stderr) {
			t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		code, stdout, _ = do(t, "DATABASE_URL="+url, "doctor", "--json")
		var report struct {
			State    string
			Findings []struct{ Check, State, Message, Advice string }
		}
		if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 1 || report.State != "fail" || len(report.Findings) < 4 {
			t.Errorf("status %d, %v: %s", code, err, stdout)
		}
	})
	code, stdout, stderr := do(t, "POOL_SIZE=many", "doctor")
	if code != 1 || !strings.Contains(stdout, `FAIL    settings     POOL_SIZE="many" is not allowed`) || !isOneLine(stderr) {
		t.Errorf("a setting that is not allowed: status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = do(t, "POOL_SIZE=many", "MAX_COST=-1", "FORGE_ENVIRONMENT=x", "check")
	if code != 1 || strings.Count(stdout, "FAIL    settings ") != 3 || !strings.Contains(stdout, "OK      contract") || !isOneLine(stderr) {
		t.Errorf("check with three mistakes: status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, stderr := do(t, "check"); code != 0 || !strings.HasSuffix(stdout, "All is well.\n") || stderr != "" {
		t.Errorf("check: status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, stderr := do(t, "doctor", "--processes=0"); code != 2 || !strings.Contains(stderr, "--processes") {
		t.Errorf("no processes: status %d, stderr %q", code, stderr)
	}
}

// TestWithoutICU expects a server not to start on a PostgreSQL that cannot compare texts regardless
// of case as the schema offers it.
func TestWithoutICU(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	mustExec(t, url, `DROP COLLATION "und-x-icu"`)
	code, stdout, _ := do(t, "DATABASE_URL="+url, "doctor")
	if code != 1 || !strings.Contains(stdout, "FAIL    database     this PostgreSQL cannot compare texts regardless of case") {
		t.Errorf("doctor: status %d, %s", code, stdout)
	}
	code, _, stderr := do(t, "DATABASE_URL="+url, "ADDR=127.0.0.1:0", "serve")
	if code != 1 || !strings.Contains(stderr, "UserWhereInput.usernameContainsFold") || !isOneLine(stderr) {
		t.Errorf("serve: status %d, %s", code, stderr)
	}
}
