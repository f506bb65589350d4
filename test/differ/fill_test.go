package differ

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// builders has those of two entities, as ent generates them: a customer, and an invoice whose
// edge customer is required and has no field.
type builders struct {
	Customer customers
	Invoice  invoices
}

type (
	customers struct{}
	invoices  struct{ of *[]uuid.UUID }

	creation struct{ done func() error }
	customer struct{ creation }
	invoice  struct {
		creation
		of *uuid.UUID
	}
)

func (creation) SetID(uuid.UUID) {}

func (c creation) Save(context.Context) (*struct{}, error) { return nil, c.done() }

func (customers) Create() customer { return customer{creation{func() error { return nil }}} }

func (i invoices) Create() invoice {
	of := new(uuid.UUID)
	return invoice{creation{func() error {
		if *of == uuid.Nil {
			return errors.New(`missing required edge "Invoice.customer"`)
		}
		*i.of = append(*i.of, *of)
		return nil
	}}, of}
}

func (i invoice) SetCustomerID(id uuid.UUID) { *i.of = id }

// TestFillEdgesWithoutFields stores rows that need a related row, where ent/schema has no field for
// its key.
func TestFillEdgesWithoutFields(t *testing.T) {
	t.Parallel()
	key := func(of string) []entity.Field {
		return []entity.Field{{Name: "id", Column: "id", Kind: entity.ID, Type: "uuid.UUID", Refers: of}}
	}
	entities := []*entity.Entity{
		{Name: "Invoice", Prefix: "invoice", Table: "invoices", Fields: key("Invoice"), Edges: []entity.Edge{{Name: "customer", To: "Customer", Column: "customer_invoices", OwnKey: true, Unique: true}}},
		{Name: "Customer", Prefix: "customer", Table: "customers", Fields: key("Customer"), Edges: []entity.Edge{{Name: "invoices", To: "Invoice", Column: "customer_invoices"}}},
	}
	var of []uuid.UUID
	app := App{API: gqlexec.API{Entities: entities}, Client: func(*unit.Unit) any { return &builders{Invoice: invoices{&of}} }}
	db, err := database.Open(dbtest.EmptySQLite(t), database.Options{PoolSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := FillEach(t.Context(), app, db, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(of) != 2 || of[0] != rows["Customer"][0].UUID || of[1] != rows["Customer"][1].UUID {
		t.Errorf("the invoices belong to %v, want %v", of, rows["Customer"])
	}
	if err := Fill(t.Context(), app, db, 6); err != nil {
		t.Fatal(err)
	}
	if len(of) < 3 {
		t.Error("no invoice was made at random")
	}
}
