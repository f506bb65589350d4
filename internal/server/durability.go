package server

import (
	"context"
	"errors"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// watch returns what watches the state of the database. With DURABILITY=synced it returns an error
// if the server acknowledges what it alone has.
func (s *Server) watch(ctx context.Context, pools Pools) (*database.Watcher, error) {
	w := database.NewWatcher(pools.Monitor, s.log)
	state, err := w.Look(ctx)
	if err == nil && s.Pool.Synced && !state.Standby && !state.Synced() {
		return nil, s.Refused("DURABILITY", errNotSynced)
	}
	return w, nil
}

// logDurability logs what changes are kept by, and the hosts of the database.
func (s *Server) logDurability(ctx context.Context, pools Pools) {
	if pools.Monitor.Dialect == dialect.SQLite {
		return
	}
	state, err := pools.Requests.Watcher.Last()
	if err != nil {
		s.log.WarnContext(ctx, "the durability of the database is not known yet", "error", database.RedactError(err))
		return
	}
	log := s.log.InfoContext
	if s.Production && !state.Standby && (!state.Fsync || state.SynchronousCommit == "off") {
		log = s.log.WarnContext
	}
	log(ctx, "durability of the database", "fsync", state.Fsync, "synchronousCommit", state.SynchronousCommit,
		"synchronousStandbyNames", state.StandbyNames, "standbys", len(state.Standbys), "standby", state.Standby, "timeline", state.Timeline)
	hosts, _ := pools.Monitor.Hosts(ctx) // the address was read before
	for _, h := range hosts {
		s.log.InfoContext(ctx, "host of the database", "host", h.Name, "is", h.String())
	}
	if other := database.OtherCluster(hosts); other != "" {
		s.log.ErrorContext(ctx, s.NameOf("DATABASE_URL")+" names "+other)
	}
	if two := database.TwoPrimaries(hosts); two != "" {
		s.log.ErrorContext(ctx, "two servers can be written: "+two)
	}
}

var errNotSynced = errors.New("synchronous_standby_names of the server is empty, so it acknowledges what it alone has; " +
	"set it, such as to 'ANY 1 (*)', or use DURABILITY=any")
