package server

import (
	"context"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// watch returns what watches the state of the database, and logs what changes are kept by. With
// DURABILITY=synced it returns an error if the server acknowledges what it alone has.
func (s *Server) watch(ctx context.Context, pools Pools) (*database.Watcher, error) {
	w := database.NewWatcher(pools.Monitor, s.log)
	state, err := w.Look(ctx)
	if pools.Monitor.Dialect == dialect.SQLite {
		return w, nil
	}
	if err != nil {
		s.log.WarnContext(ctx, "the durability of the database is not known yet", "error", database.RedactError(err))
		return w, nil
	}
	if s.Pool.Synced && !state.Standby && !state.Synced() {
		return nil, s.Refused("DURABILITY", errNotSynced)
	}
	log := s.log.InfoContext
	if s.Production && !state.Standby && (!state.Fsync || state.SynchronousCommit == "off") {
		log = s.log.WarnContext
	}
	log(ctx, "durability of the database", "fsync", state.Fsync, "synchronousCommit", state.SynchronousCommit,
		"synchronousStandbyNames", state.StandbyNames, "standbys", state.Standbys, "standby", state.Standby, "timeline", state.Timeline)
	return w, s.twoPrimaries(ctx, pools.Monitor)
}

var errNotSynced = errors.New("synchronous_standby_names of the server is empty, so it acknowledges what it alone has; " +
	"set it, such as to 'ANY 1 (*)', or use DURABILITY=any")

// twoPrimaries logs an error if more than one host of the address can be written.
func (s *Server) twoPrimaries(ctx context.Context, db *database.DB) error {
	hosts, err := db.Hosts(ctx)
	if err != nil || len(hosts) < 2 {
		return err
	}
	if two := database.TwoPrimaries(hosts); two != "" {
		s.log.ErrorContext(ctx, "two servers can be written: "+two)
	}
	for _, h := range hosts {
		s.log.InfoContext(ctx, "database host", "host", h.Name, "is", fmt.Sprint(h))
	}
	return nil
}
