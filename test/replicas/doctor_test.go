package replicas

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"forge/graph"
	"forge/internal/cli"
	"forge/internal/pgtemp"
)

// examine returns what doctor prints about replicas.
func examine(t *testing.T, primary string, replicas ...string) string {
	t.Helper()
	return doctor(t, "DATABASE_URL="+primary, "DATABASE_REPLICAS="+strings.Join(replicas, " "), "READS=replica")
}

// doctor returns what doctor prints with these settings.
func doctor(t *testing.T, settings ...string) string {
	t.Helper()
	sdl, err := os.ReadFile("../../schema.graphqls")
	must(t, err)
	var out bytes.Buffer
	cli.Run(t.Context(), graph.Application(string(sdl), "test"), []string{"forge", "doctor"}, settings, &out, io.Discard)
	return out.String()
}

// testDoctor has doctor examine replicas, good ones and others.
func testDoctor(t *testing.T, c *pgtemp.Replicated) {
	primary, second, third := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	balancer, direct := proxy(t, second)
	closed, err := closedAddress(primary)
	must(t, err)
	report := examine(t, primary.URL("postgres"), second.URL("postgres"), primary.URL("postgres"), third.URL("template1"), closed)
	for _, want := range []string{
		"OK      replicas     " + second.Address() + " can be read from",
		"WARN    replicas     " + primary.Address() + " is left out of reads: it is a primary",
		"WARN    replicas     " + third.Address() + " is left out of reads: its address names another database",
		"connection refused",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no %q:\n%s", want, report)
		}
	}
	var n atomic.Int64
	direct(func() *pgtemp.Node { return c.Nodes[1+n.Add(1)%2] })
	if report := examine(t, primary.URL("postgres"), balancer); !strings.Contains(report, "leads to several servers") {
		t.Errorf("a balancer is not noticed:\n%s", report)
	}
}

// closedAddress returns an address where nobody listens.
func closedAddress(like *pgtemp.Node) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return strings.Replace(like.URL("postgres"), like.Address(), l.Addr().String(), 1), l.Close()
}
