package main

import (
	"bytes"
	"context"
)

// order, line and product hold rows until all levels have been read. parent is the index of the row
// in the level above, from 1.
type order struct {
	parent int
	id     uuid
	total  [4]byte
}

type line struct {
	parent   int
	product  uuid
	quantity [4]byte
}

type product struct {
	name  []byte
	price [4]byte
}

var buyers = pagedBy(`SELECT id FROM users WHERE deleted_at IS NULL PAGE ORDER BY id LIMIT 20`)

// orders appends users with their orders, lines and products. It reads each level with one
// statement.
func (s shop) orders(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return b, err
	}
	defer conn.Release()
	users := make([]uuid, 0, 20)
	err = buyers.each(ctx, conn, v, func(c [][]byte) { users = append(users, uuid(c[0])) })
	if err != nil {
		return b, err
	}
	orders, keys := make([]order, 0, 100), make([]uuid, 0, 100)
	err = each(ctx, conn, func(c [][]byte) {
		keys = append(keys, uuid(c[1]))
		orders = append(orders, order{place(c[0]), uuid(c[1]), [4]byte(c[2])})
	}, `SELECT parent.nr, o.id, o.total_cents FROM unnest($1::uuid[]) WITH ORDINALITY AS parent (id, nr)
		CROSS JOIN LATERAL (SELECT id, total_cents FROM orders WHERE user_id = parent.id ORDER BY id LIMIT 5) o`, users)
	if err != nil {
		return b, err
	}
	lines, products := make([]line, 0, 300), make(map[uuid]product, 300)
	err = each(ctx, conn, func(c [][]byte) {
		products[uuid(c[1])] = product{}
		lines = append(lines, line{place(c[0]), uuid(c[1]), [4]byte(c[2])})
	}, `SELECT parent.nr, i.product_id, i.quantity FROM unnest($1::uuid[]) WITH ORDINALITY AS parent (id, nr)
		CROSS JOIN LATERAL (SELECT product_id, quantity FROM order_items WHERE order_id = parent.id ORDER BY id) i`, keys)
	if err != nil {
		return b, err
	}
	keys = keys[:0]
	for key := range products {
		keys = append(keys, key)
	}
	err = each(ctx, conn, func(c [][]byte) { products[uuid(c[0])] = product{bytes.Clone(c[1]), [4]byte(c[2])} },
		`SELECT id, name, price_cents FROM products WHERE id = ANY ($1)`, keys)
	if err != nil {
		return b, err
	}
	b = append(b, `{"users":{"edges":[`...)
	seen := 0 // the number of orders that were appended
	for i, user := range users {
		b = appendID(append(next(b, i), `{"node":{"id":`...), "user_", user[:])
		b = append(b, `,"orders":{"edges":[`...)
		for j := 0; seen < len(orders) && orders[seen].parent == i+1; j++ {
			b = appendOrder(next(b, j), orders[seen].id[:], orders[seen].total[:])
			seen++
			for k := 0; len(lines) > 0 && lines[0].parent == seen; k++ {
				p := products[lines[0].product]
				b = appendLine(next(b, k), lines[0].quantity[:], p.name, p.price[:])
				lines = lines[1:]
			}
			b = append(b, `]}}`...)
		}
		b = append(b, `]}}}`...)
	}
	return append(b, `]}}`...), nil
}

// appendOrder appends the JSON of an order, up to the beginning of the list of its lines.
func appendOrder(b, id, total []byte) []byte {
	b = appendID(append(b, `{"node":{"id":`...), "order_", id)
	b = appendInt(append(b, `,"totalCents":`...), total)
	return append(b, `,"items":[`...)
}

func appendLine(b, quantity, name, price []byte) []byte {
	b = appendInt(append(b, `{"quantity":`...), quantity)
	b = appendText(append(b, `,"product":{"name":`...), name)
	b = appendInt(append(b, `,"priceCents":`...), price)
	return append(b, `}}`...)
}
