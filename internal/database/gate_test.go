package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// away is a server that cannot be connected to for a time. Each attempt takes a millisecond.
type away struct {
	driver.Connector
	until             time.Time
	now, most, dialed atomic.Int64
}

func (a *away) Connect(ctx context.Context) (driver.Conn, error) {
	a.dialed.Add(1)
	a.most.Store(max(a.most.Load(), a.now.Add(1)))
	defer a.now.Add(-1)
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Millisecond):
	}
	if time.Now().Before(a.until) {
		return nil, errors.New("away")
	}
	return nil, nil
}

// TestOneDials lets 100 goroutines ask for connections again and again while a server is away for a
// second. One of them at a time tries, and all of them get a connection when it is back. Whoever
// hangs up meanwhile keeps nobody waiting.
func TestOneDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &away{until: time.Now().Add(time.Second)}
		g := &gate{Connector: server}
		if _, err := g.Connect(t.Context()); !ConnectionLost(err) {
			t.Fatalf("%v, want an error of a lost connection", err)
		}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%10 == 0 {
					time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
				}
				for ctx.Err() == nil {
					if _, err := g.Connect(ctx); err == nil {
						return
					}
				}
			})
		}
		synctest.Wait()
		time.Sleep(900 * time.Millisecond)
		if n := server.most.Load(); n != 1 {
			t.Errorf("%d dialled at once, want 1", n)
		}
		if n := server.dialed.Load(); n > 30 {
			t.Errorf("dialled %d times in 900 ms, want some 18", n)
		}
		all.Wait()
		if took := time.Since(server.until); took > 100*time.Millisecond {
			t.Errorf("all had a connection %s after the server was back", took)
		}
	})
}
