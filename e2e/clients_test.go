package e2e

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"forge/internal/dbtest"
)

// clients is the folder of the clients; what their tools write goes to generated/ below it.
const clients = "clients"

func TestApollo(t *testing.T) {
	c := newClient(t)
	c.npm("generate:apollo")
	c.trust("apollo-manifest.json")
	c.expire()
	c.npm("apollo")
}

func TestUrql(t *testing.T) {
	c := newClient(t)
	c.expire()
	c.npm("urql")
}

func TestRelay(t *testing.T) {
	c := newClient(t)
	printSchema(t, filepath.Join(clients, "generated", "schema.graphql"))
	c.npm("generate:relay")
	c.trust("relay-documents.json")
	c.npm("relay")
}

func TestCodegen(t *testing.T) {
	c := newClient(t)
	c.npm("generate:codegen")
	c.trust("codegen/persisted-documents.json")
	c.npm("codegen")
}

// client runs a client's scripts against servers of one database.
type client struct {
	t           *testing.T
	databaseURL string
	env         []string // where the servers are
}

// newClient installs the clients and starts a server with demo data.
func newClient(t *testing.T) *client {
	t.Helper()
	install(t, clients)
	databaseURL := dbtest.EmptySQLite(t)
	return &client{t: t, databaseURL: databaseURL, env: []string{"FORGE_URL=" + serve(t, databaseURL)}}
}

// trust starts a second server, one that runs the operations of a manifest and no others.
func (c *client) trust(manifest string) {
	c.t.Helper()
	url := serve(c.t, c.databaseURL, "TRUSTED_DOCUMENTS="+filepath.Join(clients, "generated", manifest))
	c.env = append(c.env, "FORGE_TRUSTED_URL="+url)
}

// expire starts another server, one that asks who its requests come from, and whose access tokens expire all the time.
func (c *client) expire() {
	c.t.Helper()
	url := serve(c.t, c.databaseURL, "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=2s")
	c.env = append(c.env, "FORGE_AUTH_URL="+url)
}

// npm runs a script of the clients' package.
func (c *client) npm(script string) {
	c.t.Helper()
	npm(c.t, clients, c.env, "run", script)
}
