package faults

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/dbtest"
)

// filter gets the bytes of one direction of a connection. It returns false to close the connection.
type filter func(chunk []byte) bool

// filtered returns a function for dbtest.Forward. Each connection gets two new filters.
func filtered(filters func() (toServer, toClient filter)) func(client, server net.Conn) {
	return func(client, server net.Conn) {
		toServer, toClient := filters()
		go pass(server, client, toServer)
		go pass(client, server, toClient)
	}
}

// pass forwards bytes until a side closes the connection or the filter does.
func pass(to, from net.Conn, allow filter) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !allow(buffer[:n]) {
			return
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// commits cuts off a connection at its commit. It does so once after before or after is set.
type commits struct {
	before atomic.Bool // cut before the COMMIT reaches the server
	after  atomic.Bool // cut after the commit, so that its answer is lost
	cut    func()      // called when the connection is cut, if it is set
}

// commitMessage is the message of PostgreSQL's protocol that commits.
var commitMessage = []byte("Q\x00\x00\x00\x0bCOMMIT\x00")

func (c *commits) filters() (toServer, toClient filter) {
	var lost atomic.Bool
	toServer = func(chunk []byte) bool {
		if !bytes.Contains(chunk, commitMessage) {
			return true
		}
		if c.before.CompareAndSwap(true, false) {
			c.happened()
			return false
		}
		if c.after.CompareAndSwap(true, false) {
			lost.Store(true)
		}
		return true
	}
	toClient = func([]byte) bool {
		if !lost.Load() {
			return true
		}
		c.happened()
		return false
	}
	return toServer, toClient
}

func (c *commits) happened() {
	if c.cut != nil {
		c.cut()
	}
}

// throughProxy returns the address of a PostgreSQL database behind a proxy that can cut commits
// off.
func throughProxy(t *testing.T, address string) (string, *commits) {
	t.Helper()
	c := new(commits)
	return through(t, address, c.filters), c
}

// through returns the address of a proxy in front of a PostgreSQL database.
func through(t *testing.T, address string, filters func() (toServer, toClient filter)) string {
	t.Helper()
	return dbtest.Through(t, address, filtered(filters))
}

// answers cuts off an answer. It does so once after next is set.
type answers struct{ next atomic.Bool }

func (a *answers) filters() (toServer, toClient filter) {
	toServer = func([]byte) bool { return true }
	toClient = func([]byte) bool { return !a.next.CompareAndSwap(true, false) }
	return toServer, toClient
}

// late delays an answer. It does so once after next is set.
type late struct {
	next atomic.Bool
	by   time.Duration
}

func (l *late) filters() (toServer, toClient filter) {
	toServer = func([]byte) bool { return true }
	toClient = func([]byte) bool {
		if l.next.CompareAndSwap(true, false) {
			time.Sleep(l.by)
		}
		return true
	}
	return toServer, toClient
}

// silence holds back all bytes in both directions while it is on. They arrive afterwards.
type silence struct{ on atomic.Bool }

func (s *silence) filters() (toServer, toClient filter) {
	hold := func([]byte) bool {
		for s.on.Load() {
			time.Sleep(5 * time.Millisecond)
		}
		return true
	}
	return hold, hold
}
