package graph

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"forge/graph/model"
	"forge/internal/entity"
	"forge/internal/read"
	"forge/internal/unit"
)

// placingOrder does the work of takeOrder in one statement of PostgreSQL. It stores the order if
// the user and all products exist and there is enough stock. Otherwise it stores nothing. Like
// takeOrder, it adds up the lines with the same product, and locks the stock in the order of the
// products' keys.
//
// The new quantities are computed from the locked rows of stock. They must not be computed from the
// rows that UPDATE reads: these may be older than the lock, and lack goods that have come back
// since. The table's CHECK would then refuse an order although there is enough stock.
//
// The defaults of an order are written here as well as in ent/schema. TestOrderInOneStatement
// compares them.
const placingOrder = `
	WITH line AS MATERIALIZED (
		SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::integer[]) AS l (id, product_id, quantity)
	), need AS (
		SELECT product_id, sum(quantity) AS quantity FROM line GROUP BY product_id
	), stock AS MATERIALIZED (
		SELECT i.product_id, i.quantity, p.price_cents
		FROM inventories i JOIN products p ON p.id = i.product_id
		WHERE i.product_id = ANY ($4) ORDER BY i.product_id FOR UPDATE OF i
	), buyer AS MATERIALIZED (
		SELECT id FROM users WHERE id = $2 AND deleted_at IS NULL FOR SHARE
	), sale AS MATERIALIZED (
		SELECT buyer.id AS user_id, (SELECT sum(l.quantity * s.price_cents::bigint) FROM line l JOIN stock s USING (product_id)) AS total
		FROM buyer
		WHERE NOT EXISTS (
			SELECT FROM need LEFT JOIN stock s USING (product_id) WHERE s.quantity IS NULL OR s.quantity < need.quantity)
	), placed AS MATERIALIZED (
		SELECT * FROM sale WHERE total <= 2147483647
	), taken AS (
		UPDATE inventories i SET quantity = s.quantity - need.quantity
		FROM placed, need JOIN stock s USING (product_id) WHERE i.product_id = need.product_id
	), lines AS (
		INSERT INTO order_items (id, order_id, product_id, quantity, unit_price_cents)
		SELECT l.id, $1, l.product_id, l.quantity, s.price_cents FROM placed, line l JOIN stock s USING (product_id)
	)
	INSERT INTO orders (id, user_id, total_cents, status, version, created_at, updated_at)
	SELECT $1, user_id, total, 'PENDING', 1, $6, $6 FROM placed`

// placeOrder stores the order and returns its key. It returns uuid.Nil if the statement stored
// nothing.
func placeOrder(ctx context.Context, u *unit.Unit, in model.CreateOrderInput) (uuid.UUID, error) {
	lines, products, quantities := make([]uuid.UUID, len(in.Items)), make([]uuid.UUID, len(in.Items)), make([]int32, len(in.Items))
	for i, item := range in.Items {
		// Lines sort by their keys, so the keys are made in the order of the input.
		lines[i], products[i], quantities[i] = entity.NewID(), item.ProductID.UUID, item.Quantity
	}
	id := entity.NewID()
	n, err := u.Exec(read.WithFinalWrite(ctx), placingOrder, id, in.UserID.Value().UUID, lines, products, pq.Array(quantities), time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return uuid.Nil, fmt.Errorf("place an order of %d lines: %w", len(lines), err)
	}
	if n == 0 {
		return uuid.Nil, nil
	}
	return id, nil
}
