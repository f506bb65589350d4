package httpserver

import (
	"net"
	"time"
)

// handshake is how long a connection that has begun to be made may take until it is there.
const handshake = 100 * time.Millisecond

// longestAccept bounds how long connections that were made are accepted after no more are wanted.
const longestAccept = 2 * time.Second

// lastConnections returns when every connection that was made to l has been accepted, by whoever
// accepts them meanwhile, and no other can be made. To close a listener at once would reset those
// that the kernel has made and nobody has accepted, with the requests that were sent on them. Where
// the kernel cannot be told to make no more, lastConnections returns at once.
func lastConnections(l net.Listener) {
	tcp, ok := l.(*net.TCPListener)
	if !ok || !refuseConnections(tcp) {
		return
	}
	time.Sleep(handshake)
	for end := time.Now().Add(longestAccept); waiting(tcp) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}
