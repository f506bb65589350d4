package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestClientsHangUp has clients go away before they get an answer, many of them in the middle of a transaction that waits for a lock.
func TestClientsHangUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		f := start(t, url)
		s := f.opened(10, 1_000_000)
		other := connect(t, url)
		stopLocking := keep(1, func(context.Context, int) {
			// Under load SQLite's lock may not come free for others in time.
			if err := lockStock(other); err != nil && !database.Transient(err) {
				t.Error(err)
			}
		})
		defer stopLocking()
		var left, answered atomic.Int64
		acknowledged := new(placed)
		clients := sized(50, 1000)
		atOnce(12, clients, func(i int) {
			for hungUp := false; !hungUp; { // some are answered first, and ask for more
				ctx, cancel := context.WithTimeout(background, time.Duration(rand.IntN(60_000))*time.Microsecond)
				var got reply
				if i%5 == 4 {
					got = f.send(ctx, `query stock { products { totalCount nodes { stock } } }`, nil)
				} else if got = f.order(ctx, s); got.ok() {
					acknowledged.add(got)
				}
				if hungUp = got.failed != nil; hungUp {
					left.Add(1)
				} else {
					answered.Add(1)
				}
				cancel()
			}
		})
		stopLocking()
		t.Logf("%d clients hung up, after %d answers", left.Load(), answered.Load())
		eventually(t, "all connections come back", func() error {
			if n := f.metric(inUse); n != 0 {
				return fmt.Errorf("%v are in use", n)
			}
			return nil
		})
		if strings.HasPrefix(url, "postgres") {
			eventually(t, "all transactions end", func() error {
				var open int
				err := other.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'forge' AND xact_start IS NOT NULL`).Scan(&open)
				if err == nil && open > 0 {
					err = fmt.Errorf("%d are open", open)
				}
				return err
			})
		}
		// As many as there are connections, and more: each of them works.
		atOnce(20, 40, func(int) {
			got := f.order(background, s)
			if !got.ok() {
				t.Errorf("%s\nthe log: %s", got, lastLines(f.log.String(), 5))
				return
			}
			acknowledged.add(got)
		})
		f.allStored(acknowledged)
		if b := s.audit(t, url); b.orders > 40+int(answered.Load()+left.Load()) {
			t.Errorf("%d orders are stored, more than were placed", b.orders)
		}
		f.alive()
	})
}

// lockStock keeps the stock, and on SQLite everything, from being changed for a while.
func lockStock(db *database.DB) error {
	conn, err := db.Conn(background)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer conn.ExecContext(background, "ROLLBACK") // nothing to undo, unless something went wrong on the way
	lock := []string{db.Begin(true)}
	if db.Dialect != "sqlite3" {
		lock = append(lock, "SELECT 1 FROM inventories LIMIT 3 FOR UPDATE")
	}
	for _, statement := range lock {
		if _, err := conn.ExecContext(background, statement); err != nil {
			return err
		}
	}
	time.Sleep(20 * time.Millisecond)
	_, err = conn.ExecContext(background, "ROLLBACK")
	time.Sleep(5 * time.Millisecond)
	return err
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
