package stream_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// maxIdle is the most memory of an idle WebSocket with a subscription.
const maxIdle = 25 << 10

// TestIdle measures the memory of idle WebSockets. Their clients are in another process.
func TestIdle(t *testing.T) {
	n := 500
	if os.Getenv("FORGE_SOAK") != "" {
		n = 10_000
	}
	r := newRig(t, options{max: n})
	before, residentBefore, goroutines := memory(), resident(t), runtime.NumGoroutine()

	clients := exec.Command(os.Args[0], "-test.run=^TestIdleClients$")
	clients.Env = append(os.Environ(), "FORGE_TEST_DIAL="+r.addr, fmt.Sprint("FORGE_TEST_CLIENTS=", n))
	stdin, err := clients.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	clients.Stdout, clients.Stderr = &said, &said
	if err := clients.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := clients.Wait(); err != nil {
			t.Errorf("the clients: %v, %s", err, said.String())
		}
	})
	eventually(t, "all are open", func() bool { return r.open() == n })
	eventually(t, "all wait", func() bool { return runtime.NumGoroutine() <= goroutines+n+20 })

	each := (memory() - before) / uint64(n)
	t.Logf("%d WebSockets: %d bytes each of heap and stacks, %d resident, %d goroutines more",
		n, each, (resident(t)-residentBefore)/n, runtime.NumGoroutine()-goroutines)
	if each > maxIdle {
		t.Errorf("an idle WebSocket takes %d bytes, want at most %d", each, maxIdle)
	}
}

// memory returns the bytes of the heap and of stacks that are in use.
func memory() uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// resident returns the memory of this process as the system counts it, or 0 if it does not say.
func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// TestIdleClients is the other process of TestIdle. It opens WebSockets with a subscription each,
// and ends with its standard input.
func TestIdleClients(t *testing.T) {
	addr := os.Getenv("FORGE_TEST_DIAL")
	if addr == "" {
		t.Skip("TestIdle runs it")
	}
	n, _ := strconv.Atoi(os.Getenv("FORGE_TEST_CLIENTS"))
	for range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /graphql HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nUser-Agent: idle\r\n\r\n", addr)
		res, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
		if err != nil || res.StatusCode != 101 {
			t.Fatal(res, err)
		}
		for _, text := range []string{`{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"feed"}}`} {
			if _, err := conn.Write(frame(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// frame returns a frame with a text of up to 125 bytes, as clients send it: with a mask, of zeros.
func frame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}
