package changes_test

import (
	"strings"
	"testing"

	"forge/internal/changes"
	"forge/internal/entity"
)

// TestCheck has entities whose changes cannot be logged. They are named, and nothing of them is
// created.
func TestCheck(t *testing.T) {
	t.Parallel()
	id := []entity.Field{{Name: "id", Column: "id", Refers: "Boat"}}
	edges := []entity.Edge{{Name: "boat", To: "Boat", Column: "boat_id", OwnKey: true}, {Name: "crew", To: "Boat", Column: "cargo_id"}}
	for name, tt := range map[string]struct {
		entities []*entity.Entity
		want     string
	}{
		"a key of several columns": {[]*entity.Entity{{Name: "Boat", Prefix: "boat", Logged: true, Fields: []entity.Field{{Column: "a"}}}}, "Boat: its changes cannot be logged, as its key has several columns"},
		"no prefix":                {[]*entity.Entity{{Name: "Boat", Logged: true, Fields: id}}, "Boat: its changes cannot be logged, as its IDs have no prefix"},
		"no edge":                  {[]*entity.Entity{{Name: "Cargo", Table: "cargo", LoggedFor: []string{"boot"}, Edges: edges}}, `Cargo: its LoggedFor names "boot", which is no edge whose foreign key is a column of cargo`},
		"the key is elsewhere":     {[]*entity.Entity{{Name: "Cargo", Table: "cargo", LoggedFor: []string{"crew"}, Edges: edges}}, `Cargo: its LoggedFor names "crew"`},
		"for one that is not logged": {[]*entity.Entity{{Name: "Boat", Prefix: "boat", Fields: id}, {Name: "Cargo", LoggedFor: []string{"boat"}, Edges: edges}},
			"Cargo: its changes are logged as those of Boat, by its LoggedFor, but those of Boat are not logged"},
	} {
		if got := strings.Join(changes.Check(tt.entities), "\n"); !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: Check says %q, want %q", name, got, tt.want)
		}
		changes.Objects(tt.entities)("postgres") // which does not panic
	}
	if got := changes.Check(entities); got != nil {
		t.Errorf("of entities whose changes can be logged, Check says %q", got)
	}
}
