package changes

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/retry"
)

const (
	// keptChanges is how many changes a Feed keeps in memory. Whoever is further behind reads the
	// log.
	keptChanges = 65_536
	// feedPause is the time between two looks at the log, while this server writes nothing.
	feedPause = 250 * time.Millisecond
	// beatPause is the least time between two calls of Listener.Beat.
	beatPause = time.Minute
	// beatsAfter is how often Beat is called after the last change: a listener who has just begun
	// may have no use for the first time.
	beatsAfter = 2
	// feedRead is how many changes one look reads at most. If there are more, the next one follows.
	feedRead = 1000
)

// Feed reads the log once for all on this server who wait for changes. It keeps the last changes in
// memory. While nobody listens, it reads nothing.
type Feed struct {
	log   *Log
	ready chan struct{} // has a value when there may be changes

	mu        sync.Mutex
	listeners map[*Listener]struct{}
	begun     bool
	start     Position // where the kept changes begin
	end       Position // where they end
	beats     int      // how often Beat is to be called if there are no further changes
	beaten    time.Time
	beat      time.Duration
	kept      []Change // in the order of the log
	places    []Position
}

// Listener is somebody who waits for changes.
type Listener struct {
	// Selects reports whether a change matters. It must not block.
	Selects func(*Change) bool
	// Wake is called after changes that matter, and when the feed begins to read. It must not
	// block.
	Wake func()
	// Beat is called at times if there were changes, whether they matter or not. So a listener to
	// whom none matters can go on to where the log is, and is not left behind until it has expired.
	// It may be nil, and must not block.
	Beat func()
}

// NewFeed returns a feed of a log. It returns nil for a nil log.
func NewFeed(log *Log) *Feed {
	if log == nil {
		return nil
	}
	return &Feed{log: log, ready: make(chan struct{}, 1), listeners: map[*Listener]struct{}{}, beat: beatPause}
}

// End returns a position after which no change is missed from now on: where the kept changes end,
// or while there are none, where the log ends.
func (f *Feed) End(ctx context.Context) (Position, error) {
	f.mu.Lock()
	end, begun := f.end, f.begun
	f.mu.Unlock()
	if begun {
		return end, nil
	}
	return f.log.End(ctx)
}

// Look has the feed read the log at once.
func (f *Feed) Look() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// Listen calls l.Wake after changes from now on, until the returned function is called.
func (f *Feed) Listen(l *Listener) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[l] = struct{}{}
	if len(f.listeners) == 1 {
		f.Look()
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, l)
	}
}

// Read returns the kept changes after a position that l selects, most of them at most, and the
// position after them. It returns false if the position is not in memory.
func (f *Feed) Read(after Position, most int, selects func(*Change) bool) (list []Change, next Position, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, _ := slices.BinarySearchFunc(f.places, after, func(place, after Position) int {
		if after.before(place) {
			return 1
		}
		return -1
	})
	if !f.has(after, first) {
		return nil, after, false
	}
	for i := first; i < len(f.kept); i++ {
		if !selects(&f.kept[i]) {
			continue
		}
		if list = append(list, f.kept[i]); len(list) == most {
			return list, f.places[i], true
		}
	}
	return list, f.end, true
}

// has reports whether a position is one between the kept changes. first is the first change after
// it. A position of another copy of the database has another mark.
func (f *Feed) has(p Position, first int) bool {
	switch {
	case !f.begun:
		return false
	case p == f.start, p == f.end, first > 0 && f.places[first-1] == p:
		return true
	}
	// Between two ticks of PostgreSQL, a change has the number of the first and the mark of the
	// second.
	return p.Seq == 0 && first > 0 && f.places[first-1].Tick+1 == p.Tick && f.places[first-1].Mark == p.Mark
}

// before reports whether a position is before another one.
func (p Position) before(q Position) bool {
	return p.Tick < q.Tick || p.Tick == q.Tick && p.Seq < q.Seq
}

// Run reads the log until ctx ends. If the database is lost, it tries again.
func (f *Feed) Run(ctx context.Context, log *slog.Logger) {
	if f == nil {
		return
	}
	backoff := retry.Backoff{First: feedPause, Max: 5 * time.Second, Jitter: 0.5}
	for failures := 0; f.wait(ctx, backoff, failures); {
		round, cancel := context.WithTimeout(ctx, roundTime)
		err := f.look(round)
		cancel()
		switch {
		case err == nil && failures > 0:
			log.InfoContext(ctx, "the log of changes is read again")
		case err != nil && failures == 0 && ctx.Err() == nil:
			log.WarnContext(ctx, "the log of changes is not read, retrying", "error", database.RedactError(err))
		}
		if failures++; err == nil {
			failures = 0
		}
	}
}

// wait waits until the next look, and returns false if ctx ends first.
func (f *Feed) wait(ctx context.Context, backoff retry.Backoff, failures int) bool {
	if failures > 0 {
		return backoff.Wait(ctx, failures) == nil
	}
	timer := time.NewTimer(feedPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-f.ready:
	}
	return true
}

// look reads what has been logged since the last look, if anybody listens. If the feed has lost its
// place, it begins anew at the end of the log.
func (f *Feed) look(ctx context.Context) error {
	f.mu.Lock()
	after, begun, heard := f.end, f.begun, len(f.listeners) > 0
	if !heard {
		f.begun, f.kept, f.places = false, nil, nil
	}
	f.mu.Unlock()
	switch {
	case !heard:
		return nil
	case !begun:
		return f.begin(ctx)
	}
	list, places, next, err := f.log.follow(ctx, after, feedRead)
	if errors.Is(err, ErrExpired) || errors.Is(err, ErrLost) {
		return f.begin(ctx)
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.beatAll()
	if next == after {
		return nil
	}
	f.Look() // there may be more
	f.beats = beatsAfter
	f.kept, f.places, f.end = append(f.kept, list...), append(f.places, places...), next
	if more := len(f.kept) - keptChanges; more > keptChanges/8 { // so that little is moved for each change
		f.start = f.places[more-1]
		f.kept, f.places = slices.Delete(f.kept, 0, more), slices.Delete(f.places, 0, more)
	}
	for l := range f.listeners {
		for i := range list {
			if l.Selects(&list[i]) {
				l.Wake()
				break
			}
		}
	}
	return nil
}

// beatAll calls Beat of all listeners, if it is time. The feed is locked.
func (f *Feed) beatAll() {
	if f.beats == 0 || time.Since(f.beaten) < f.beat {
		return
	}
	f.beats, f.beaten = f.beats-1, time.Now()
	for l := range f.listeners {
		if l.Beat != nil {
			l.Beat()
		}
	}
}

// begin begins at the end of the log. All listeners look where they are.
func (f *Feed) begin(ctx context.Context) error {
	end, err := f.log.End(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun, f.start, f.end, f.kept, f.places, f.beaten = true, end, end, nil, nil, time.Now()
	for l := range f.listeners {
		l.Wake()
	}
	return nil
}

// follow returns changes after a position, with the position after each, and the one after all.
func (l *Log) follow(ctx context.Context, after Position, most int) (list []Change, places []Position, next Position, err error) {
	read := l.readBatch
	if l.dialect == dialect.SQLite {
		read = l.readSQLite
	}
	list, next, err = read(ctx, after, most, nil)
	for _, c := range list {
		places = append(places, c.At)
	}
	return list, places, next, err
}
