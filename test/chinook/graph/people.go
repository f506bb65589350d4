package graph

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"
	"github.com/vikstrous/dataloadgen"

	"forge/internal/ids"
	"forge/internal/loader"
	"forge/test/chinook/ent"
	"forge/test/chinook/ent/employee"
	"forge/test/chinook/ent/invoice"
	"forge/test/chinook/graph/model"
)

// loaders are the dataloaders of one operation.
type loaders struct {
	spent *dataloadgen.Loader[int, *decimal.Decimal]
}

func loadersOf(ctx context.Context) *loaders {
	return loader.Of(ctx, func() *loaders { return &loaders{spent: loader.New(spent)} })
}

// keyOf returns the key in the ID of a row.
func keyOf(id ids.ID) int {
	n, _ := id.Int() // the engine makes the IDs, so this is a number
	return int(n)
}

// spent returns what customers have spent. SQLite has no sums of decimal numbers, so the sums are
// made here.
func spent(ctx context.Context, customers []int) (map[int]*decimal.Decimal, error) {
	found, err := ent.FromUnit(ctx).Invoice.Query().Where(invoice.CustomerIDIn(customers...)).
		Select(invoice.FieldCustomerID, invoice.FieldTotal).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the invoices of %d customers: %w", len(customers), err)
	}
	sums := map[int]*decimal.Decimal{}
	for _, key := range customers {
		sums[key] = &decimal.Decimal{}
	}
	for _, v := range found {
		*sums[v.CustomerID] = sums[v.CustomerID].Add(v.Total)
	}
	return sums, nil
}

// superiors returns those above each employee, the nearest first.
func superiors(ctx context.Context, db *ent.Client, of []*model.Employee) ([][]*model.Employee, error) {
	all, err := db.Employee.Query().Select(employee.FieldID, employee.FieldReportsToID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read who reports to whom: %w", err)
	}
	byID := map[int]*ent.Employee{}
	for _, e := range all {
		byID[e.ID] = e
	}
	lists := make([][]*model.Employee, len(of))
	for i, e := range of {
		at := byID[keyOf(e.ID)]
		for at.ReportsToID != nil && len(lists[i]) < len(all) {
			at = byID[*at.ReportsToID]
			lists[i] = append(lists[i], &model.Employee{ID: at.GlobalID()})
		}
	}
	return lists, nil
}
