package deploy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"forge/test/gqltest"
)

// TestHAProxyAnswers runs HAProxy with the file of deploy/ha, and no server behind it. Clients get
// JSON that says when to come back.
func TestHAProxyAnswers(t *testing.T) {
	program := haproxy(t)
	c := &cluster{t: t, network: someNetwork()}
	m := &machine{cluster: c, name: "node1", address: c.network + "11", dir: t.TempDir()}
	text, err := os.ReadFile("ha/haproxy.cfg")
	c.must(err)
	m.write("haproxy.cfg", m.local(string(text)))
	m.run(nil, program, "-db", "-f", m.dir+"/haproxy.cfg")
	c.machines = append(c.machines, m)
	t.Cleanup(c.stop)
	gqltest.Eventually(t, "HAProxy answers", func() error {
		response, err := http.Get("http://" + m.address + ":8000/graphql")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var body gqltest.Answer
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
			return err
		}
		if h := response.Header; response.StatusCode != http.StatusServiceUnavailable || body.Code() != "UNAVAILABLE" ||
			h.Get("Retry-After") != "2" || h.Get("Content-Type") != "application/json" {
			return fmt.Errorf("%d, %v: %v", response.StatusCode, h, body.Errors)
		}
		return nil
	})
}
