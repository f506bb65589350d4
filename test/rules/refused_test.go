package rules

import (
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/privacy"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/schema"
	rulesent "forge/test/rules/ent"
	"forge/test/rules/ent/migrate"
)

// TestRefused checks what the start says of rules that cannot hold.
func TestRefused(t *testing.T) {
	members := func(path, user string) rule.Policy { return rule.Policy{Read: rule.Members{Path: path, User: user}} }
	for _, tt := range []struct {
		name string
		of   string
		rule rule.Policy
		want string // a part of the finding, or "" for none
	}{
		{"all well", "Document", members("project.team.memberships", "person_id"), ""},
		{"an edge that is not there", "Document", members("project.teams.memberships", "person_id"), "its rule Read follows the edge teams, which Project does not have in ent/schema; it has: team, watchers, documents"},
		{"a column that is not there", "Document", members("project.team.memberships", "user_id"), "by the column user_id of Membership, which is no column with the UUID of a user"},
		{"a column of no key", "Document", members("project", "name"), "by the column name of Project"},
		{"inside of another", "Document", rule.Policy{Update: rule.Any(rule.Admins, rule.All(rule.Members{Path: "team", User: "id"}))}, "its rule Update follows the edge team,"},
		{"a value of no column", "Document", rule.Policy{Delete: rule.Members{Path: "project.team.memberships", User: "person_id", With: map[string][]any{"rank": {1}}}}, "compares the column rank, which Membership does not have"},
		{"no value", "Document", rule.Policy{Read: rule.Members{User: "author_id", With: map[string][]any{"title": {}}}}, "allows no value of the column title"},
		{"a new row leads nowhere", "Project", rule.Policy{Create: rule.Members{Path: "watchers", User: "id"}}, "a new row leads nowhere yet"},
		{"no entity", "Document", rule.Policy{Read: rule.Members{In: "Crew", User: "person_id"}}, "about rows of Crew, which ent/schema does not have"},
		{"owners of nothing", "Document", rule.Policy{Read: rule.Owners}, "does not say who owns a row"},
		{"a role that is one of Forge's", "Document", rule.Policy{Read: rule.Role("admin")}, `names the role "admin"; allowed are`},
		{"a role with a line break", "Document", rule.Policy{SetBy: map[string]rule.Who{"title": rule.Role("a\nb")}}, `its rule SetBy title names the role "a\nb"`},
		{"a field that is not there", "Document", rule.Policy{ShownTo: map[string]rule.Who{"cost": rule.Admins}}, "ShownTo names cost"},
		{"a field twice", "Document", rule.Policy{ShownTo: map[string]rule.Who{"title": rule.Admins}}, "title stands in ShownTo of its Policy, and in"},
		{"a column to set that is not there", "Document", rule.Policy{SetBy: map[string]rule.Who{"cost": rule.Admins}}, "SetBy names the column cost"},
		{"a tenant that is not there", "Document", rule.Policy{Tenant: "org_id"}, "its Tenant is the column org_id, which it does not have"},
		{"a tenant that may be NULL", "Document", rule.Policy{Tenant: "project_id"}, "may be NULL"},
		{"a tenant of another kind", "Membership", rule.Policy{Tenant: "role"}, "is of type membership.Role; allowed: uuid.UUID, int, int32, int64, string"},
	} {
		e := *rulesent.Entities[slices.IndexFunc(rulesent.Entities, func(e *entity.Entity) bool { return e.Name == tt.of })]
		e.Policy = func() ent.Policy { return privacy.Policies{privacy.Policy{Query: privacy.QueryPolicy{tt.rule}}} }
		found := rule.Check(&e, rulesent.Entities)
		if tt.want == "" && len(found) > 0 || tt.want != "" && (len(found) != 1 || !strings.Contains(found[0], tt.want)) {
			t.Errorf("%s: %q, want %q", tt.name, found, tt.want)
		}
	}
	if found := rule.CheckTenants(rulesent.Entities, migrate.Tables); len(found) > 0 {
		t.Errorf("indexes of tenants: %q", found)
	}
	of := migrate.InvoicesTable
	number := *of.Columns[2]
	number.Unique = true
	table := &schema.Table{Name: of.Name, PrimaryKey: of.PrimaryKey, ForeignKeys: of.ForeignKeys, Columns: append([]*schema.Column{of.Columns[0], of.Columns[1], &number}, of.Columns[3:]...),
		Indexes: []*schema.Index{{Columns: []*schema.Column{&number}, Unique: true}}}
	if found := rule.CheckTenants(rulesent.Entities, []*schema.Table{table}); len(found) != 3 || !strings.Contains(found[0], `index.Fields("org_id", "number").Unique()`) ||
		!strings.Contains(found[1], "unique for all tenants") || !strings.Contains(found[2], "no index begins with its Tenant, the column org_id") {
		t.Errorf("indexes of all tenants: %q", found)
	}
}

// TestWeighs checks which policies may decide by the key of a document's project.
func TestWeighs(t *testing.T) {
	e := *rulesent.Entities[slices.IndexFunc(rulesent.Entities, func(e *entity.Entity) bool { return e.Name == "Document" })]
	for _, tt := range []struct {
		name string
		rule ent.Policy
		want bool
	}{
		{"none", nil, false},
		{"a role", rule.Policy{Update: rule.Any(rule.Admins, rule.Role("FINANCE"))}, false},
		{"another column", rule.Policy{Update: rule.Owners, Owner: rule.Owner{Column: "author_id"}}, false},
		{"another right", rule.Policy{Read: rule.Members{User: "project_id"}, SetBy: map[string]rule.Who{"title": rule.Admins}}, false},
		{"rows of another entity", rule.Policy{Update: rule.Members{In: "Staff", User: "person_id"}}, false},
		{"the column", rule.Policy{Update: rule.Any(rule.Admins, rule.Members{User: "author_id", With: map[string][]any{"project_id": {1}}})}, true},
		{"a path", rule.Policy{Update: rule.All(rule.SignedIn, rule.Members{Path: "project.team.memberships", User: "person_id"})}, true},
		{"the owner's path", rule.Policy{Update: rule.Owners, Owner: rule.Owner{Path: "project", Column: "id"}}, true},
		{"who may set it", rule.Policy{Update: rule.Admins, SetBy: map[string]rule.Who{"project_id": rule.Admins}}, true},
		{"a tenant", rule.Policy{Update: rule.Admins, Tenant: "project_id"}, true},
		{"a rule of ent's own", privacy.Policy{Mutation: privacy.MutationPolicy{privacy.AlwaysAllowRule()}}, true},
	} {
		e.Policy = func() ent.Policy { return privacy.Policies{tt.rule} }
		if tt.rule == nil {
			e.Policy = nil
		}
		if got := rule.Weighs(&e, "project_id"); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestNamesOfWhatIsShown checks that an annotation names only what its entity has.
func TestNamesOfWhatIsShown(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]entity.Visibility{"memebers": entity.ToAll, "org_id": entity.ToOwners} {
		e := *rulesent.Entities[slices.IndexFunc(rulesent.Entities, func(e *entity.Entity) bool { return e.Name == "Document" })]
		e.Visible = map[string]entity.Visibility{"id": entity.ToAll, name: of}
		found := strings.Join(rule.Check(&e, rulesent.Entities), "\n")
		if !strings.Contains(found, "names "+name+", which is no column, edge or computed field in ent/schema; those of the API are ") || !strings.Contains(found, "title") || strings.Contains(found, "\n") {
			t.Errorf("%s: %q", name, found)
		}
	}
}
