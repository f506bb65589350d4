package main

import (
	"net"
	"strings"
	"time"
)

// notifyTime is how long systemd may take to accept a message: the server does not wait for it for longer.
const notifyTime = time.Second

// notify tells systemd the state of a service of Type=notify: "READY=1", "STOPPING=1". The protocol is a datagram to the socket that
// NOTIFY_SOCKET names, a path or, behind an @, an abstract name: sd_notify(3). Without that variable nobody wants to know.
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
	if err := conn.SetDeadline(time.Now().Add(notifyTime)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	return err
}
