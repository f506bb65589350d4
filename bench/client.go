package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// client is one keep-alive connection. The client of net/http would take more processor time, which
// the servers would then lack.
type client struct {
	net.Conn
	r    *bufio.Reader
	head string
	out  []byte
	body bytes.Buffer
}

func dial(s *server, path string) (*client, error) {
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		return nil, err
	}
	head := "POST " + path + " HTTP/1.1\r\nHost: " + s.host + "\r\nContent-Type: application/json\r\n"
	if s.token != "" {
		head += "Authorization: Bearer " + s.token + "\r\n"
	}
	head += "Content-Length: "
	return &client{Conn: conn, r: bufio.NewReaderSize(conn, 32<<10), head: head}, nil
}

// post sends a body, and returns the body of the answer, which is valid until the next call. It
// returns an error if the status is not 200, or if the answer has GraphQL errors.
func (c *client) post(body []byte) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	c.out = strconv.AppendInt(append(c.out[:0], c.head...), int64(len(body)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), body...)
	if _, err := c.Write(c.out); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, err
	}
	c.body.Reset()
	if _, err := io.Copy(&c.body, resp.Body); err != nil {
		return nil, err
	}
	answer := c.body.Bytes()
	if resp.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"errors":`)) {
		return nil, fmt.Errorf("status %d: %.300s", resp.StatusCode, answer)
	}
	return answer, nil
}
