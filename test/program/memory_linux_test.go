//go:build !race

package program

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestMemoryOfLargeAnswer has a server in a process of its own send an answer of more than 10 MiB,
// made of some 16,000 rows. While it does so, the process occupies at most 30 MiB more than before.
// It takes half a minute, and runs with FORGE_SOAK=1.
func TestMemoryOfLargeAnswer(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("FORGE_SOAK=1 runs this")
	}
	const size, most = 10 << 20, 30 << 10 // in bytes, and in KiB
	dbtest.Each(t, func(t *testing.T, address string) {
		if code, _, stderr := do(t, "DATABASE_URL="+address, "seed", "--scale", "100"); code != 0 {
			t.Fatal(stderr)
		}
		s := process.Start(t, forgeCommand(t, []string{"TMPDIR=" + os.TempDir(), "ADDR=127.0.0.1:0"},
			"FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+address, "MAX_COST=1000000", fmt.Sprint("MAX_ANSWER_BYTES=", 2*size)))
		c := gqltest.New(t, s.URL)
		c.Must(heroesOfTeams, map[string]any{"teams": 1})
		before := memoryOf(t, s.Pid(), "VmRSS")
		forgetPeak(t, s.Pid())
		got := c.Do(heroesOfTeams, map[string]any{"teams": 100})
		if got.Errors != nil || len(got.Body) < size {
			t.Fatalf("%d bytes: %.300s", len(got.Body), got)
		}
		more := memoryOf(t, s.Pid(), "VmHWM") - before
		t.Logf("%d bytes of answer took %d KiB more than the %d before", len(got.Body), more, before)
		if more > most {
			t.Errorf("%d bytes of answer took %d KiB, want %d at most", len(got.Body), more, most)
		}
	})
}

const heroesOfTeams = `query($teams: Int!) { teams(first: $teams) { nodes { id a: heroes(first: 100) { ...All } b: heroes(last: 60) { ...All } } } }
	fragment All on HeroConnection { edges { cursor node { id name age version createdAt updatedAt
		team { id name headquarters version createdAt updatedAt } owner { id username email role isActive version createdAt updatedAt } } } }`

// forgetPeak sets the VmHWM of a process to the memory that it occupies now.
func forgetPeak(t *testing.T, pid int) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		t.Skip(err)
	}
}

// memoryOf returns a line of the status of a process, in KiB.
func memoryOf(t *testing.T, pid int, line string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), line+":")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(kib)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
