package rules

import (
	"fmt"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/privacy"

	"forge/internal/apperr"
	"forge/internal/rule"
	"forge/internal/unit"
	"forge/internal/viewer"
	rulesent "forge/test/rules/ent"
	"forge/test/rules/ent/customer"
	"forge/test/rules/ent/document"
)

// TestGroupsWithinGroups reads documents where one group of another decides alone, and consists of
// several: the conditions of a query still hold for each of these.
func TestGroupsWithinGroups(t *testing.T) {
	either := rule.Any(rule.Members{Path: "project.team.memberships", User: "person_id"}, rule.Owners)
	for name, read := range map[string]rule.Who{"all": rule.All(rule.SignedIn, either), "any": rule.Any(rule.Admins, either)} {
		t.Run(name, func(t *testing.T) {
			withPolicy(t, rule.Policy{Read: read, Owner: rule.Owner{Column: "author_id"}}, func(d *scene) {
				a := d.ask(user(d.eve), fmt.Sprintf(`{ document(id: %q) { title } documents { nodes { title } } }`, d.plan.GlobalID()))
				if want := `{"document":null,"documents":{"nodes":[{"title":"diary"}]}}`; a.data != want {
					d.Errorf("%s, want %s", a, want)
				}
			})
		})
	}
}

// TestChangesOfUnseenRows changes and deletes documents that somebody may change, but not read.
func TestChangesOfUnseenRows(t *testing.T) {
	withPolicy(t, rule.Policy{Read: rule.Owners, Update: rule.SignedIn, Delete: rule.SignedIn, Owner: rule.Owner{Column: "author_id"}}, func(d *scene) {
		ctx := d.as(user(d.eve))
		for of, want := range map[*rulesent.Document]int{d.plan: 0, d.diary: 1} {
			for name, do := range map[string]func(*rulesent.Client) (int, error){
				"update": func(c *rulesent.Client) (int, error) {
					return c.Document.Update().Where(document.ID(of.ID)).SetTitle("x").Save(ctx)
				},
				"delete": func(c *rulesent.Client) (int, error) { return c.Document.Delete().Where(document.ID(of.ID)).Exec(ctx) },
				"find": func(c *rulesent.Client) (int, error) {
					return c.Document.Query().Where(document.ID(of.ID)).Count(rule.ForUpdate(ctx))
				},
			} {
				u := unit.New(d.db, unit.Write)
				if n, err := do(rulesent.UnitClient(u)); n != want || err != nil {
					d.Errorf("%s %s: %d, %v; want %d", name, of.Title, n, err, want)
				}
				u.Rollback()
			}
		}
	})
}

// TestPayloadsOfUnseenRows creates customers that their maker may not read, and asks for them.
func TestPayloadsOfUnseenRows(t *testing.T) {
	api := writes()
	defer func(old ent.Policy) { customer.Policy = old }(customer.Policy)
	customer.Policy = privacy.Policies{rule.Policy{Read: rule.Role("AUDITOR"), Create: rule.SignedIn, Tenant: "org_id"}}
	each(t, func(w *world) {
		org := w.ent.Org.Create().SetName("acme").SaveX(w.system)
		c := w.client(api, viewer.Viewer{ID: stranger.ID, Role: viewer.User, Tenant: org.ID.String(), Roles: viewer.NewRoles("BILLING")})
		const input = `input: {name: "Smith", invoices: {create: [{number: 1}]}}`
		if a := c.Do("mutation { createCustomer("+input+") { created customer { name } } }", nil); a.Code() != string(apperr.CodeForbidden) || a.RawData() != "null" {
			w.Errorf("the row is asked for: %s", a)
		}
		if n := w.ent.Customer.Query().CountX(w.system); n > 0 {
			w.Errorf("%d rows are stored", n)
		}
		if a := c.Do("mutation { createCustomer("+input+") { created } }", nil); a.RawData() != `{"createCustomer":{"created":true}}` {
			w.Errorf("the row is not asked for: %s", a)
		}
	})
}

// withPolicy runs a test on each database, where documents have the policy once the scene was made.
func withPolicy(t *testing.T, p rule.Policy, test func(*scene)) {
	each(t, func(w *world) {
		d := newTeam(w)
		defer func(old ent.Policy) { document.Policy = old }(document.Policy)
		document.Policy = privacy.Policies{p}
		test(d)
	})
}
