package stream

import "time"

// Shorten makes the times of a server short. A time that is 0 stays as it is.
func (s *Server) Shorten(init, keepAlive, pong, read, write time.Duration) {
	s.times.tick = 10 * time.Millisecond
	for _, one := range []struct {
		to *time.Duration
		d  time.Duration
	}{{&s.times.init, init}, {&s.times.keepAlive, keepAlive}, {&s.times.pong, pong}, {&s.times.read, read}, {&s.times.write, write}} {
		if one.d > 0 {
			*one.to = one.d
		}
	}
}

// Slots returns how many of Max are taken.
func (s *Server) Slots() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slots
}
