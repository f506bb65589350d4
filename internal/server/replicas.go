package server

import (
	"context"
	"time"

	"forge/internal/database"
	"forge/internal/replica"
	"forge/internal/settings"
)

// replicas opens the replicas of the settings. It returns nil if all is read from the primary.
func (s *Server) replicas(ctx context.Context, db *database.DB, identity *Identity) (*replica.Set, error) {
	if s.Reads == settings.ReadsPrimary {
		if len(s.Replicas) > 0 {
			s.log.WarnContext(ctx, s.NameOf("DATABASE_REPLICAS")+" has no effect, as all is read from the primary: set "+s.NameOf("READS"))
		}
		return nil, nil
	}
	set, err := replica.Open(db, s.Replicas, replica.Options{
		Fresh: s.Reads == settings.ReadsFresh, MaxLag: s.MaxReplicaLag, Cipher: identity.cursors, Log: s.log,
	})
	if err != nil {
		return nil, s.Refused("DATABASE_REPLICAS", err)
	}
	return set, nil
}

// firstLook is how long the start waits for the replicas. Those that have not answered by then take
// part later.
const firstLook = time.Second

// watchReplicas watches the replicas until ctx ends. It returns when they were looked at once, so
// that whoever starts the server sees which of them cannot be used.
func watchReplicas(ctx context.Context, set *replica.Set) {
	go set.Run(ctx) // what it waits for has limits, but the end of the server need not wait as well
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	set.Await(ctx)
	set.Try(ctx)
}
