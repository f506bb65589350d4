package terminal

import (
	"bytes"
	"os"
	"testing"
)

// TestWanted has environments that want no colours, and streams that are no terminals.
func TestWanted(t *testing.T) {
	t.Parallel()
	for entry, want := range map[string]bool{"NO_COLOR=1": false, "NO_COLOR=": true, "TERM=dumb": false, "TERM=xterm": true, "OTHER_NO_COLOR=1": true} {
		if got := wanted([]string{"A=b", entry}); got != want {
			t.Errorf("%s: %t", entry, got)
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if Is(null) || Is(new(bytes.Buffer)) || Is(nil) || Colours(new(bytes.Buffer), nil) {
		t.Error("something else is a terminal")
	}
}
