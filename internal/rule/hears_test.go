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
// role and an administrator hear of all changes, by which column the user hears of their own, and
// whether rows have to be read for the user.
func TestHears(t *testing.T) {
	t.Parallel()
	own, far := rule.Owner{Column: "user_id"}, rule.Owner{Path: "team", Column: "user_id"}
	members := rule.Members{Path: "team.members", User: "user_id"}
	for name, tt := range map[string]struct {
		policy rule.Policy
		all    string // a, u, r and A, for those who hear of all
		owner  string
		reads  bool
	}{
		"everyone":          {rule.Policy{Read: rule.Everyone}, "aurA", "", false},
		"signed in":         {rule.Policy{Read: rule.SignedIn}, "urA", "", false},
		"owners":            {rule.Policy{Read: rule.Owners, Owner: own}, "A", "user_id", false},
		"owners, far":       {rule.Policy{Read: rule.Owners, Owner: far}, "A", "", true},
		"admins":            {rule.Policy{Read: rule.Admins, Owner: own}, "A", "", false},
		"nobody":            {rule.Policy{}, "", "", false},
		"a role":            {rule.Policy{Read: rule.Role("editor")}, "rA", "", false},
		"members":           {rule.Policy{Read: members}, "A", "", true},
		"owners or role":    {rule.Policy{Read: rule.Any(rule.Owners, rule.Role("editor")), Owner: own}, "rA", "user_id", false},
		"owners or members": {rule.Policy{Read: rule.Any(rule.Owners, members), Owner: own}, "A", "user_id", true},
		"members and":       {rule.Policy{Read: rule.All(rule.SignedIn, members)}, "A", "", true},
		"owners and":        {rule.Policy{Read: rule.All(rule.Owners, members), Owner: own}, "A", "", true},
		"a tenant":          {rule.Policy{Read: rule.Everyone, Tenant: "tenant_id"}, "", "", true},
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
			hears := rule.Hears(viewer.NewContext(t.Context(), who.viewer), e)
			if hears.All {
				all += who.letter
			}
			if who.letter == "u" && (hears.Owner != tt.owner || hears.Reads != tt.reads) {
				t.Errorf("%s: a user hears by the column %q, and by reading: %t; want %q and %t", name, hears.Owner, hears.Reads, tt.owner, tt.reads)
			}
		}
		if all != tt.all {
			t.Errorf("%s: %q hear of all changes, want %q", name, all, tt.all)
		}
	}
}
