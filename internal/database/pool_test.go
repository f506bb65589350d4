package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// crowded is a server that has room for some connections. It is used by one goroutine at a time.
type crowded struct {
	driver.Connector
	room, open int
}

func (c *crowded) Connect(context.Context) (driver.Conn, error) {
	if c.open == c.room {
		return nil, &pq.Error{Code: pqerror.TooManyConnections}
	}
	c.open++
	return crowdedConn{c}, nil
}

type crowdedConn struct{ *crowded }

func (c crowdedConn) Close() error                      { c.open--; return nil }
func (crowdedConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }
func (crowdedConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }

// TestNoRoom has a server refuse connections beyond the second. Whoever needs one waits for one of
// the pool. Once there is room again, the pool has, and keeps, as many as it may.
func TestNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 4
		server := &crowded{room: 2}
		db := &DB{DB: sql.OpenDB(server), Options: Options{PoolSize: size, PoolTimeout: time.Minute}, slots: make(chan struct{}, size)}
		defer db.Close()
		db.SetMaxOpenConns(size)
		db.SetMaxIdleConns(size)
		acquire := func(n int) (all []Conn) {
			for range n {
				conn, err := db.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, conn)
			}
			return all
		}
		two := acquire(2)
		time.AfterFunc(time.Second/2, func() { _ = two[0].Close() })
		start := time.Now()
		third := acquire(1)
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("a connection came after %s, want the one that came free after %s", took, time.Second/2)
		}
		server.room = size
		time.Sleep(2 * roomPause)
		for _, conn := range append(acquire(size-2), two[1], third[0]) {
			_ = conn.Close()
		}
		if idle := db.Stats().Idle; idle != size {
			t.Errorf("the pool keeps %d connections, want %d", idle, size)
		}
	})
}
