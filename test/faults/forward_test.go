package faults

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// partitionVariable has the test program forward connections, in another network: its value is the
// address where it listens, and the path of a socket.
const partitionVariable = "FORGE_TEST_FORWARD"

// forwardTo forwards connections between an address and a socket, until the process is killed.
func forwardTo(text string) error {
	address, socket, _ := strings.Cut(text, " ")
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("listens")
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			defer server.Close()
			var both sync.WaitGroup
			both.Go(func() { _, _ = io.Copy(server, client); server.Close() })
			both.Go(func() { _, _ = io.Copy(client, server); client.Close() })
			both.Wait()
		}()
	}
}
