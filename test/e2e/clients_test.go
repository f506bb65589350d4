package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"forge/internal/pgtemp"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// clients is the folder of the clients. Their tools write to generated/ below it.
const clients = "clients"

func TestApollo(t *testing.T)  { testApollo(newPinned(t)) }
func TestUrql(t *testing.T)    { testUrql(newPinned(t)) }
func TestForms(t *testing.T)   { newPinned(t).npm("forms") }
func TestRelay(t *testing.T)   { testRelay(newPinned(t)) }
func TestCodegen(t *testing.T) { testCodegen(newPinned(t)) }

func testApollo(c *client) {
	c.npm("generate:apollo")
	c.trust("apollo-manifest.json")
	c.expire()
	c.replicate()
	c.npm("apollo")
}

func testUrql(c *client) {
	c.expire()
	c.replicate()
	c.npm("urql")
}

func testRelay(c *client) {
	printSchema(c.t, filepath.Join(c.dir, "generated", "schema.graphql"))
	c.npm("generate:relay")
	c.trust("relay-documents.json")
	c.npm("relay")
}

func testCodegen(c *client) {
	c.npm("generate:codegen")
	c.trust("codegen/persisted-documents.json")
	c.npm("codegen")
}

// client runs the scripts of a client against servers of one database.
type client struct {
	t           *testing.T
	dir         string // with the packages installed
	databaseURL string
	env         []string // where the servers are
}

// newPinned installs the clients that the lock file names, and starts a server for them.
func newPinned(t *testing.T) *client {
	t.Helper()
	install(t, clients)
	return newClient(t, clients)
}

// newClient starts a server with demo data for the clients in a folder.
func newClient(t *testing.T, dir string) *client {
	t.Helper()
	databaseURL := dbtest.EmptySQLite(t)
	return &client{t: t, dir: dir, databaseURL: databaseURL, env: []string{"FORGE_URL=" + serve(t, databaseURL)}}
}

// trust starts a second server, which runs the operations of a manifest only.
func (c *client) trust(manifest string) {
	c.t.Helper()
	url := serve(c.t, c.databaseURL, "TRUSTED_DOCUMENTS="+filepath.Join(c.dir, "generated", manifest))
	c.env = append(c.env, "FORGE_TRUSTED_URL="+url)
}

// expire starts another server, which needs access tokens. They expire after two seconds.
func (c *client) expire() {
	c.t.Helper()
	url := serve(c.t, c.databaseURL, "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=2s")
	c.env = append(c.env, "FORGE_AUTH_URL="+url)
}

// replicate starts another server, which reads on a replica that has stopped replaying.
func (c *client) replicate() {
	c.t.Helper()
	must := func(err error) {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	nodes, err := pgtemp.StartReplicated(c.t.Context(), 1)
	must(err)
	c.t.Cleanup(func() { must(nodes.Stop()) })
	primary, replica := nodes.Nodes[0], nodes.Nodes[1]
	url := serve(c.t, primary.URL("postgres"), "MIGRATE=on", "DATABASE_REPLICAS="+replica.URL("postgres"), "READS=replica", "MAX_REPLICA_LAG=1h")
	gqltest.Eventually(c.t, "the replica is read from", func() error {
		if !strings.Contains(gqltest.New(c.t, url).Get("/metrics").Body, fmt.Sprintf("forge_replica_usable{host=%q} 1", replica.Address())) {
			return errors.New("it is not")
		}
		return nil
	})
	must(replica.PauseReplay(c.t.Context()))
	c.env = append(c.env, "FORGE_REPLICA_URL="+url)
}

// npm runs a script of the clients' package.
func (c *client) npm(script string) {
	c.t.Helper()
	npm(c.t, c.dir, c.env, "run", script)
}
