package pgwire

import (
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h, which package syscall lacks.
const tcpUserTimeout = 18

// boundUnacknowledged makes a new connection fail when data stays unacknowledged for
// unacknowledgedTime. By default the system would retransmit for a quarter of an hour.
func boundUnacknowledged(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var set error
	err := c.Control(func(fd uintptr) {
		limit := int(unacknowledgedTime.Milliseconds())
		set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, limit)
	})
	if err != nil {
		return err
	}
	return set
}
