package e2e

import (
	"io"
	"net"
	"sync"
)

// wire is a connection to a server that can be cut. Its method pass is for dbtest.Forward.
type wire struct {
	mu    sync.Mutex
	away  bool
	conns []net.Conn
}

// pass copies what is sent on a connection, unless the wire is down.
func (w *wire) pass(client, server net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		client.Close()
		server.Close()
		return
	}
	w.conns = append(w.conns, client, server)
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		go func() {
			_, _ = io.Copy(to, from)
			to.Close()
		}()
	}
}

// cut ends all connections. If away is true, no further ones are made until cut is called again.
func (w *wire) cut(away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = away
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}
