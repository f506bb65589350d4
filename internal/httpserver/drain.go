package httpserver

import (
	"net"
	"time"
)

// handshake is how long a connection may take to be established.
const handshake = 100 * time.Millisecond

// maxAcceptTime is how long established connections are still accepted after new ones are refused.
const maxAcceptTime = 2 * time.Second

// acceptLast returns when every connection that was established with l has been accepted, which the
// server does meanwhile, and the kernel refuses new ones. If the listener were closed at once, the
// kernel would reset the connections that are not accepted yet, with the requests on them. Where
// the kernel cannot refuse new connections, acceptLast returns at once.
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
