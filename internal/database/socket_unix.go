//go:build unix

package database

import "syscall"

// alive reports whether an idle connection can be used, without a round trip: the server says nothing to an idle client except
// good-bye, so the connection is dead if there is anything to read, or its end.
func (s *socket) alive() bool {
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
