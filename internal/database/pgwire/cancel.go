package pgwire

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A statement is cancelled by a request on another connection. The request names the session by a
// key, which the server sent at the start of the session
// (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS).
// lib/pq starts a goroutine for each statement to wait for the end of its context. Few statements
// are cancelled, so this package reads the key itself and needs no goroutine.

const (
	cancelRequest      = 80877102        // the code of a cancel request
	cancelRequestTime  = 5 * time.Second // the time limit of sending a request
	backendKeyData     = 'K'             // the type of the message with the key
	headerSize         = 5               // of a message: a byte for its type, four for the size of the rest
	maxStartupMessages = 64 << 10        // how many bytes of the first messages are searched
)

// Cancel asks the server to end the statement of the session. Reads and writes on the connection
// fail if the server does not accept the request, or does not end the statement in time. The
// connection is never used again.
func (s *session) Cancel() {
	d := s.conn.deadline
	_ = d.SetDeadline(time.Now().Add(s.timeout))
	if err := s.requestCancel(d.network, d.address); err != nil {
		_ = d.fail(err)
	}
}

func (s *session) requestCancel(network, address string) error {
	conn, err := net.DialTimeout(network, address, cancelRequestTime)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(cancelRequestTime))
	request := binary.BigEndian.AppendUint32(nil, uint32(8+len(s.key)))
	request = binary.BigEndian.AppendUint32(request, cancelRequest)
	if _, err := conn.Write(append(request, s.key...)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn) // the server closes it when it has read the request
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil // some servers reset the connection instead of closing it
}

// cancelKey returns the body of the message with the session's key: a process ID and a secret. It
// returns nil if the first messages of the server hold no such message, or are encrypted.
func cancelKey(startup []byte) []byte {
	for len(startup) >= headerSize {
		size := 1 + uint64(binary.BigEndian.Uint32(startup[1:]))
		if size < headerSize || size > uint64(len(startup)) {
			return nil
		}
		if startup[0] == backendKeyData {
			return startup[headerSize:size]
		}
		startup = startup[size:]
	}
	return nil
}
