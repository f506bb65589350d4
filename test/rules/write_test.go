package rules

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/gqlexec"
	"forge/internal/session"
	"forge/internal/viewer"
	"forge/test/gqltest"
	"forge/test/rules/ent"
	"forge/test/rules/ent/migrate"
)

// writing has standard mutations of an entity whose rows belong to tenants. Nobody needs to name
// the tenant.
const writing = `
type Mutation {
  createCustomer(input: CreateCustomerInput!, onConflict: CustomerConflict): CreateCustomerPayload!
  createCustomers(input: [CreateCustomerInput!]!, onError: OnError! = ABORT): CreateCustomersPayload!
  updateCustomer(id: ID!, input: UpdateCustomerInput!): UpdateCustomerPayload!
  updateInvoices(where: InvoiceWhereInput!, input: UpdateInvoicesInput!, atMost: Int! = 100): UpdateInvoicesPayload!
  deleteInvoices(where: InvoiceWhereInput!, atMost: Int! = 100): DeleteInvoicesPayload!
}
type UpdateInvoicesPayload { affected: Int! }
type DeleteInvoicesPayload { affected: Int! }
input UpdateInvoicesInput { number: Int }
enum OnError { ABORT SKIP }
enum OnConflict { UPDATE NOTHING }
enum CustomerUnique { ORG_ID_NAME }
input CustomerConflict { on: CustomerUnique! do: OnConflict! }
type CreateCustomerPayload { created: Boolean! customer: Customer! }
type CreateCustomersPayload { affected: Int! errors: [CreateError!]! }
type CreateError { index: Int! code: String! field: String }
type UpdateCustomerPayload { customer: Customer! }
input CreateCustomerInput { name: String! orgId: ID invoices: NewInvoices }
input UpdateCustomerInput { name: String invoices: NewInvoices }
input NewInvoices { create: [CreateInvoiceInput!] connect: [ID!] }
input CreateInvoiceInput { number: Int! }
`

// accounts are those of viewers, all of whom may sign in.
type accounts struct{ session.Accounts }

func (accounts) Find(context.Context, uuid.UUID) (*session.Account, error) {
	return &session.Account{Active: true}, nil
}

// bare is a schema without generated code. Standard mutations need none.
type bare struct{ schema *ast.Schema }

func (b bare) Schema() *ast.Schema { return b.schema }

func (bare) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (bare) Exec(context.Context) graphql.ResponseHandler { panic("no resolver is to be called") }

// references returns sources of resolvers that only return references, for the connections of
// Query.
func references(schema *ast.Schema) fs.FS {
	var b strings.Builder
	b.WriteString("package graph\n")
	for _, f := range schema.Query.Fields {
		if of := f.Type.Name(); strings.HasSuffix(of, "Connection") {
			fmt.Fprintf(&b, "func (r *queryResolver) %[1]s() (*model.%[2]s, error) { return &model.%[2]s{}, nil }\n", strings.ToUpper(f.Name[:1])+f.Name[1:], of)
		}
	}
	return fstest.MapFS{"schema.resolvers.go": {Data: []byte(b.String())}}
}

// writes returns an API with the mutations.
func writes() gqlexec.API {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: sdl + writing})
	api := gqlexec.API{
		Executable: func(served *ast.Schema) graphql.ExecutableSchema {
			if served == nil {
				served = schema
			}
			return bare{served}
		},
		Sources: references(schema),
		Access:  map[string]gqlexec.Access{}, Entities: ent.Entities, Query: ent.QueryEntity, Tables: migrate.Tables, SamplePrefix: "document", Accounts: accounts{},
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation} {
		for _, f := range root.Fields {
			api.Access[root.Name+"."+f.Name] = gqlexec.Access{Role: viewer.Anonymous}
		}
	}
	return api
}

// client returns a client of a server for a viewer.
func (w *world) client(api gqlexec.API, v viewer.Viewer) *gqltest.Client {
	handler := gqlexec.New(api, w.db, gqlexec.Options{Development: true}, slog.New(slog.DiscardHandler))
	return gqltest.NewHandler(w.T, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(rw, r.WithContext(viewer.NewContext(r.Context(), v)))
	}))
}

