package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestWebhooks delivers to the receiver of docs/webhooks.md, which checks signatures with the
// library of Standard Webhooks.
func TestWebhooks(t *testing.T) {
	install(t, clients)
	path := filepath.Join(clients, "webhooks", "receiver.mjs")
	receiver, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := os.ReadFile("../../docs/webhooks.md"); err != nil || !strings.Contains(string(page), "```js\n"+string(receiver)+"```\n") {
		t.Errorf("docs/webhooks.md does not have the receiver of %s (%v)", path, err)
	}
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	l.Close()
	cmd := exec.CommandContext(t.Context(), "node", path)
	cmd.Env, cmd.Stderr = append(os.Environ(), "WEBHOOK_SECRET="+secret, "PORT="+port), t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gqltest.Eventually(t, "the receiver listens", func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err
	})
	api := gqltest.New(t, serve(t, dbtest.EmptySQLite(t), "WEBHOOK_PRIVATE=on"))
	api.Must(`mutation($url: String!, $secret: String!, $document: String!) { createWebhook(input: {url: $url, secret: $secret, document: $document}) { webhook { id } } }`,
		gqltest.Vars{"url": fmt.Sprintf("http://%s/", address), "secret": secret, "document": "subscription { heroChanges { changes { kind id hero { name } } } }"})
	api.Must(`mutation { createHero(input: {name: "Ada"}) { hero { id } } }`, nil)
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "CREATED Ada" {
		t.Errorf("the receiver says %q, %v", lines.Text(), lines.Err())
	}
}
