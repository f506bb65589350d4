package server

import (
	"net"
	"strings"
	"time"
)

// notifySystemd reports the state of this server to systemd, if systemd runs it.
func (s *Server) notifySystemd(state string) {
	if err := notify(s.environ, state); err != nil {
		s.log.Warn("systemd was not told", "state", state, "error", err)
	}
}

// notifyTimeout bounds the time that the server waits for systemd to take a message.
const notifyTimeout = time.Second

// notify sends the state of a service of Type=notify to systemd: "READY=1" or "STOPPING=1". The
// protocol is a datagram to the socket that NOTIFY_SOCKET names, as a path or, with an @ before it,
// as an abstract name: sd_notify(3). Without that variable it sends nothing.
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
