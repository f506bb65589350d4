package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// replication reports what changes are kept by, and names the primary and its replicas.
func (d *Doctor) replication(ctx context.Context, db *database.DB) []Finding {
	if db.Dialect != dialect.Postgres {
		return nil
	}
	state, err := db.State(ctx)
	if err != nil {
		return []Finding{d.unreached(err)}
	}
	found := d.hosts(ctx, db)
	if state.Standby {
		return found // the check before has told that it can only be read
	}
	return append(found, d.durability(state)...)
}

// durability reports what a change is kept by once it is acknowledged.
func (d *Doctor) durability(s database.State) (found []Finding) {
	settings := fmt.Sprintf("fsync %s, synchronous_commit %s, synchronous_standby_names '%s', standbys that stream: %s",
		onOff(s.Fsync), s.SynchronousCommit, s.StandbyNames, cmp.Or(strings.Join(s.Standbys, ", "), "none"))
	switch {
	case s.Synced():
		found = append(found, ok("replication", "a change is acknowledged when a second machine has it: %s", settings))
	case d.config.Pool.Synced:
		found = append(found, fail("replication", "a change is acknowledged when one machine alone has it, and DURABILITY=synced asks for two: "+settings,
			"Set synchronous_standby_names on the server, such as to 'ANY 1 (*)', and reload it."))
	default:
		found = append(found, ok("replication", "a change is acknowledged when one machine alone has it: %s", settings))
	}
	if d.config.Production && !s.Fsync {
		found = append(found, warn("replication", "fsync is off: a crash of the machine loses or breaks the database", "Set fsync=on in postgresql.conf."))
	}
	if d.config.Production && s.SynchronousCommit == "off" {
		found = append(found, warn("replication", "synchronous_commit is off: a crash loses what was acknowledged in the last moments", "Set synchronous_commit=on for the server, the database and the role."))
	}
	if wanted, named := s.Awaited(); named < wanted {
		found = append(found, fail("replication", fmt.Sprintf("every change waits for %d of the standbys that synchronous_standby_names names, and of these %d stream", wanted, named),
			"Start a standby, or correct the names: a standby's is cluster_name in its postgresql.conf, or application_name in its primary_conninfo."))
	}
	return found
}

// hosts reports the role of each of several hosts.
func (d *Doctor) hosts(ctx context.Context, db *database.DB) (found []Finding) {
	hosts, err := db.Hosts(ctx)
	if err != nil {
		return []Finding{d.unreached(err)}
	}
	for _, h := range hosts {
		if h.Err != nil {
			found = append(found, warn("replication", h.Name+" is "+h.String(), "Start it, or take it out of "+d.config.NameOf("DATABASE_URL")+"."))
			continue
		}
		found = append(found, ok("replication", "%s is a %s", h.Name, h))
	}
	if other := database.OtherCluster(hosts); other != "" {
		found = append(found, fail("replication", d.config.NameOf("DATABASE_URL")+" names "+other, "Take the hosts of the wrong cluster out of it."))
	}
	if two := database.TwoPrimaries(hosts); two != "" {
		found = append(found, fail("replication", "two servers can be written: "+two,
			"Stop the former primary at once, and make it a standby of the other: what is written to it is lost."))
	}
	return found
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
