package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"forge/internal/database"
)

// These are the reasons for which the replicas do not tell what the primary has acknowledged.
var (
	errAlone   = errors.New("the primary acknowledged what it alone had when it answered last")
	errUnnamed = errors.New("the primary had more standbys when it answered last than DATABASE_REPLICAS names")
	errBehind  = errors.New("it has not replayed all that it has received")
)

// Acknowledged returns connections to replicas that have, taken together, all that any primary had
// acknowledged when Acknowledged was called. It needs no primary. It returns an error if that is
// not certain.
//
// It is certain if a commit waits for a standby, and all standbys answer: one of them has it. None
// of them was promoted meanwhile, as all are in recovery on the timeline of the primary that is
// known. One host may be missing: the one that was this primary.
func (s *Set) Acknowledged(ctx context.Context) (found []*database.DB, err error) {
	standbys, err := s.synced()
	if err != nil {
		return nil, err
	}
	witnesses, err := s.witnesses(ctx, standbys)
	if err != nil {
		return nil, err
	}
	for _, h := range witnesses {
		if err := h.replayed(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		found = append(found, h.beside)
	}
	return found, nil
}

// witnesses returns all replicas but the one that was the primary, if this one is away. It returns
// an error if another one cannot be read from now, or if they are fewer than the standbys that the
// primary had.
func (s *Set) witnesses(ctx context.Context, standbys int) (found []*Host, err error) {
	now := time.Now()
	for _, h := range s.replicas {
		last, err := h.after(ctx, now)
		if err != nil && s.wasPrimary(h) {
			continue
		}
		if err == nil {
			err = s.usable(h, last)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		found = append(found, h)
	}
	if len(found) < max(standbys, 1) {
		return nil, errUnnamed
	}
	return found, nil
}

// synced returns how many standbys the primary had when it answered last. It returns an error if it
// did not wait for one of them.
func (s *Set) synced() (standbys int, err error) {
	state := s.primary.DB.Watcher.Known()
	if !s.primary.DB.Options.Synced || !state.Synced() {
		return 0, errAlone
	}
	return len(state.Standbys), nil
}

// wasPrimary reports whether a host was the primary that is known when it answered last.
func (s *Set) wasPrimary(h *Host) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lags[h].primaryOn != 0 && s.lags[h].primaryOn == s.known.Timeline
}

// usable is unusable for callers that do not hold mu.
func (s *Set) usable(h *Host, last sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unusable(h, last)
}

// replayed returns when the host has replayed all that it had received when replayed was called. It
// returns an error if that takes more than a second. A host that has restarted has received nothing
// before it has replayed its own log.
func (h *Host) replayed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	var received string
	if err := h.beside.QueryRowContext(ctx, "SELECT COALESCE(pg_last_wal_receive_lsn()::text, '')").Scan(&received); err != nil {
		return err
	}
	for done := false; received != ""; time.Sleep(interval / 5) {
		if err := h.beside.QueryRowContext(ctx, "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", received).Scan(&done); err != nil || done {
			return err
		}
	}
	return errBehind
}
