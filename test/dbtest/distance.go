package dbtest

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// Distant returns a function for Forward. What is sent takes half of rtt in each direction. What
// follows something that is under way is under way as well.
func Distant(rtt time.Duration) func(client, server net.Conn) {
	return func(client, server net.Conn) {
		go carry(server, client, rtt/2)
		go carry(client, server, rtt/2)
	}
}

func carry(to, from net.Conn, delay time.Duration) {
	defer from.Close()
	type part struct {
		due   time.Time
		bytes []byte
	}
	parts := make(chan part, 1024)
	go func() {
		defer to.Close()
		for p := range parts {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.bytes)
		}
	}()
	defer close(parts)
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			parts <- part{time.Now().Add(delay), buffer[:n]}
		}
		if err != nil {
			return
		}
	}
}

// Away returns a URL that reaches a database at the distance that FORGE_RTT names, such as 2ms: the
// time that a message takes to PostgreSQL and back. Each of several hosts gets its own way. SQLite
// has no distance: its URL is returned as it is, as is every URL without the variable.
func Away(t testing.TB, address string) string {
	t.Helper()
	text := os.Getenv("FORGE_RTT")
	if text == "" || !strings.HasPrefix(address, "postgres") {
		return address
	}
	rtt, err := time.ParseDuration(text)
	if err != nil || rtt <= 0 {
		t.Fatalf("FORGE_RTT=%s is no distance, such as 2ms", text)
	}
	before, rest, _ := strings.Cut(address, "://")
	authority, after, _ := strings.Cut(rest, "/")
	user, hosts, _ := strings.Cut(authority, "@")
	if !strings.Contains(hosts, ",") {
		return Through(t, address, Distant(rtt))
	}
	var ways []string
	for host := range strings.SplitSeq(hosts, ",") {
		ways = append(ways, Forward(t, "tcp", host, Distant(rtt)))
	}
	return before + "://" + user + "@" + strings.Join(ways, ",") + "/" + after
}