// TestTenantWrites creates, upserts and relates rows of two tenants: nothing crosses.
func TestTenantWrites(t *testing.T) {
	api := writes()
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		var tenants, keys []string
		var members []*gqltest.Client
		for _, name := range []string{"acme", "bolt"} {
			org := w.ent.Org.Create().SetName(name).SaveX(w.system)
			tenants, keys = append(tenants, org.GlobalID().String()), append(keys, org.ID.String())
			members = append(members, w.client(api, viewer.Viewer{ID: stranger.ID, Role: viewer.User, Tenant: org.ID.String(), Roles: viewer.NewRoles("BILLING")}))
		}
		acme, bolt, admin := members[0], members[1], w.client(api, viewer.System)
		nobody, clerk := w.client(api, viewer.Viewer{}), w.client(api, viewer.Viewer{ID: stranger.ID, Role: viewer.User, Tenant: keys[0]})
		const upsert = `, onConflict: {on: ORG_ID_NAME, do: UPDATE}) { created customer { name invoices { nodes { number } } } }`
		got := acme.Must(`mutation { createCustomer(input: {name: "Smith", invoices: {create: [{number: 1}]}}) { customer { id invoices { nodes { id } } } } }`, nil)
		customer, invoice := got.Text("createCustomer.customer.id"), got.Text("createCustomer.customer.invoices.nodes.0.id")
		for _, tt := range []struct {
			as           *gqltest.Client
			query, wants string // the answer, or the code and the field of the error
		}{
			{bolt, `createCustomer(input: {name: "Smith", invoices: {create: [{number: 1}]}}` + upsert, `{"createCustomer":{"created":true,"customer":{"name":"Smith","invoices":{"nodes":[{"number":1}]}}}}`},
			{acme, `createCustomer(input: {name: "Smith", invoices: {create: [{number: 2}]}}` + upsert, `{"createCustomer":{"created":false,"customer":{"name":"Smith","invoices":{"nodes":[{"number":1},{"number":2}]}}}}`},
			{admin, `createCustomer(input: {orgId: "` + tenants[0] + `", name: "Smith"}` + upsert, `{"createCustomer":{"created":false,"customer":{"name":"Smith","invoices":{"nodes":[{"number":1},{"number":2}]}}}}`},
			{admin, `createCustomer(input: {orgId: "` + tenants[1] + `", name: "Jones"}` + upsert, `{"createCustomer":{"created":true,"customer":{"name":"Jones","invoices":{"nodes":[]}}}}`},
			{admin, `createCustomer(input: {name: "Smith"}` + upsert, `BAD_USER_INPUT input.orgId`},
			{admin, `createCustomer(input: {name: "Miller"}) { created }`, `BAD_USER_INPUT input.orgId`},
			{acme, `createCustomer(input: {orgId: "` + tenants[1] + `", name: "Miller"}) { created }`, `NOT_FOUND input.orgId`},
			{bolt, `createCustomer(input: {name: "Miller", invoices: {connect: ["` + invoice + `"]}}) { created }`, `NOT_FOUND input.invoices.connect.0`},
			{bolt, `updateCustomer(id: "` + customer + `", input: {invoices: {create: [{number: 9}]}}) { customer { name } }`, `NOT_FOUND `},
			{bolt, `createCustomers(input: [{name: "a"}, {name: "Smith"}, {name: "b", invoices: {create: [{number: 1}]}}, {name: "Jones"}], onError: SKIP) { affected errors { index code field } }`,
				`{"createCustomers":{"affected":1,"errors":[{"index":1,"code":"CONFLICT","field":"input.1.name"},{"index":2,"code":"CONFLICT","field":"input.2.invoices.create.0.number"},{"index":3,"code":"CONFLICT","field":"input.3.name"}]}}`},
			// Who may change no row at all is told so, as for one row. Whose rows do not fulfil the
			// condition changes none.
			{nobody, `updateInvoices(where: {}, input: {number: 7}) { affected }`, `UNAUTHENTICATED `},
			{nobody, `deleteInvoices(where: {}) { affected }`, `UNAUTHENTICATED `},
			{clerk, `updateInvoices(where: {}, input: {number: 7}) { affected }`, `FORBIDDEN `},
			{bolt, `deleteInvoices(where: {}) { affected }`, `FORBIDDEN `},
			{bolt, `updateInvoices(where: {number: 77}, input: {number: 7}) { affected }`, `{"updateInvoices":{"affected":0}}`},
			{admin, `deleteInvoices(where: {number: 77}) { affected }`, `{"deleteInvoices":{"affected":0}}`},
		} {
			got := tt.as.Do("mutation { "+tt.query+" }", nil)
			field, _ := got.Extension("field").(string)
			if got.RawData() != tt.wants && got.Code()+" "+field != tt.wants {
				w.Errorf("%s: %s, want %s", tt.query, got, tt.wants)
			}
		}
	})
}
