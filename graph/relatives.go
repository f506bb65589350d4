package graph

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/team"
	"forge/ent/user"
	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/input"
)

// relatives are the teams and owners that heroes refer to. The value tells whether one exists.
type relatives struct{ teams, owners map[uuid.UUID]bool }

// findRelatives looks for the teams and owners of heroes. It reads all teams with one statement,
// and all owners with another.
func findRelatives(ctx context.Context, db *ent.Client, heroes ...*ent.HeroMutation) (relatives, error) {
	r := relatives{teams: map[uuid.UUID]bool{}, owners: map[uuid.UUID]bool{}}
	for _, m := range heroes {
		if id, ok := m.TeamID(); ok {
			r.teams[id] = false
		}
		if id, ok := m.OwnerID(); ok {
			r.owners[id] = false
		}
	}
	if len(r.teams) > 0 {
		found, err := db.Team.Query().Where(team.IDIn(keys(r.teams)...), keyShared).IDs(ctx)
		if err != nil {
			return r, fmt.Errorf("look for teams: %w", err)
		}
		mark(r.teams, found)
	}
	if len(r.owners) > 0 {
		found, err := db.User.Query().Where(user.IDIn(keys(r.owners)...), shared).IDs(ctx)
		if err != nil {
			return r, fmt.Errorf("look for owners: %w", err)
		}
		mark(r.owners, found)
	}
	return r, nil
}

// missing returns NOT_FOUND if the team or the owner of a hero does not exist, and nil otherwise.
func (r relatives) missing(ctx context.Context, path string, m *ent.HeroMutation) *apperr.Error {
	if id, ok := m.TeamID(); ok && !r.teams[id] {
		return input.Missing(ctx, path+".teamId", ids.ID{Prefix: "team", UUID: id})
	}
	if id, ok := m.OwnerID(); ok && !r.owners[id] {
		return input.Missing(ctx, path+".ownerId", ids.ID{Prefix: "user", UUID: id})
	}
	return nil
}

func keys(set map[uuid.UUID]bool) []uuid.UUID { return slices.Collect(maps.Keys(set)) }

func mark(set map[uuid.UUID]bool, found []uuid.UUID) {
	for _, id := range found {
		set[id] = true
	}
}

// keyShared locks the rows of a query, so that nobody can remove them before the unit of work ends.
// The check of a foreign key would take the same lock a little later. SQLite has only one writer at
// a time, and no such lock.
func keyShared(s *sql.Selector) { lock(s, "FOR KEY SHARE") }

// shared does the same as keyShared, and also keeps others from changing the rows. Users need this,
// because a user is deleted by a change of the row.
func shared(s *sql.Selector) { lock(s, "FOR SHARE") }

func lock(s *sql.Selector, clause string) {
	if s.Dialect() == dialect.Postgres {
		s.ForShare(sql.WithLockClause(clause))
	}
}
