package rules

import (
	"context"
	"fmt"
	"strings"
	"testing"

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
