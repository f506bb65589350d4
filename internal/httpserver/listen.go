package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen takes the address, "127.0.0.1:8080", for the server. Requests that come before Serve wait.
func Listen(addr string) (net.Listener, error) {
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // which Go prefers, and which refuses the filter of refuseConnections
	l, err := plain.Listen(context.Background(), "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("another program listens on %s already; PORT or ADDR names another place", addr)
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return nil, failed.Err // the operation and the address are no news
	}
	return l, err
}

// URL returns where a browser on this machine finds what listens on l.
func URL(l net.Listener) string {
	addr := l.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", addr.Port)
	}
	return "http://" + addr.String()
}
