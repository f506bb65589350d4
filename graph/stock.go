package graph

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/inventory"
	"forge/ent/product"
	"forge/internal/apperr"
)

// codeInsufficientStock is an error code of this application, not of the framework.
const codeInsufficientStock apperr.Code = "INSUFFICIENT_STOCK"

// insufficientStock returns an INSUFFICIENT_STOCK error about the argument at the path field. It
// contains the available quantity of the product.
func insufficientStock(field string, id fmt.Stringer, available int32) *apperr.Error {
	e := apperr.New(codeInsufficientStock, field, "there are only %d of %s", available, id)
	e.More = map[string]any{"productId": id.String(), "available": available}
	return e
}

// goods are the price and the stock of a product.
type goods struct {
	ID         uuid.UUID `sql:"id"`
	PriceCents int32     `sql:"price_cents"`
	Quantity   int32     `sql:"quantity"`
}

// lockStock reads the stock of products, and locks it until the unit of work ends. It locks in the
// order of the products' keys, so that two callers cannot wait for each other.
func lockStock(ctx context.Context, db *ent.Client, products ...uuid.UUID) (map[uuid.UUID]goods, error) {
	var rows []goods
	err := db.Product.Query().Where(product.IDIn(products...)).Modify(func(s *sql.Selector) {
		stock := sql.Table(inventory.Table).As("stock")
		s.Join(stock).On(s.C(product.FieldID), stock.C(inventory.FieldProductID))
		s.Select(s.C(product.FieldID), s.C(product.FieldPriceCents), stock.C(inventory.FieldQuantity))
		s.OrderBy(s.C(product.FieldID))
		// On SQLite, the unit of work has locked the whole database.
		if s.Dialect() == dialect.Postgres {
			s.ForUpdate(sql.WithLockTables("stock"))
		}
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("lock the stock of %d products: %w", len(products), err)
	}
	found := make(map[uuid.UUID]goods, len(rows))
	for _, g := range rows {
		found[g.ID] = g
	}
	return found, nil
}

// move is a change of a product's stock.
type move struct {
	product uuid.UUID
	by      int64
}

// moveStock changes the stock of products in one statement. Each product may have only one move.
// The caller has locked the stock and checked that there is enough.
func moveStock(ctx context.Context, db *ent.Client, moves []move) error {
	if len(moves) == 0 {
		return nil
	}
	products := make([]uuid.UUID, len(moves))
	for i, m := range moves {
		products[i] = m.product
	}
	n, err := db.Inventory.Update().Where(inventory.ProductIDIn(products...)).Modify(func(u *sql.UpdateBuilder) {
		u.Set(inventory.FieldQuantity, sql.ExprFunc(func(b *sql.Builder) { quantityAfter(b, moves) }))
	}).Save(ctx)
	if err != nil {
		return fmt.Errorf("move the stock of %d products: %w", len(moves), err)
	}
	if n != len(moves) {
		return fmt.Errorf("moved the stock of %d products instead of %d", n, len(moves))
	}
	return nil
}

// quantityAfter writes the expression for the new quantity: quantity + CASE product_id WHEN … THEN
// … END.
func quantityAfter(b *sql.Builder, moves []move) {
	b.Ident(inventory.FieldQuantity).WriteString(" + CASE ").Ident(inventory.FieldProductID)
	for _, m := range moves {
		// Without the CAST, PostgreSQL would take the parameter for text.
		b.WriteString(" WHEN ").Arg(m.product).WriteString(" THEN CAST(").Arg(m.by).WriteString(" AS integer)")
	}
	b.WriteString(" END")
}

// shared locks the rows of a query, so that nobody can change or delete them before the unit of
// work ends. A user is deleted by a change of the row. SQLite has only one writer at a time, and no
// such lock.
func shared(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.ForShare(sql.WithLockClause("FOR SHARE"))
	}
}
