package replica

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"forge/internal/database"
	"forge/internal/retry"
)

// Host is a server of the database: the primary, or a replica. Its watcher samples it.
type Host struct {
	// Name is the host and port of a replica, and "primary" for the primary.
	Name string
	// DB is the pool for queries.
	DB *database.DB

	watch     *database.DB
	beside    *database.DB // of a replica: a small pool that no query takes
	published func(*Host)  // called after each sample
	wanted    chan struct{}

	mu   sync.Mutex
	last sample
	// sampled is the server of the last good sample.
	sampled string
	// several is the number of the watcher's connection beside which another one has reached
	// another server. It is 0 if there was none.
	several uint64
	next    chan struct{} // closed with the next sample
}

// sample is what a watcher has found out about its host.
type sample struct {
	Position
	server  string    // which server of the address it is
	file    uint64    // how many bytes each file of the log has
	standby bool      // the host is in recovery
	began   time.Time // all that was stored before this time is in the sample
	whole   bool      // nothing of it is taken from an earlier one
	epoch   uint64    // counts the connections of the watcher; a restart of the host ends them
	err     error     // why there is none
}

const (
	// interval is the time between two samples that nobody waits for.
	interval = 50 * time.Millisecond
	// minInterval is the shortest time between two samples. It bounds what the samples cost when
	// every request waits for one.
	minInterval = 250 * time.Microsecond
	// sampleTime is how long a sample may take.
	sampleTime = 2 * time.Second
	// waitTime is how long a request waits for a sample.
	waitTime = time.Second
)

// away sets the pauses between attempts to reach a host.
var away = retry.Backoff{First: interval, Max: time.Second, Jitter: 0.2}

// identify asks for all of a sample. A standby's timeline is the highest that its log has come to.
// Its control file may know of a new one only later, and what was received is shown to some roles
// only, and only while the standby streams. So the highest of the samples on one connection counts,
// on which the standby has not restarted. If that is too low, the host is not used.
const identify = `SELECT ` + database.ServerIdentity + `, (SELECT system_identifier FROM pg_control_system()),
	(SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
	pg_size_bytes(current_setting('wal_segment_size')),
	standby,
	CASE WHEN standby THEN GREATEST((SELECT timeline_id FROM pg_control_checkpoint()),
			(SELECT min_recovery_end_timeline FROM pg_control_recovery()), (SELECT received_tli FROM pg_stat_wal_receiver))
		ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END,
	(COALESCE(CASE WHEN standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END, '0/0') - '0/0')::bigint
FROM pg_is_in_recovery() AS standby`

// locate asks for what changes all the time, without the control file.
const locate = `SELECT standby,
	CASE WHEN standby THEN COALESCE((SELECT received_tli FROM pg_stat_wal_receiver), 0)
		ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END,
	(COALESCE(CASE WHEN standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END, '0/0') - '0/0')::bigint
FROM pg_is_in_recovery() AS standby`

var errNotWatched = errors.New("it was not asked yet")

func newHost(name string, db *database.DB, published func(*Host)) (*Host, error) {
	watch, err := db.WatchPool()
	if err != nil {
		return nil, err
	}
	return &Host{Name: name, DB: db, watch: watch, published: published, wanted: make(chan struct{}, 1),
		next: make(chan struct{}), last: sample{err: errNotWatched}}, nil
}

// run samples the host until ctx ends.
func (h *Host) run(ctx context.Context) {
	var conn *sql.Conn
	var epoch uint64
	failures := 0
	var whole sample // the last one that identify has brought
	for ctx.Err() == nil {
		now := sample{began: time.Now()}
		if conn == nil {
			epoch++
			conn, now.err = h.connect(ctx)
		}
		now.epoch = epoch
		if now.err == nil {
			now.err = now.read(ctx, conn, whole)
		}
		if now.err == nil {
			failures = 0
			if now.whole {
				whole = now
			}
		} else {
			failures++
			if conn != nil {
				_ = conn.Close()
				conn = nil
			}
			whole = sample{}
		}
		h.publish(now)
		h.pause(ctx, now.began, failures)
	}
	if conn != nil {
		_ = conn.Close()
	}
}

func (h *Host) connect(ctx context.Context) (*sql.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	return h.watch.Conn(ctx)
}

// read takes the sample on a connection. It asks for all of it if last, the last such sample, is
// not one of the same connection, or is older than interval.
func (s *sample) read(ctx context.Context, conn *sql.Conn, last sample) error {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	var system, lsn int64
	var err error
	if s.whole = last.epoch != s.epoch || s.began.Sub(last.began) >= interval; s.whole {
		err = conn.QueryRowContext(ctx, identify).Scan(&s.server, &system, &s.Database, &s.file, &s.standby, &s.Timeline, &lsn)
		s.System = uint64(system)
	} else {
		err = conn.QueryRowContext(ctx, locate).Scan(&s.standby, &s.Timeline, &lsn)
		s.server, s.System, s.Database, s.file = last.server, last.System, last.Database, last.file
	}
	if last.epoch == s.epoch {
		s.Timeline = max(s.Timeline, last.Timeline)
	}
	s.LSN = endOf(uint64(lsn), s.file)
	return err
}

// publish makes a sample the last one, and wakes all who wait for it.
func (h *Host) publish(s sample) {
	h.mu.Lock()
	h.last = s
	if s.err == nil {
		h.sampled = s.server
	}
	close(h.next)
	h.next = make(chan struct{})
	h.mu.Unlock()
	h.published(h)
}

// pause returns when the next sample is due.
func (h *Host) pause(ctx context.Context, began time.Time, failures int) {
	pause, wanted := interval-time.Since(began), h.wanted
	if failures > 0 {
		pause, wanted = away.Pause(failures), nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
	case <-wanted:
		time.Sleep(minInterval - time.Since(began))
	}
	select { // whoever has asked until now gets the next sample
	case <-h.wanted:
	default:
	}
}

// Look has the watcher take a sample soon.
func (h *Host) Look() {
	select {
	case h.wanted <- struct{}{}:
	default:
	}
}

// state returns the last sample.
func (h *Host) state() sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// after returns a sample that began after t. It returns an error if the host does not answer, or if
// there is none within a second.
func (h *Host) after(ctx context.Context, t time.Time) (sample, error) {
	late := time.NewTimer(waitTime)
	defer late.Stop()
	for {
		h.mu.Lock()
		last, next := h.last, h.next
		h.mu.Unlock()
		if last.began.After(t) || last.err != nil && last.err != errNotWatched {
			return last, last.err
		}
		h.Look()
		select {
		case <-next:
		case <-ctx.Done():
			return sample{}, ctx.Err()
		case <-late.C:
			return sample{}, context.DeadlineExceeded
		}
	}
}

// connected is called with each new connection of the pool, which leads to a server. It returns
// when a sample of this server was taken that began after that. So a restart of the host before the
// connection is known when it is used. It returns an error if the samples are of another server.
func (h *Host) connected(ctx context.Context, server string) error {
	before := h.state()
	last, err := h.after(ctx, time.Now())
	switch {
	case err != nil || last.server == server:
		return err
	case before.err != nil || before.epoch != last.epoch:
		return errRestarted
	}
	h.mu.Lock()
	h.several = last.epoch // both were there at once
	h.mu.Unlock()
	return errSeveral
}

// server returns the server that was sampled last. Connections to others must not be used.
func (h *Host) server() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sampled
}

// leadsToSeveral reports whether a connection has reached another server than the one of a sample.
func (h *Host) leadsToSeveral(last sample) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.several != 0 && h.several == last.epoch
}
