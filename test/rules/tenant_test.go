package rules

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"forge/internal/apperr"
	"forge/internal/viewer"
	"forge/test/rules/ent"
)

// TestTenants reads and changes rows as viewers of two tenants: nothing crosses.
func TestTenants(t *testing.T) {
	each(t, func(w *world) {
		ctx, c := w.system, w.ent
		var orgs []*ent.Org
		var customers []*ent.Customer
		var invoices []*ent.Invoice
		for i, name := range []string{"acme", "bolt"} {
			org := c.Org.Create().SetName(name).SaveX(ctx)
			customer := c.Customer.Create().SetName("Smith").SetOrgID(org.ID).SaveX(ctx)
			for n := range int32(2 + i) {
				invoices = append(invoices, c.Invoice.Create().SetNumber(n).SetCustomerID(customer.ID).SetOrgID(org.ID).SaveX(ctx))
			}
			orgs, customers = append(orgs, org), append(customers, customer)
		}
		of := func(role viewer.Role, tenant string) viewer.Viewer {
			return viewer.Viewer{ID: stranger.ID, Role: role, Tenant: tenant, Roles: viewer.NewRoles("BILLING")}
		}
		acme, bolt := of(viewer.User, orgs[0].ID.String()), of(viewer.User, orgs[1].GlobalID().String())
		for _, tt := range []struct {
			name string
			as   viewer.Viewer
			want string // the numbers of customers and invoices, whether the first invoice is there, and the customers that have an invoice of number 2
		}{
			{"of acme", acme, "1 2 true 0"},
			{"of bolt", bolt, "1 3 false 1"},
			{"of acme, again", acme, "1 2 true 0"},
			{"an administrator of bolt", of(viewer.Admin, orgs[1].ID.String()), "1 3 false 1"},
			{"an administrator without a tenant", viewer.System, "2 5 true 1"},
			{"of none", of(viewer.User, ""), "0 0 false 0"},
			{"of an unknown one", of(viewer.User, stranger.ID.String()), "0 0 false 0"},
			{"of what is no key", of(viewer.User, "acme"), "0 0 false 0"},
			{"an administrator of what is no key", of(viewer.Admin, "' OR true --"), "0 0 false 0"},
			{"nobody", viewer.Viewer{Tenant: orgs[0].ID.String()}, "0 0 false 0"},
		} {
			var got struct {
				Customers, Invoices, Having struct{ TotalCount int }
				Invoice                     *struct{ ID string }
			}
			w.into(tt.as, fmt.Sprintf(`{ customers { totalCount } invoices { totalCount } invoice(id: %q) { id }
				having: customers(where: {hasInvoicesWith: [{number: 2}]}) { totalCount } }`, invoices[0].GlobalID()), &got)
			if have := fmt.Sprintln(got.Customers.TotalCount, got.Invoices.TotalCount, got.Invoice != nil, got.Having.TotalCount); strings.TrimSpace(have) != tt.want {
				w.Errorf("%s: %swant %s", tt.name, have, tt.want)
			}
		}
		add := func(set func(*ent.InvoiceCreate)) func(context.Context, *ent.Client) (int, error) {
			return func(ctx context.Context, c *ent.Client) (int, error) {
				create := c.Invoice.Create().SetNumber(7).SetCustomerID(customers[0].ID)
				set(create)
				return saved(create.Save(ctx))
			}
		}
		renumber := func(ctx context.Context, c *ent.Client) (int, error) {
			return c.Invoice.Update().AddNumber(100).Save(ctx)
		}
		w.try([]change{
			{"add", acme, add(func(*ent.InvoiceCreate) {}), 1},
			{"add to one's own", acme, add(func(c *ent.InvoiceCreate) { c.SetOrgID(orgs[0].ID) }), 1},
			{"add to another", acme, add(func(c *ent.InvoiceCreate) { c.SetOrgID(orgs[1].ID) }), apperr.CodeForbidden},
			{"an administrator of acme adds to another", of(viewer.Admin, orgs[0].ID.String()), add(func(c *ent.InvoiceCreate) { c.SetOrgID(orgs[1].ID) }), apperr.CodeForbidden},
			{"an administrator without a tenant adds", viewer.System, add(func(c *ent.InvoiceCreate) { c.SetOrgID(orgs[1].ID) }), 1},
			{"add without a tenant", of(viewer.User, ""), add(func(c *ent.InvoiceCreate) { c.SetOrgID(orgs[1].ID) }), apperr.CodeForbidden},
			{"add with what is no key", of(viewer.User, "acme"), add(func(*ent.InvoiceCreate) {}), apperr.CodeForbidden},
			{"add without the role", viewer.Viewer{ID: stranger.ID, Role: viewer.User, Tenant: acme.Tenant}, add(func(*ent.InvoiceCreate) {}), apperr.CodeForbidden},
			{"update all", acme, renumber, 2},
			{"update all of bolt", bolt, renumber, 3},
			{"update all as an administrator of bolt", of(viewer.Admin, bolt.Tenant), renumber, 3},
			{"update all without a tenant", of(viewer.User, ""), renumber, 0},
			{"change the tenant", acme, func(ctx context.Context, c *ent.Client) (int, error) {
				return c.Invoice.Update().SetOrgID(orgs[1].ID).Save(ctx)
			}, apperr.CodeForbidden},
			{"change the tenant as an administrator", viewer.System, func(ctx context.Context, c *ent.Client) (int, error) {
				return c.Invoice.Update().SetOrgID(orgs[1].ID).Save(ctx)
			}, apperr.CodeForbidden},
			{"remove all", acme, func(ctx context.Context, c *ent.Client) (int, error) {
				if _, err := c.Invoice.Delete().Exec(w.system); err != nil {
					return 0, err
				}
				return c.Customer.Delete().Exec(ctx)
			}, 1},
		})
	})
}

