package changes_test

import (
	"strings"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/privacy"

	"forge/internal/changes"
	"forge/internal/entity"
	"forge/internal/rule"
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

// TestCounted has columns by which rules decide who sees a row. Their changes count even if nobody
// sees the columns themselves.
func TestCounted(t *testing.T) {
	t.Parallel()
	boat := func(p ent.Policy, filtered bool) []*entity.Entity {
		e := &entity.Entity{Name: "Boat", Prefix: "boat", Table: "boats", Logged: true, Ruled: true, Filtered: filtered, Policy: func() ent.Policy { return p },
			Visible: map[string]entity.Visibility{"name": entity.ToAll}, Fields: []entity.Field{{Name: "id", Column: "id", Refers: "Boat"}, {Name: "name", Column: "name"},
				{Name: "pilotId", Column: "pilot_id"}, {Name: "state", Column: "state"}, {Name: "secret", Column: "secret"}}}
		return []*entity.Entity{e}
	}
	pilots := rule.Members{User: "pilot_id", With: map[string][]any{"state": {"SAILS"}}}
	for name, tt := range map[string]struct {
		entities []*entity.Entity
		want     string
	}{
		"everybody":             {boat(rule.Policy{Read: rule.Everyone}, false), ""},
		"members":               {boat(rule.Policy{Read: rule.Any(rule.Role("HARBOR"), pilots)}, false), "pilot_id state"},
		"owners":                {boat(rule.Policy{Read: rule.Owners, Owner: rule.Owner{Column: "pilot_id"}}, false), "pilot_id"},
		"owners of another":     {boat(rule.Policy{Read: rule.Owners, Owner: rule.Owner{Path: "port", Column: "state"}}, false), ""},
		"a tenant":              {boat(rule.Policy{Read: rule.SignedIn, Tenant: "state"}, false), "state"},
		"a field to members":    {boat(rule.Policy{Read: rule.Everyone, ShownTo: map[string]rule.Who{"secret": pilots}}, false), "pilot_id state secret"},
		"a policy of one's own": {boat(privacy.Policies{}, false), "pilot_id state secret"},
		"an interceptor":        {boat(rule.Policy{Read: rule.Everyone}, true), "pilot_id state secret"},
	} {
		for _, kind := range []string{"postgres", "sqlite3"} {
			var update string
			for _, o := range changes.Objects(tt.entities)(kind) {
				for _, text := range o.Create {
					if strings.Contains(text, " UPDATE ") || strings.Contains(text, "before_rows") {
						update += text
					}
				}
			}
			var got []string
			for _, column := range []string{"pilot_id", "state", "secret"} {
				if strings.Contains(update, `"`+column+`"`) {
					got = append(got, column)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s, %s: changes of %q count, want %q\n%s", name, kind, got, tt.want, update)
			}
		}
	}
}
