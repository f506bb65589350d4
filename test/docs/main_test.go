package docs

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests in the folder docs, so that they name its files as the files name each other.
func TestMain(m *testing.M) {
	if err := os.Chdir("../../docs"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
