package rule_test

import (
	"testing"

	"entgo.io/ent"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// TestHears has rules for reading, and says for each whether an anonymous viewer, a user, one with a
// role and an administrator hear of all changes, and by which column the user hears of their own.
func TestHears(t *testing.T) {
	t.Parallel()
	own, far := rule.Owner{Column: "user_id"}, rule.Owner{Path: "team", Column: "user_id"}
	members := rule.Members{Path: "team.members", User: "user_id"}
	for name, tt := range map[string]struct {
		policy rule.Policy
		all    string // a, u, r and A, for those who hear of all
		owner  string
	}{
		"everyone":       {rule.Policy{Read: rule.Everyone}, "aurA", ""},
		"signed in":      {rule.Policy{Read: rule.SignedIn}, "urA", ""},
		"owners":         {rule.Policy{Read: rule.Owners, Owner: own}, "A", "user_id"},
		"owners, far":    {rule.Policy{Read: rule.Owners, Owner: far}, "A", ""},
		"admins":         {rule.Policy{Read: rule.Admins, Owner: own}, "A", ""},
		"nobody":         {rule.Policy{}, "", ""},
		"a role":         {rule.Policy{Read: rule.Role("editor")}, "rA", ""},
		"members":        {rule.Policy{Read: members}, "A", ""},
		"owners or role": {rule.Policy{Read: rule.Any(rule.Owners, rule.Role("editor")), Owner: own}, "rA", "user_id"},
		"members and":    {rule.Policy{Read: rule.All(rule.SignedIn, members)}, "A", ""},
		"owners and":     {rule.Policy{Read: rule.All(rule.Owners, members), Owner: own}, "A", ""},
		"a tenant":       {rule.Policy{Read: rule.Everyone, Tenant: "tenant_id"}, "", ""},
	} {
		e := &entity.Entity{Ruled: true, Policy: func() ent.Policy { return tt.policy }}
		all := ""
		for _, who := range []struct {
			letter string
			viewer viewer.Viewer
		}{
			{"a", viewer.Viewer{}}, {"u", viewer.Viewer{ID: uuid.New(), Role: viewer.User}},
			{"r", viewer.Viewer{ID: uuid.New(), Role: viewer.User, Roles: viewer.NewRoles("editor")}}, {"A", viewer.System},
		} {
			hears, owner := rule.Hears(viewer.NewContext(t.Context(), who.viewer), e)
			if hears {
				all += who.letter
			}
			if who.letter == "u" && owner != tt.owner {
				t.Errorf("%s: a user hears by the column %q, want %q", name, owner, tt.owner)
			}
		}
		if all != tt.all {
			t.Errorf("%s: %q hear of all changes, want %q", name, all, tt.all)
		}
	}
}
