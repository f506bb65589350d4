//go:build unix

package pgwire

import "syscall"

// Alive reports, without a round trip, whether an idle connection can be used. A server sends
// nothing to an idle client except a farewell. So if there is something to read, or the connection
// is closed, it is dead.
func (s *session) Alive() bool {
	if s.raw == nil {
		return true
	}
	alive := false
	// Read would not do: it fails after a deadline has passed.
	err := s.raw.Control(func(fd uintptr) {
		var buf [1]byte
		_, _, err := syscall.Recvfrom(int(fd), buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	})
	return err == nil && alive
}