// TestDeletedOfTenants lists deleted rows of a tenant, also below rows that are deleted or not.
func TestDeletedOfTenants(t *testing.T) {
	each(t, func(w *world) {
		ctx, c, now := w.system, w.ent, time.Now()
		var admins []viewer.Viewer
		for _, name := range []string{"acme", "bolt"} {
			org := c.Org.Create().SetName(name).SaveX(ctx)
			admins = append(admins, viewer.Viewer{ID: stranger.ID, Role: viewer.Admin, Tenant: org.ID.String()})
			for n := range int32(4) {
				customer := c.Customer.Create().SetName(fmt.Sprint(name, n)).SetOrgID(org.ID)
				if n > 1 {
					customer.SetDeletedAt(now)
				}
				id := customer.SaveX(ctx).ID
				for i := range int32(4) {
					invoice := c.Invoice.Create().SetNumber(10*n + i).SetCustomerID(id).SetOrgID(org.ID)
					if i > 1 {
						invoice.SetDeletedAt(now)
					}
					invoice.SaveX(ctx)
				}
			}
		}
		for range 3 {
			for _, tt := range []struct{ query, want string }{
				{`customers { totalCount nodes { name } }`, `{"customers":{"totalCount":2,"nodes":[{"name":"bolt0"},{"name":"bolt1"}]}}`},
				{`customers(deleted: true) { totalCount nodes { name } }`, `{"customers":{"totalCount":2,"nodes":[{"name":"bolt2"},{"name":"bolt3"}]}}`},
				{`customers(deleted: true, first: 1) { nodes { invoices(first: 1) { totalCount nodes { number customer { name } } } } }`,
					`{"customers":{"nodes":[{"invoices":{"totalCount":2,"nodes":[{"number":20,"customer":null}]}}]}}`},
				{`customers { nodes { invoices(deleted: true, first: 1) { totalCount nodes { number customer { name } } } } }`,
					`{"customers":{"nodes":[{"invoices":{"totalCount":2,"nodes":[{"number":2,"customer":{"name":"bolt0"}}]}},{"invoices":{"totalCount":2,"nodes":[{"number":12,"customer":{"name":"bolt1"}}]}}]}}`},
				{`customers(deleted: true) { nodes { a: invoices(deleted: true) { nodes { number } } b: invoices { nodes { number } } } }`,
					`{"customers":{"nodes":[{"a":{"nodes":[{"number":22},{"number":23}]},"b":{"nodes":[{"number":20},{"number":21}]}},{"a":{"nodes":[{"number":32},{"number":33}]},"b":{"nodes":[{"number":30},{"number":31}]}}]}}`},
				{`invoices(deleted: true, where: {hasCustomerWith: [{name: "bolt1"}]}) { nodes { number } }`, `{"invoices":{"nodes":[{"number":12},{"number":13}]}}`},
				{`invoices(deleted: true, where: {hasCustomerWith: [{name: "bolt3"}]}) { totalCount }`, `{"invoices":{"totalCount":0}}`},
				{`customers(where: {hasInvoicesWith: [{number: 2}]}) { totalCount }`, `{"customers":{"totalCount":0}}`},
			} {
				if a := w.ask(admins[1], "{ "+tt.query+" }"); a.data != tt.want || a.errors != nil {
					w.Errorf("%s: %s, want %s", tt.query, a, tt.want)
				}
				w.ask(admins[0], "{ "+tt.query+" }")
			}
		}
		member := viewer.Viewer{ID: stranger.ID, Role: viewer.User, Tenant: admins[1].Tenant}
		for query, want := range map[string]string{
			`customers(deleted: true) { totalCount }`:                                  `null FORBIDDEN customers`,
			`customers(first: 1) { nodes { invoices(deleted: true) { totalCount } } }`: `null FORBIDDEN customers.nodes[0].invoices`,
			`customers(deleted: false) { totalCount }`:                                 `{"customers":{"totalCount":2}} `,
		} {
			if a := w.ask(member, "{ "+query+" }"); a.String() != want {
				w.Errorf("%s as a member: %s, want %s", query, a, want)
			}
		}
	})
}
