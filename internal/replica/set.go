// Package replica chooses where queries are read: on a standby of PostgreSQL, or on the primary.
//
// A client is never shown an older state than one that it has seen or made. Each answer carries a
// Position, which the client sends back with its next request; see docs/adr/0021-replicas.md. A
// watcher for each host knows its position, so that choosing one takes no round trip.
package replica

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"forge/internal/apperr"
	"forge/internal/cursorcipher"
	"forge/internal/database"
)

// Options are the settings of a Set.
type Options struct {
	// Fresh has queries without a position read only replicas that have caught up with the primary.
	Fresh bool
	// MaxLag is how far a replica may be behind the primary.
	MaxLag time.Duration
	// Cipher seals positions. It is that of cursors.
	Cipher *cursorcipher.Cipher
	Log    *slog.Logger
}

const (
	// patience is how long a query waits for a replica that has its position.
	patience = 30 * time.Millisecond
	// maxAge is how old the last sample of a replica may be that is read from.
	maxAge = time.Second
	// freshLag is the lag of a replica that counts as caught up: the primary was sampled a few
	// times since at most.
	freshLag = 3 * interval
)

// Set is a primary and its replicas. It is safe for concurrent use.
type Set struct {
	options  Options
	cipher   *cursorcipher.Cipher
	primary  *Host
	replicas []*Host
	reads    map[*Host]*atomic.Int64 // how many queries each host has answered
	repeated atomic.Int64
	foreign  sync.Once // logs positions of another database
	began    time.Time

	mu    sync.Mutex
	turn  uint64              // counts the choices of a replica
	known sample              // the last good sample of the primary
	marks []mark              // older ones
	lags  map[*Host]*caughtUp // of the replicas
	next  chan struct{}       // closed after the next sample of any host
}

// Open returns the set of a primary and the replicas at these addresses. It returns an error if an
// address is invalid. It connects to none of them: see Run.
func Open(primary *database.DB, addresses []string, o Options) (*Set, error) {
	s := &Set{options: o, cipher: o.Cipher, reads: map[*Host]*atomic.Int64{}, lags: map[*Host]*caughtUp{}, next: make(chan struct{}), began: time.Now()}
	var err error
	if s.primary, err = newHost("primary", primary, s.sampled); err != nil {
		return nil, err
	}
	s.reads[s.primary] = new(atomic.Int64)
	for i, address := range addresses {
		h, err := s.open(primary, address, i+1)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.replicas = append(s.replicas, h)
		s.reads[h], s.lags[h] = new(atomic.Int64), &caughtUp{reason: errNotWatched.Error()}
	}
	return s, nil
}

func (s *Set) open(primary *database.DB, address string, number int) (h *Host, err error) {
	opt := primary.Options
	opt.PgBouncer = false // the address is that of a server
	opt.Connected = func(ctx context.Context, server string) error { return h.connected(ctx, server) }
	opt.Server = func() string { return h.server() }
	db, err := database.Open(address, opt)
	if err != nil {
		return nil, err
	}
	db.Host = number
	beside, err := db.MonitorPool()
	if err != nil {
		return nil, err
	}
	if h, err = newHost(database.HostOf(address), db, s.sampled); err == nil {
		h.beside = beside
	}
	return h, err
}

// Close closes the pools of the replicas, and those of the watchers.
func (s *Set) Close() {
	_ = s.primary.watch.Close()
	for _, h := range s.replicas {
		_ = h.watch.Close()
		_ = h.beside.Close()
		_ = h.DB.Close()
	}
}

// Run watches all hosts until ctx ends.
func (s *Set) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, h := range append(slices.Clone(s.replicas), s.primary) {
		all.Go(func() { h.run(ctx) })
	}
	all.Wait()
}

// Await returns when each host was sampled once, successfully or not, or when ctx ends.
func (s *Set) Await(ctx context.Context) {
	for _, h := range append(slices.Clone(s.replicas), s.primary) {
		_, _ = h.after(ctx, time.Time{})
	}
}

// Try opens a connection to each replica, so that an address of several servers is noticed, which
// the log tells. It does not take longer than ctx.
func (s *Set) Try(ctx context.Context) {
	for _, h := range s.replicas {
		if conn, err := h.DB.Conn(ctx); err == nil {
			_ = conn.Close()
		}
	}
}

// Choice is where a query is read.
type Choice struct {
	*Host
	epoch   uint64 // of the host when it was chosen
	replica bool
}

// Replica reports whether the choice is a replica.
func (c *Choice) Replica() bool { return c.replica }

// Primary returns the choice of the primary.
func (s *Set) Primary() Choice { return Choice{Host: s.primary} }

