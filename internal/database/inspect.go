package database

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Host is what one host of an address says about itself.
type Host struct {
	Name     string // host and port
	Err      error  // why it cannot be asked; then there is nothing else
	Standby  bool
	Cluster  string // the identifier that a primary and its standbys share
	Timeline int64
	// Behind is how long ago the last change was made that a standby has applied, and Waiting how
	// many bytes it has received and not applied.
	Behind  time.Duration
	Waiting int64
}

// String describes the host in a few words.
func (h Host) String() string {
	switch {
	case h.Err != nil:
		return "away: " + strings.Join(strings.Fields(RedactError(h.Err)), " ")
	case h.Standby:
		return fmt.Sprintf("replica on timeline %d, %d bytes to apply, last change %s ago", h.Timeline, h.Waiting, h.Behind.Round(time.Millisecond))
	}
	return fmt.Sprintf("primary on timeline %d", h.Timeline)
}

const hostQuery = `SELECT pg_is_in_recovery(), (SELECT system_identifier::text FROM pg_control_system()),
	CASE WHEN pg_is_in_recovery() THEN (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline) FROM pg_control_checkpoint() c, pg_control_recovery() r)
		ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,
	COALESCE(EXTRACT(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::float8,
	COALESCE(pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn(), 0)::bigint`

// Hosts asks each host of the address by itself. It returns nil for an address with one host, and
// for SQLite.
func (db *DB) Hosts(ctx context.Context) ([]Host, error) {
	u, err := ParseAddress(db.address)
	if err != nil {
		return nil, nil // SQLite
	}
	each, err := perHost(u.Query())
	if err != nil {
		return nil, err
	}
	found := make([]Host, len(each))
	var all sync.WaitGroup
	for i, q := range each {
		found[i].Name = hostName(q)
		q.Set("target_session_attrs", "any")
		one := *u
		one.RawQuery = q.Encode()
		all.Go(func() { found[i].Err = found[i].ask(ctx, one.String(), db.Options) })
	}
	all.Wait()
	return found, nil
}

// ask asks the host at an address.
func (h *Host) ask(ctx context.Context, address string, o Options) error {
	o.PoolSize, o.ConnectTimeout = 1, cmp.Or(min(o.ConnectTimeout, monitorTimeout), monitorTimeout)
	db, err := Open(address, o)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*monitorTimeout)
	defer cancel()
	var seconds sql.NullFloat64
	err = db.QueryRowContext(ctx, hostQuery).Scan(&h.Standby, &h.Cluster, &h.Timeline, &seconds, &h.Waiting)
	h.Behind = time.Duration(seconds.Float64 * float64(time.Second))
	return err
}

// TwoPrimaries names the hosts which can be written, if there are several, and says which of them
// are former primaries: their timeline is older. Otherwise it returns "".
func TwoPrimaries(hosts []Host) string {
	var primaries []Host
	newest := int64(0)
	for _, h := range hosts {
		if h.Err == nil && !h.Standby {
			primaries = append(primaries, h)
			newest = max(newest, h.Timeline)
		}
	}
	if len(primaries) < 2 {
		return ""
	}
	var names []string
	for _, h := range primaries {
		name := fmt.Sprintf("%s on timeline %d", h.Name, h.Timeline)
		if h.Timeline < newest {
			name += ", a former primary"
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

// OtherCluster names the hosts that do not belong to the cluster of the first one that has
// answered. If all belong to it, it returns "".
func OtherCluster(hosts []Host) string {
	var first Host
	var names []string
	for _, h := range hosts {
		switch {
		case h.Err != nil:
		case first.Cluster == "":
			first = h
		case h.Cluster != first.Cluster:
			names = append(names, h.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, ", ") + ", which is not of the cluster of " + first.Name
}
