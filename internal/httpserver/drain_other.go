//go:build !linux

package httpserver

import "net"

// refuseConnections does nothing and returns false: only Linux is asked to drop packets.
func refuseConnections(*net.TCPListener) bool { return false }

// waiting returns false: nothing tells whether a connection waits to be accepted.
func waiting(*net.TCPListener) bool { return false }
