package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"
)

func (s shop) updateUser(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	b = append(b, `{"updateUser":{"user":`...)
	empty := len(b)
	err := each(ctx, s.pool, func(c [][]byte) { b = appendUser(b, c) },
		`UPDATE users SET email = $2::text, email_key = lower($2::text), version = version + 1, updated_at = now()
		WHERE id = $1 AND deleted_at IS NULL RETURNING id, username, email`, v.ID, v.Email)
	if err == nil && len(b) == empty {
		err = errors.New("there is no such user")
	}
	return append(b, `}}`...), err
}

// placeOrder stores an order. It stores nothing if the user does not exist, or if there is not
// enough of a product. It locks the stock in the order of the products, so that two orders cannot
// wait for each other.
const placeOrder = `
	WITH item AS (
		SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::int[]) AS i (id, product_id, quantity)
	), stock AS MATERIALIZED (
		SELECT s.product_id, s.quantity, p.price_cents FROM inventories s JOIN products p ON p.id = s.product_id
		WHERE s.product_id = ANY ($4) ORDER BY s.product_id FOR UPDATE OF s
	), line AS MATERIALIZED (
		SELECT i.*, s.price_cents FROM item i JOIN stock s ON s.product_id = i.product_id AND s.quantity >= i.quantity
	), placed AS (
		INSERT INTO orders (id, user_id, total_cents, created_at, updated_at)
		SELECT $1, u.id, l.total, now(), now()
		FROM users u, (SELECT sum(quantity * price_cents) AS total, count(*) AS n FROM line) l
		WHERE u.id = $2 AND u.deleted_at IS NULL AND l.n = cardinality($3::uuid[])
		RETURNING id, total_cents
	), taken AS (
		UPDATE inventories s SET quantity = s.quantity - line.quantity FROM line, placed WHERE s.product_id = line.product_id
	), lines AS (
		INSERT INTO order_items (id, order_id, product_id, quantity, unit_price_cents)
		SELECT line.id, placed.id, line.product_id, line.quantity, line.price_cents FROM line, placed
	)
	SELECT total_cents FROM placed`

func (s shop) createOrder(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	n := len(v.Input.Items)
	lines, products, quantities := make([]uuid, n), make([]uuid, n), make([]int32, n)
	seen := make(map[uuid]bool, n)
	for i, item := range v.Input.Items {
		if seen[item.ProductID] || item.Quantity < 1 {
			return b, errors.New("each product stands in one line, with a quantity of 1 or more")
		}
		seen[item.ProductID] = true
		lines[i], products[i], quantities[i] = newUUID(uint16(i+1)), item.ProductID, item.Quantity
	}
	order := newUUID(0)
	b = appendID(append(b, `{"createOrder":{"order":{"id":`...), "order_", order[:])
	b = append(b, `,"totalCents":`...)
	empty := len(b)
	err := each(ctx, s.pool, func(c [][]byte) { b = appendInt(b, c[0]) }, placeOrder, order, v.Input.UserID, lines, products, quantities)
	if err == nil && len(b) == empty {
		err = errors.New("there is no such user, or not enough of a product")
	}
	return append(b, `}}}`...), err
}

// newUUID returns a UUID of version 7. UUIDs of the same millisecond sort by nr, which may be up to
// 4095.
func newUUID(nr uint16) (u uuid) {
	binary.BigEndian.PutUint64(u[:8], uint64(time.Now().UnixMilli())<<16|7<<12|uint64(nr))
	binary.BigEndian.PutUint64(u[8:], 1<<63|rand.Uint64()>>2)
	return u
}
