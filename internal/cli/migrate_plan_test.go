//go:build source

package cli

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// TestAskOnlyAtATerminal has files, and /dev/null, which is a device as terminals are.
func TestAskOnlyAtATerminal(t *testing.T) {
	t.Parallel()
	for _, path := range []string{os.DevNull, "migrate_plan_test.go"} {
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if askAt(in, io.Discard) != nil {
			t.Errorf("%s is asked", path)
		}
	}
}

func TestAsker(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	ask := asker(strings.NewReader("maybe\n Y \nno"), &out)
	if yes, err := ask("Renamed?"); err != nil || !yes {
		t.Errorf("y: %t, %v", yes, err)
	}
	if yes, err := ask("Renamed?"); err != nil || yes {
		t.Errorf("no, without the end of the line: %t, %v", yes, err)
	}
	if _, err := ask("Renamed?"); !errors.Is(err, io.EOF) {
		t.Errorf("no more answers: %v, want %v", err, io.EOF)
	}
	if n := strings.Count(out.String(), "Renamed? [y/n] "); n != 4 {
		t.Errorf("it asked %d times, want 4, once more after what is neither:\n%s", n, &out)
	}
}

func TestOneFindingIsNotSeveral(t *testing.T) {
	for n, want := range map[int]string{1: "1 finding in 2 files: ", 2: "2 findings in 2 files: "} {
		if got := unacknowledged(n, 2).Error(); !strings.HasPrefix(got, want) {
			t.Errorf("%d: got %q, want it to begin with %q", n, got, want)
		}
	}
}
