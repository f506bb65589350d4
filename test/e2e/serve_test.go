package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"forge/test/process"
)

// soak is whether tests in their long form are to run.
var soak = os.Getenv("FORGE_SOAK") != ""

func TestMain(m *testing.M) {
	_ = os.Unsetenv("FORGE_SOAK") // Forge would refuse it as an unknown setting
	os.Exit(process.Main(m))
}

// serve starts a server, with demo data if the database is empty, and returns its address.
func serve(t *testing.T, databaseURL string, env ...string) string {
	t.Helper()
	cmd := exec.Command(process.Build(t))
	cmd.Env = append(append(os.Environ(), "ADDR=127.0.0.1:0", "DATABASE_URL="+databaseURL), env...)
	s := process.Start(t, cmd)
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.Log)
		}
	})
	return s.URL
}

// printSchema writes what forge schema prints to a file.
func printSchema(t *testing.T, path string) {
	t.Helper()
	sdl := process.Run(t, exec.CommandContext(t.Context(), process.Build(t), "schema"))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(sdl), 0o600); err != nil {
		t.Fatal(err)
	}
}
