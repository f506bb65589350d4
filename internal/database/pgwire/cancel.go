package pgwire

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A statement is cancelled by a request on another connection, which names the session by the key
// that the server sent when the session began
// (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS).
// lib/pq starts a goroutine for each statement to wait for that. Few statements are cancelled, so
// this package reads the key itself and needs no goroutine.

const (
	cancelRequest      = 80877102        // the code of a cancel request
	cancelRequestTime  = 5 * time.Second // the limit of sending one
	backendKeyData     = 'K'             // the type of the message with the key
	maxStartupMessages = 64 << 10        // how much of the first messages is searched, in bytes
)

// Cancel asks the server to end the session's statement. The connection fails if the server does
// not accept the request, or does not end the statement in time. It is not used again in any case.
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
	_, err = io.Copy(io.Discard, conn) // the server has accepted it when it closes the connection
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
