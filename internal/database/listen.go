package database

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
)

const (
	// A lost connection that listens is opened again after a pause between these.
	firstListenPause = 100 * time.Millisecond
	maxListenPause   = 5 * time.Second
	// listenPing is how often a connection that is silent is tried.
	listenPing = 30 * time.Second
)

// Listen calls the function of a channel of PostgreSQL after each notification on it, until ctx
// ends. It has a connection of its own, which it opens anew when it is lost; then it calls all
// functions, as notifications may have been missed. The connection is to address, or to the
// database of db if that is "". On SQLite, and behind PgBouncer without an address, Listen does
// nothing, because there are no notifications.
func (db *DB) Listen(ctx context.Context, address string, channels map[string]func()) {
	if address == "" && !db.Options.PgBouncer {
		address = db.address
	}
	u, err := url.Parse(address)
	if db.Dialect != dialect.Postgres || address == "" || err != nil {
		return
	}
	q := u.Query()
	q.Del("pgbouncer")
	setDefault(q, "application_name", cmp.Or(strings.TrimSuffix(db.Options.ApplicationName, " beside"), "forge")+" listens")
	setDefault(q, "connect_timeout", "5")
	u.RawQuery = q.Encode()
	l := pq.NewListener(u.String(), firstListenPause, maxListenPause, nil)
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for channel, told := range channels {
		if l.Listen(channel) != nil {
			return // ctx has ended, or the channel has no valid name
		}
		told()
	}
	ping := time.NewTicker(listenPing)
	defer ping.Stop()
	for {
		select {
		case n, open := <-l.Notify:
			if !open {
				return
			}
			for channel, told := range channels {
				if n == nil || n.Channel == channel { // nil after the connection was lost
					told()
				}
			}
		case <-ping.C:
			go func() { _ = l.Ping() }() // it finds out that the connection is lost
		}
	}
}
