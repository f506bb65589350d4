//go:build !linux

package httpserver

import "net"

// refuseConnections does nothing and returns false: only Linux can be asked to drop packets.
func refuseConnections(*net.TCPListener) bool { return false }

// hasWaiting returns false: it is not known whether a connection waits to be accepted.
func hasWaiting(*net.TCPListener) bool { return false }
