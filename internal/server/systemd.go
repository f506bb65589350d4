package server

import (
	"net"
	"strings"
	"time"
)

// notifySystemd reports the state of the server to systemd, if systemd started it.
func (s *Server) notifySystemd(state string) {
	if err := notify(s.environ, state); err != nil {
		s.log.Warn("systemd was not told", "state", state, "error", err)
	}
}

// notifyTimeout is how long the server waits for systemd to accept a message.
const notifyTimeout = time.Second

// notify sends the state of the service, "READY=1" or "STOPPING=1", to systemd: see sd_notify(3).
// The message is a datagram to the socket that the variable NOTIFY_SOCKET names. Without the
// variable, notify sends nothing.
func notify(environ []string, state string) error {
	var name string
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, "NOTIFY_SOCKET="); ok {
			name = value
		}
	}
	if name == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(notifyTimeout)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	return err
}
