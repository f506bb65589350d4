package deploy

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
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

// TestPgBouncerFile runs PgBouncer with the file of deploy/ha. It refuses a file with a name that
// it does not know.
func TestPgBouncerFile(t *testing.T) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("this test needs PgBouncer: %v", err)
	}
	c := &cluster{t: t, network: someNetwork()}
	c.addMachines(1)
	m := c.machines[0]
	m.write("userlist.txt", "")
	m.run(nil, program, m.dir+"/pgbouncer.ini")
	log := func() string {
		text, err := os.ReadFile(m.dir + "/pgbouncer.log")
		c.must(err)
		return string(text)
	}
	gqltest.Eventually(t, "PgBouncer listens", func() error {
		conn, err := net.Dial("tcp", m.address+":6432")
		if err != nil {
			return fmt.Errorf("%w\n%s", err, log())
		}
		return conn.Close()
	})
	if text := log(); strings.Contains(text, "WARNING") || strings.Contains(text, "ERROR") {
		t.Errorf("PgBouncer complains: %s", text)
	}
}
