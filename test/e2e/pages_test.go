package e2e

import (
	"testing"

	"forge/test/dbtest"
)

// TestPages reads the pages of a server in development in a browser.
func TestPages(t *testing.T) {
	const dir = "../../playground"
	needChromium(t)
	install(t, dir)
	npm(t, dir, []string{"FORGE_URL=" + serve(t, dbtest.EmptySQLite(t), "DEMO=off")}, "run", "test:pages")
}
