package seed

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

type productRow struct {
	row
	sku, name  string
	priceCents int
	inventory  uuid.UUID
	stock      int
}

func products(n int) []productRow {
	m, parts, taken := newMaker(4), newMaker(5), names{}
	all := make([]productRow, n)
	for i := range all {
		kind := pick(m, productKinds)
		p := productRow{row: m.row(m.nth(i, n, yearStart, opening))}
		p.sku = sku(kind.prefix, i+1)
		p.name = taken.unique(pick(m, materials)+" "+kind.name, " Mk ")
		p.priceCents = m.intRange(kind.cheapest, kind.dearest)*100 - 1
		p.inventory, p.stock = parts.key(p.created), m.intRange(20, 400)
		if m.oneIn(3) {
			p.changed(m, 200*24*time.Hour)
		}
		all[i] = p
	}
	return all
}

type orderRow struct {
	row
	user       uuid.UUID
	status     string
	totalCents int
	items      []itemRow
}

type itemRow struct {
	id             uuid.UUID
	product        uuid.UUID
	quantity       int
	unitPriceCents int
}

// orders returns each orders of lines items for each buyer, oldest first.
func orders(buyers []userRow, products []productRow, each, lines int) []orderRow {
	m, parts := newMaker(6), newMaker(7)
	all := make([]orderRow, 0, len(buyers)*each)
	for _, buyer := range buyers {
		for range each {
			o := orderRow{user: buyer.id}
			o.created = m.between(later(buyer.created, opening), yearEnd)
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b orderRow) int { return a.created.Compare(b.created) })
	for i := range all {
		o := &all[i]
		o.row = m.row(o.created)
		o.fill(m, parts, products, lines)
		o.setStatus(m)
	}
	return all
}

// fill adds items with different products to the order.
func (o *orderRow) fill(m, parts *maker, products []productRow, lines int) {
	var chosen []int
	for len(chosen) < lines {
		if i := m.IntN(len(products)); !slices.Contains(chosen, i) {
			chosen = append(chosen, i)
		}
	}
	for _, i := range chosen {
		x := itemRow{parts.key(o.created), products[i].id, pick(m, []int{1, 1, 1, 2, 2, 3, 5}), products[i].priceCents}
		o.items = append(o.items, x)
		o.totalCents += x.quantity * x.unitPriceCents
	}
}

// setStatus sets the status of the order. Most orders are paid within three days, and the newest
// are still open.
func (o *orderRow) setStatus(m *maker) {
	chance := m.IntN(10)
	switch {
	case chance == 0:
		o.status = "CANCELLED"
	case chance == 1 || o.created.After(yearEnd.AddDate(0, 0, -3)):
		o.status = "PENDING"
		return
	default:
		o.status = "PAID"
	}
	o.changed(m, 3*24*time.Hour)
}

func sku(prefix string, number int) string { return fmt.Sprintf("%s-%04d", prefix, number) }
