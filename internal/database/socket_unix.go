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
	err := s.raw.Read(func(fd uintptr) bool {
		var buf [1]byte
		_, _, err := syscall.Recvfrom(int(fd), buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && alive
}