// Choose returns where a query is read that needs n: on a replica that has it, perhaps after 30 ms,
// and otherwise on the primary. It returns an UNAVAILABLE error if the query needs a state that
// comes after a failover, and this server still talks to the old primary.
func (s *Set) Choose(ctx context.Context, n Need) (Choice, error) {
	var late *time.Timer
	for {
		c, waits, next := s.look(n)
		if c.Host != nil {
			return c, nil
		}
		if !waits {
			break
		}
		if late == nil {
			late = time.NewTimer(patience)
			defer late.Stop()
		}
		for _, h := range s.replicas {
			h.Look()
		}
		select {
		case <-next:
			continue
		case <-late.C:
		case <-ctx.Done():
		}
		break
	}
	return s.Primary(), s.current(ctx, n)
}

// look returns a replica that has what a query needs, if there is one. Otherwise it reports whether
// one may soon have it, and returns what is closed when there is something new.
func (s *Set) look(n Need) (c Choice, waits bool, next chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var space [8]Choice
	have := space[:0]
	for _, h := range s.replicas {
		last := h.state()
		if !s.answers(h, last) {
			continue
		}
		if n.in(last.Position) && (n.given || !s.options.Fresh || s.lag(h) <= freshLag) {
			have = append(have, Choice{h, last.epoch, true})
		}
		waits = waits || n.given && n.mixed == nil && n.at.comparable(last.Position) && n.at.LSN != latest
	}
	if len(have) > 0 {
		s.turn++
		return have[s.turn%uint64(len(have))], false, nil
	}
	return c, waits, s.next
}

// answers reports whether a replica can be read from now. The caller holds mu.
func (s *Set) answers(h *Host, last sample) bool {
	return s.unusable(h, last) == nil && time.Since(last.began) <= maxAge
}

// Answers reports whether a replica can be read from now. It returns false for a nil Set.
func (s *Set) Answers() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.replicas, func(h *Host) bool { return s.answers(h, h.state()) })
}

// current returns an error if the primary that this server talks to is an older one than that of
// one of the positions.
func (s *Set) current(ctx context.Context, n Need) error {
	if !n.given {
		return nil
	}
	for _, p := range append(n.mixed, n.at) {
		if err := s.reaches(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// reaches returns an error if the primary that this server talks to is an older one than that of
// the position.
func (s *Set) reaches(ctx context.Context, p Position) error {
	known := s.primary.state()
	if p.System == 0 || known.err != nil {
		return nil // a primary that is away is the unit of work's to notice
	}
	if p.System != known.System || p.Database != known.Database {
		s.foreign.Do(func() {
			s.options.Log.WarnContext(ctx, "a client sent the position of another database, so the primary answers it: "+
				"do two databases have the same CURSOR_SECRET?")
		})
		return nil
	}
	if p.Timeline <= known.Timeline {
		return nil
	}
	if now, err := s.primary.after(ctx, time.Now()); err != nil || p.Timeline <= now.Timeline {
		return nil
	}
	return &apperr.Error{Code: apperr.CodeUnavailable, Message: "this server does not reach the new primary of the database yet; try again"}
}

// Seen returns the position for the answer to a query that was read at c. It returns an error if
// what was read is not certain to be as new as it had to be, because the host has restarted, or
// cannot be asked.
func (s *Set) Seen(ctx context.Context, c Choice) (string, error) {
	now, err := c.after(ctx, time.Now())
	switch {
	case !c.replica:
		s.reads[s.primary].Add(1)
		return s.position(now, err), nil
	case err != nil:
		return "", err
	case now.epoch != c.epoch:
		return "", errRestarted
	}
	s.reads[c.Host].Add(1)
	return now.seal(s.cipher), nil
}

// Wrote returns the position for the answer to a mutation. at is that of its commit; if it is zero,
// the primary is asked.
func (s *Set) Wrote(ctx context.Context, at database.LogPosition) string {
	if at.LSN == 0 {
		return s.position(s.primary.after(context.WithoutCancel(ctx), time.Now()))
	}
	now := s.primary.state()
	now.Timeline, now.LSN = at.Timeline, endOf(at.LSN, now.file)
	return s.position(now, now.err)
}

// Told returns the position for what tells a client of the primary's state and is no answer of Seen
// or Wrote: a message of a subscription, a mutation that was refused. It returns false, and a
// position that only the primary has, if the primary cannot be asked.
func (s *Set) Told(ctx context.Context) (at string, ok bool) {
	now, err := s.primary.after(ctx, time.Now())
	return s.position(now, err), err == nil
}

// Unknown returns the position for an answer after which only the primary can tell what is true.
func (s *Set) Unknown() string { return s.position(s.primary.state(), errRestarted) }

// position returns the position of a sample of the primary. If there is none, only the primary has
// the position.
func (s *Set) position(now sample, err error) string {
	if err != nil {
		s.mu.Lock()
		now.Position = s.known.Position
		s.mu.Unlock()
		now.LSN = latest
	}
	return now.seal(s.cipher)
}

// Positions reports whether a commit on the primary can be asked for its position: it was asked
// before, with the same functions.
func (s *Set) Positions() bool {
	last := s.primary.state()
	return last.err == nil && !last.standby
}

// Repeat counts a query that failed on a replica and is repeated on the primary. The replica is
// looked at.
func (s *Set) Repeat(c Choice) {
	s.repeated.Add(1)
	c.Look()
}
