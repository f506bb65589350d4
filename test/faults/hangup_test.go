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
	"forge/test/gqltest"
)

// TestClientsHangUp makes clients hang up before they get an answer. Many of them do so in a
// transaction that waits for a lock.
func TestClientsHangUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		f := start(t, url)
		s := f.opened(10, 1_000_000)
		other := connect(t, url)
		stopLocking := keep(1, func(context.Context, int) {
			// Under load, others may not get SQLite's lock in time.
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
				var got gqltest.Answer
				if i%5 == 4 {
					got = f.Send(ctx, `query stock { products { totalCount nodes { stock } } }`, nil)
				} else if got = f.order(ctx, s); got.OK() {
					acknowledged.add(got)
				}
				if hungUp = got.Err != nil; hungUp {
					left.Add(1)
				} else {
					answered.Add(1)
				}
				cancel()
			}
		})
		stopLocking()
		t.Logf("%d clients hung up, after %d answers", left.Load(), answered.Load())
		gqltest.Eventually(t, "all connections come back", func() error {
			if n := f.metric(inUse); n != 0 {
				return fmt.Errorf("%v are in use", n)
			}
			return nil
		})
		if strings.HasPrefix(url, "postgres") {
			gqltest.Eventually(t, "all transactions end", func() error {
				var open int
				err := other.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'forge' AND xact_start IS NOT NULL`).Scan(&open)
				if err == nil && open > 0 {
					err = fmt.Errorf("%d are open", open)
				}
				return err
			})
		}
		// There are more requests than connections, so each connection must work again.
		atOnce(20, 40, func(int) {
			got := f.order(background, s)
			if !got.OK() {
				t.Errorf("%s\nthe log: %s", got, lastLines(f.Log.String(), 5))
				return
			}
			acknowledged.add(got)
		})
		f.allStored(acknowledged)
		if b := s.audit(t, url); b.orders > 40+int(answered.Load()+left.Load()) {
			t.Errorf("%d orders are stored, more than were placed", b.orders)
		}
		f.MustLive()
	})
}

// lockStock locks the stock for a while. On SQLite, it locks the whole database.
func lockStock(db *database.DB) error {
	conn, err := db.Conn(background)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer conn.ExecContext(background, "ROLLBACK") // usually there is nothing left to undo
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
