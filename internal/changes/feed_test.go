package changes_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/changes"
)

// listen has a listener for the changes of ports with a feed.
func listen(t *testing.T, f *changes.Feed) (woken *atomic.Int64, stop func()) {
	woken = new(atomic.Int64)
	stop = f.Listen(&changes.Listener{
		Selects: func(c *changes.Change) bool { return c.Type == "port" },
		Wake:    func() { woken.Add(1) },
	})
	t.Cleanup(stop)
	return woken, stop
}

func all(*changes.Change) bool { return true }

// TestFeed reads changes in the order of the log from memory, from each position between them.
func TestFeed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		k := changes.NewKeeper(db.log, time.Hour, 1000)
		keep(t, k)
		f := k.Feed()
		if _, _, ok := f.Read(db.at, 1, all); ok {
			t.Error("a feed that nobody listens to has read the log")
		}
		woken, _ := listen(t, f)
		eventually(t, "the feed has begun", func() bool { _, _, ok := f.Read(db.at, 1, all); return ok })
		const n = 30
		for i := range n {
			db.exec(fmt.Sprintf("INSERT INTO ports (id) VALUES (%s)", db.key(i+1)))
			k.Wrote()
		}
		db.exec(fmt.Sprintf("INSERT INTO boats (id) VALUES (%s)", db.key(1)))
		k.Wrote()
		eventually(t, "all changes are in memory", func() bool { list, _, _ := f.Read(db.at, n+2, all); return len(list) == n+1 })
		if woken.Load() == 0 {
			t.Error("the listener was not woken")
		}
		at := db.at
		for i := range n {
			list, next, ok := f.Read(at, 1, all)
			if !ok || len(list) != 1 || list[0].Key != keyText(db, i+1) {
				t.Fatalf("change %d: got %+v, %t", i, list, ok)
			}
			// The log goes on from the same position.
			if read, _, err := db.log.Read(t.Context(), next, 1); err != nil || len(read) != 1 || i < n-1 && read[0].Key != keyText(db, i+2) {
				t.Fatalf("after change %d, the log has %+v, %v", i, read, err)
			}
			other := next
			if other.Mark++; i < n-1 {
				if _, _, ok := f.Read(other, 1, all); ok {
					t.Errorf("a position of another copy of the database, after change %d, is in memory", i)
				}
			}
			at = next
		}
		if list, next, ok := f.Read(at, 10, func(c *changes.Change) bool { return c.Type == "port" }); !ok || list != nil || next == at {
			t.Errorf("beyond what is selected, got %+v, %t, and goes on from the same position: %t", list, ok, next == at)
		}
		wrong := db.at
		wrong.Mark++
		if _, _, ok := f.Read(changes.Position{Tick: wrong.Tick + 1000, Seq: wrong.Seq + 1000, Mark: wrong.Mark}, 1, all); ok {
			t.Error("a position after the end is in memory")
		}
	})
}

// keyText returns how the log has the key of a row.
func keyText(db *database, n int) string {
	list, _, err := db.log.Read(db.t.Context(), db.at, n)
	if err != nil || len(list) < n {
		db.t.Fatalf("the log has %d changes, %v; want %d", len(list), err, n)
	}
	return list[n-1].Key
}

// TestFeedStopped checks that a feed without listeners reads nothing, and that one that begins again
// wakes its listeners.
func TestFeedStopped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		k := changes.NewKeeper(db.log, time.Hour, 1000)
		keep(t, k)
		f := k.Feed()
		_, stop := listen(t, f)
		eventually(t, "the feed has begun", func() bool { _, _, ok := f.Read(db.at, 1, all); return ok })
		stop()
		f.Look()
		eventually(t, "the feed has ended", func() bool { _, _, ok := f.Read(db.at, 1, all); return !ok })
		db.exec(fmt.Sprintf("INSERT INTO ports (id) VALUES (%s)", db.key(1)))
		k.Wrote()
		woken, _ := listen(t, f)
		eventually(t, "the listener is woken", func() bool { return woken.Load() > 0 })
	})
}

// TestFeedBeats checks that a listener to whom no change matters hears at times that there are
// some.
func TestFeedBeats(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		k := changes.NewKeeper(db.log, time.Hour, 1000)
		k.Feed().BeatAlways()
		keep(t, k)
		var beats atomic.Int64
		defer k.Feed().Listen(&changes.Listener{
			Selects: func(*changes.Change) bool { return false },
			Wake:    func() {},
			Beat:    func() { beats.Add(1) },
		})()
		eventually(t, "the feed has begun", func() bool { _, _, ok := k.Feed().Read(db.at, 1, all); return ok })
		db.exec(fmt.Sprintf("INSERT INTO ports (id) VALUES (%s)", db.key(1)))
		k.Wrote()
		eventually(t, "there is a beat", func() bool { return beats.Load() > 0 })
	})
}
