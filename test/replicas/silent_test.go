package replicas

import (
	"os"
	"testing"
	"time"

	"forge/test/gqltest"
)

// TestSilentReplica has a replica fall silent while queries are sent to it. Each is answered, by
// another host.
func TestSilentReplica(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes 10 seconds: FORGE_SOAK=1 runs it")
	}
	t.Parallel()
	c := cluster(t, 2)
	silent := c.Nodes[1]
	f := serve(t, c.URL("postgres"), c.Nodes[1:])
	id, _ := f.hero(t, "Silent")
	for _, n := range c.Nodes[1:] {
		must(t, n.CaughtUp(t.Context(), c.Nodes[0]))
	}
	f.usable(t, c.Nodes[1:]...)
	must(t, silent.Pause())
	defer func() { must(t, silent.Continue()) }()
	began := time.Now()
	gqltest.Eventually(t, "the replica is left out", func() error {
		if a := f.Must(readHero, gqltest.Vars{"id": id}); host(a) == silent.Address() {
			t.Errorf("the replica is silent, and answered: %s", a)
		}
		return f.uses(c.Nodes[2])
	})
	t.Logf("after %s", time.Since(began))
}
