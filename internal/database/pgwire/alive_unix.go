//go:build unix

package pgwire

import "syscall"

// Alive reports whether an idle connection can be used, without a round trip. A server sends
// nothing to an idle client except a farewell, so anything to read, or the end, means that the
// connection is dead.
func (s *session) Alive() bool {
	if s.raw == nil {
		return true
	}
	alive := false
	// Not with Read, which fails once a deadline has passed.
	err := s.raw.Control(func(fd uintptr) {
		var buf [1]byte
		_, _, err := syscall.Recvfrom(int(fd), buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	})
	return err == nil && alive
}
