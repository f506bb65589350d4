package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen listens on the address, such as "127.0.0.1:8080". Requests that arrive before Serve is
// called wait. An error names the address only if another program listens on it.
func Listen(addr string) (net.Listener, error) {
	var plain net.ListenConfig
	// Multipath TCP, which Go prefers, does not accept the filter of refuseConnections.
	plain.SetMultipathTCP(false)
	l, err := plain.Listen(context.Background(), "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("another program listens on %s already; PORT or ADDR names another place: --port=0 takes any that is free", addr)
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return nil, failed.Err // the caller knows the operation and the address
	}
	return l, err
}

// URL returns the URL at which a browser on this machine reaches l.
func URL(l net.Listener) string {
	addr := l.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", addr.Port)
	}
	return "http://" + addr.String()
}
