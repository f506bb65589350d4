package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"forge/internal/database"
	"forge/internal/replica"
)

const (
	// replicasTime is how long replicas have to catch up with the primary while they are examined.
	replicasTime = 2 * time.Second
	// compared is how many connections are compared, to find an address of several servers.
	compared = 4
)

// replicas reports which replicas can be read from, and why the others cannot.
func (d *Doctor) replicas(ctx context.Context, db *database.DB) (found []Finding) {
	addresses := d.config.Replicas
	if len(addresses) == 0 {
		return nil
	}
	set, err := replica.Open(db, addresses, replica.Options{MaxLag: d.config.MaxReplicaLag, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return []Finding{fail("replicas", err.Error(), "Correct "+d.config.NameOf("DATABASE_REPLICAS")+".")}
	}
	defer set.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go set.Run(ctx)
	for i, h := range settled(ctx, set) {
		found = append(found, d.replica(ctx, addresses[i], h))
	}
	return append(found, d.unnamed(ctx, db, found)...)
}

// unnamed reports that the primary has more standbys than can be read from. Without a primary, only
// all of them together know whose tokens were ended.
func (d *Doctor) unnamed(ctx context.Context, db *database.DB, replicas []Finding) []Finding {
	good := 0
	for _, f := range replicas {
		if f.State == OK {
			good++
		}
	}
	state, err := db.State(ctx)
	if err != nil || !d.config.Pool.Synced || len(state.Standbys) <= good {
		return nil
	}
	return []Finding{warn("replicas", fmt.Sprintf("the primary has %d standbys, and %d of them can be read from: without a primary, requests with a token are refused after 10 s", len(state.Standbys), good),
		"Name all standbys in "+d.config.NameOf("DATABASE_REPLICAS")+".")}
}

// settled returns what is known of the replicas when each of them is read from, or after a while.
func settled(ctx context.Context, set *replica.Set) (replicas []replica.Status) {
	set.Await(ctx)
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		hosts, _ := set.Status()
		replicas = hosts[1:] // the first is the primary
		waits := false
		for _, h := range replicas {
			waits = waits || h.Reason != ""
		}
		if !waits || ctx.Err() != nil || time.Since(start) > replicasTime {
			return replicas
		}
	}
}

// replica returns the finding about a replica.
func (d *Doctor) replica(ctx context.Context, address string, h replica.Status) Finding {
	if h.Reason != "" {
		return warn("replicas", fmt.Sprintf("%s is left out of reads: %s", h.Name, h.Reason),
			"Correct "+d.config.NameOf("DATABASE_REPLICAS")+", or the replica; until then others answer, or the primary.")
	}
	if severalServers(ctx, address, d.options()) {
		return fail("replicas", h.Name+" leads to several servers, so nobody knows what the next connection has",
			"Write the address of each server into "+d.config.NameOf("DATABASE_REPLICAS")+".")
	}
	return ok("replicas", "%s can be read from, and is at most %s behind", h.Name, h.Lag.Round(time.Millisecond))
}

// severalServers reports whether connections to an address reach different servers.
func severalServers(ctx context.Context, address string, o database.Options) bool {
	o.PoolSize, o.PgBouncer = compared, false
	db, err := database.Open(address, o)
	if err != nil {
		return false
	}
	defer db.Close()
	servers := map[string]bool{}
	for range compared {
		conn, err := db.Conn(ctx)
		if err != nil {
			return false
		}
		defer conn.Close()
		var server string
		if conn.QueryRowContext(ctx, "SELECT concat(pg_postmaster_start_time(), inet_server_addr(), inet_server_port())").Scan(&server) != nil {
			return false
		}
		servers[server] = true
	}
	return len(servers) > 1
}
