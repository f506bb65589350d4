package changes_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/changes"
)

// full returns the number for the long form of a test, or the one for the short form.
func full(short, long int) int {
	if os.Getenv("FORGE_SOAK") != "" {
		return long
	}
	return short
}

// TestAcknowledgedFirst has writers make pairs of changes, each on a connection of its own: the
// second begins after the first was acknowledged, or rather the transaction that it is in. Three
// servers tick meanwhile. Whoever reads the log gets the first before the second.
func TestAcknowledgedFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		const writers = 8
		pairs := full(1_000, 100_000)
		var done atomic.Bool
		var ticking, writing sync.WaitGroup
		for range 3 {
			ticking.Go(func() {
				for !done.Load() {
					if err := db.log.Tick(t.Context()); err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		for w := range writers {
			writing.Go(func() {
				for n := w; n < pairs; n += writers {
					if err := db.pair(n); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all := db.follow(2*pairs, &writing)
		done.Store(true)
		ticking.Wait()
		seen := map[int]bool{}
		for _, n := range all {
			if n%2 == 1 && !seen[n-1] {
				t.Errorf("the second change of pair %d came before the first", n/2)
			}
			seen[n] = true
		}
		if len(seen) != 2*pairs || len(all) != len(seen) {
			t.Errorf("read %d changes of %d rows, want %d", len(all), len(seen), 2*pairs)
		}
	})
}

// pair makes a pair of changes: new rows, whose keys are 2n and 2n+1. The transaction of the first
// has another change after it, so it commits later than it took its number.
func (d *database) pair(n int) error {
	tx, err := d.BeginTx(d.t.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if d.dialect == dialect.SQLite { // where who reads first may not be able to write
		if _, err := tx.ExecContext(d.t.Context(), "DELETE FROM cargo WHERE false"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(d.t.Context(), fmt.Sprintf("INSERT INTO ports (id) VALUES (%s)", d.key(2*n))); err != nil {
		return err
	}
	if n%3 == 0 {
		time.Sleep(time.Duration(n%7) * time.Millisecond / 2)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = d.ExecContext(d.t.Context(), fmt.Sprintf("INSERT INTO ports (id) VALUES (%s)", d.key(2*n+1)))
	return err
}

// follow reads the log until it has read n changes of ports, or all that there are after writing
// has ended. It returns the numbers in their keys.
func (d *database) follow(n int, writing *sync.WaitGroup) (all []int) {
	var ended atomic.Bool
	go func() { writing.Wait(); ended.Store(true) }()
	for last := false; len(all) < n; {
		list, next, err := d.log.Read(d.t.Context(), d.at, 1000, "port")
		if err != nil {
			d.t.Error(err)
			return all
		}
		for _, c := range list {
			all = append(all, numberOf(d.t, c))
		}
		if next == d.at {
			if last {
				return all
			}
			if last = ended.Load(); last {
				if err := d.log.Tick(d.t.Context()); err != nil {
					d.t.Error(err)
				}
			}
			time.Sleep(time.Millisecond)
		}
		d.at = next
	}
	return all
}

// numberOf returns the number that a key ends with.
func numberOf(t *testing.T, c changes.Change) (n int) {
	id, err := uuid.Parse(c.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range id[8:] {
		n = n<<8 | int(b)
	}
	return n
}

// TestLongTransactionAlone has a transaction stay open while others commit. A server tells of all
// changes of the others before the transaction ends, and of its own afterwards. With FORGE_SOAK=1,
// that takes a minute, and the test prints how late the others' changes were.
func TestLongTransactionAlone(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	k := changes.NewKeeper(db.log, time.Hour, 1_000_000)
	keep(t, k)
	f := k.Feed()
	woken := make(chan struct{}, 1)
	defer f.Listen(&changes.Listener{Selects: all, Wake: func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}})()
	eventually(t, "the feed has begun", func() bool { _, _, ok := f.Read(db.at, 1, all); return ok })
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO ports (id) VALUES ("+db.key(0)+")"); err != nil {
		t.Fatal(err)
	}
	n := full(100, 6_000)
	committed := make([]time.Time, n+1)
	var mu sync.Mutex
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 1; i <= n; i++ {
			<-tick.C
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO ports (id) VALUES (%s)", db.key(i))); err != nil {
				t.Error(err)
			}
			mu.Lock()
			committed[i] = time.Now()
			mu.Unlock()
			k.Wrote()
		}
	}()
	var late []time.Duration
	read := func() (number int) {
		list, next, ok := f.Read(db.at, 1, all)
		if !ok {
			t.Fatal("the position is not in memory")
		}
		if db.at = next; len(list) == 0 {
			return -1
		}
		return numberOf(t, list[0])
	}
	limit := time.After(3 * time.Minute)
	for len(late) < n {
		number := read()
		if number == 0 {
			t.Fatal("a change of the open transaction was read")
		}
		if number > 0 {
			mu.Lock()
			took := time.Duration(0) // a change may be told before its writer has looked at the clock
			if at := committed[number]; !at.IsZero() {
				took = time.Since(at)
			}
			late = append(late, took)
			mu.Unlock()
			continue
		}
		select {
		case <-woken:
		case <-limit:
			t.Fatalf("beside the open transaction, %d changes were told of %d", len(late), n)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	k.Wrote()
	eventually(t, "the transaction's own change is told", func() bool { return read() == 0 })
	slices.Sort(late)
	if os.Getenv("FORGE_SOAK") != "" {
		fmt.Printf("beside a transaction of %d s, changes were told late by: p50 %v, p99 %v, at most %v\n", n/100, late[n/2], late[n*99/100], late[n-1])
	}
}
