package faults

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// forge is a running Forge, and a client of it.
type forge struct {
	*process.Server
	*gqltest.Client
	t *testing.T
}

// command returns a command of Forge for a database, at the distance of FORGE_RTT, with settings
// such as "POOL_SIZE=3". The command gets nothing else from the environment of the tests, which may
// be meant for other programs.
func command(t *testing.T, database string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(process.Build(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"ADDR=127.0.0.1:0", "DATABASE_URL=" + dbtest.Away(t, database), "DEMO=off", "LOG_LEVEL=warn", "TMPDIR=" + os.TempDir()}, settings...)
	cmd.SysProcAttr = process.KilledWithParent()
	return cmd
}

// start runs Forge on a database until the test ends.
func start(t *testing.T, database string, settings ...string) *forge {
	t.Helper()
	return run(t, command(t, database, settings))
}

// run starts a command that runs a server of Forge.
func run(t *testing.T, cmd *exec.Cmd) *forge {
	t.Helper()
	s := process.Start(t, cmd)
	return &forge{Server: s, Client: gqltest.New(t, s.URL), t: t}
}

var background = context.Background()
