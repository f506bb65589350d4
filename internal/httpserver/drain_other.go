//go:build !linux

package httpserver

import "net"

// refuseConnections returns false. Only Linux can be asked to drop packets.
func refuseConnections(*net.TCPListener) bool { return false }

// hasWaiting returns false, because this system does not tell whether a connection waits to be
// accepted.
func hasWaiting(*net.TCPListener) bool { return false }
