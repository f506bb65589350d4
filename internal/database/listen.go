package database

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/database/pgwire"
	"forge/internal/retry"
)

const (
	// A lost connection that listens is opened again after a pause between these.
	firstListenPause = 100 * time.Millisecond
	maxListenPause   = time.Second
	// listenSilence is how long a connection that listens may receive nothing before its host is
	// asked whether it is there.
	listenSilence = 10 * time.Second
)

// Listen calls the function of a channel of PostgreSQL after each notification on it, until ctx
// ends. It has a connection of its own, which it opens anew when it is lost, or when the pool has
// found out that its own lead to a server that is not the primary any more. Then it calls all
// functions, as notifications may have been missed. The connection is to address, or to the
// database of db if that is "". On SQLite, and behind PgBouncer without an address, Listen does
// nothing, because there are no notifications.
func (db *DB) Listen(ctx context.Context, address string, channels map[string]func()) {
	if address == "" && !db.Options.PgBouncer {
		address = db.address
	}
	if db.Dialect != dialect.Postgres || address == "" {
		return
	}
	u, err := ParseAddress(address)
	if err != nil {
		return
	}
	pause := retry.Backoff{First: maxListenPause, Jitter: 0.5}
	for ctx.Err() == nil {
		if err := db.listen(ctx, db.listenAddress(u), channels); err != nil && pause.Wait(ctx, 1) != nil {
			return
		}
	}
}

// listenAddress returns the address of the connection that listens, for lib/pq.
func (db *DB) listenAddress(u *url.URL) string {
	q := u.Query()
	q.Del("pgbouncer")
	setDefault(q, "application_name", cmp.Or(strings.TrimSuffix(db.Options.ApplicationName, " beside"), "forge")+" listens")
	setDefault(q, "connect_timeout", "5")
	if strings.Contains(q.Get("host"), ",") {
		setDefault(q, "target_session_attrs", "read-write")
	}
	listening := *u
	listening.RawQuery = q.Encode()
	return listening.String()
}

// listen listens until ctx ends, or until the connections of the pool have become unusable. It
// returns an error if the server refuses to, as a standby does.
func (db *DB) listen(ctx context.Context, address string, channels map[string]func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lost := db.lost()
	go func() {
		select {
		case <-ctx.Done():
		case <-lost:
			cancel()
		}
	}()
	dialer := pgwire.NewDialer(0, pgwire.Timeouts{Silence: listenSilence})
	l := pq.NewDialListener(dialer, address, firstListenPause, maxListenPause, nil)
	defer context.AfterFunc(ctx, func() { _ = l.Close() })() // also while it connects
	for channel, told := range channels {
		if err := l.Listen(channel); err != nil {
			_ = l.Close()
			return err
		}
		told()
	}
	for n := range l.Notify {
		for channel, told := range channels {
			if n == nil || n.Channel == channel { // nil after the connection was lost
				told()
			}
		}
	}
	return nil
}

// lost returns a channel that is closed when the connections that are open now have become
// unusable.
func (db *DB) lost() <-chan struct{} {
	db.generation.Lock()
	defer db.generation.Unlock()
	if db.ended == nil {
		db.ended = make(chan struct{})
	}
	return db.ended
}

// connectionsLost closes all idle connections, and tells whoever waits for lost. It is called when
// the open connections lead to a server that is gone, or is not the primary any more.
func (db *DB) connectionsLost() {
	db.SetMaxIdleConns(0)
	db.SetMaxIdleConns(db.Options.PoolSize)
	db.generation.Lock()
	defer db.generation.Unlock()
	if db.ended != nil {
		close(db.ended)
		db.ended = nil
	}
}
