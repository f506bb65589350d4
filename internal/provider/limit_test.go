package provider

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestLimitsInPage compares the page for operators with the limits of each server.
func TestLimitsInPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("in each server: %d a second for each network (%d at once), and %d a second in all (%d,%03d at once)",
		perNetwork, burstOfNetwork, perServer, burstOfServer/1000, burstOfServer%1000)
	if !strings.Contains(string(page), want) {
		t.Errorf("docs/operations.md does not say %q", want)
	}
}
