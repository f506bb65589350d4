package httpserver

import (
	"net"
	"time"
)

// handshake is the time that a new connection may take to be established.
const handshake = 100 * time.Millisecond

// maxAcceptTime is how long waiting connections are still accepted after new ones are refused.
const maxAcceptTime = 2 * time.Second

// acceptLast has the kernel refuse new connections, and returns when all established ones have been
// accepted. The server accepts them meanwhile. If the listener were closed at once, the kernel
// would reset the connections that are not accepted yet, with the requests on them. If the kernel
// cannot refuse new connections, acceptLast returns at once.
func acceptLast(l net.Listener) {
	tcp, ok := l.(*net.TCPListener)
	if !ok || !refuseConnections(tcp) {
		return
	}
	time.Sleep(handshake)
	for end := time.Now().Add(maxAcceptTime); hasWaiting(tcp) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}
