package database

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A statement that runs on PostgreSQL is given up by a request on a connection of its own. It names the session by a key which the
// server told when the session began (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS).
// lib/pq starts a goroutine for each statement to wait for that. Hardly any statement is given up, so we listen to the beginning
// of each session, and wait without one. Where the session is encrypted, there is nothing to hear, and lib/pq does as it does.

const (
	cancelRequest  = 80877102        // the code that begins such a request
	cancelTime     = 5 * time.Second // what sending it may take
	backendKeyData = 'K'             // the type of the message with the key
	longestStart   = 64 << 10        // of what a server says before a session begins, in bytes
)

// giveUpTime is how long a server may take to end a statement that was given up. Then the connection, which is not used again, breaks.
var giveUpTime = 10 * time.Second

// watch has the statement that is about to run given up when ctx ends. Run it with the context that is returned, and call the function when it is
// done.
func (c *conn) watch(ctx context.Context) (context.Context, func()) {
	if ctx.Done() == nil {
		return ctx, func() {}
	}
	if c.socket.key == nil {
		return ctx, func() { c.givenUp = c.givenUp || ctx.Err() != nil }
	}
	stop := context.AfterFunc(ctx, c.cancel)
	return context.Background(), func() {
		if !stop() {
			c.givenUp = true // the next statement could be the one that the request ends
		}
	}
}

// cancel asks the server to end the session's statement. If it does not take the request, the
// connection breaks.
func (s *socket) cancel() {
	_ = s.conn.SetDeadline(time.Now().Add(giveUpTime))
	if err := s.requestCancel(); err != nil {
		_ = s.wire.broken(err)
	}
}

func (s *socket) requestCancel() error {
	conn, err := net.DialTimeout(s.wire.network, s.wire.address, cancelTime)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(cancelTime))
	request := binary.BigEndian.AppendUint32(nil, uint32(8+len(s.key)))
	request = binary.BigEndian.AppendUint32(request, cancelRequest)
	if _, err := conn.Write(append(request, s.key...)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn) // the server has taken it when it hangs up
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil // some hang up without a good-bye
}

// keyIn returns what the server's message with the key contains: its process's ID and a secret. It returns nil if there is no such message among
// the first that the server sent, or if they are encrypted.
func keyIn(start []byte) []byte {
	for len(start) >= 5 {
		size := 1 + uint64(binary.BigEndian.Uint32(start[1:]))
		if size < 5 || size > uint64(len(start)) {
			return nil
		}
		if start[0] == backendKeyData {
			return start[5:size]
		}
		start = start[size:]
	}
	return nil
}
