package graph

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/orderitem"
	"forge/ent/user"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// orderLines is the largest number of lines in an order.
const orderLines = 100

// createOrder takes the goods of an order from the stock, and stores the order with the present
// prices. It returns the order's key. If the input does not name the buyer, it is the viewer.
//
// On PostgreSQL, one statement does all of this. If the statement stores nothing, it does not say
// why. Then takeOrder does the same step by step, and finds the reason.
func createOrder(ctx context.Context, db *ent.Client, in model.CreateOrderInput) (uuid.UUID, error) {
	if id, _ := in.UserID.ValueOK(); id == nil && viewer.FromContext(ctx).ID != uuid.Nil {
		in.UserID = graphql.OmittableOf(&ids.ID{Prefix: "user", UUID: viewer.FromContext(ctx).ID})
	}
	needs, err := checkOrder(in)
	if err != nil {
		return uuid.Nil, err
	}
	buyer := *in.UserID.Value()
	if err := order.Policy.EvalMutation(ctx, db.Order.Create().SetUserID(buyer.UUID).Mutation()); err != nil {
		return uuid.Nil, err
	}
	if v := viewer.FromContext(ctx); v.Stranger && v.ID == buyer.UUID {
		return uuid.Nil, input.NoRowOfViewer()
	}
	ctx = viewer.NewContext(ctx, viewer.System) // viewers may not change the stock themselves
	if u := unit.FromContext(ctx); u.Dialect() == dialect.Postgres {
		id, err := placeOrder(ctx, u, in)
		if err != nil || id != uuid.Nil {
			return id, err
		}
	}
	return takeOrder(ctx, db, in, needs)
}

// takeOrder does the work of createOrder step by step. If the order cannot be stored, the error
// tells the client why.
func takeOrder(ctx context.Context, db *ent.Client, in model.CreateOrderInput, needs []move) (uuid.UUID, error) {
	exists, err := db.User.Query().Where(user.ID(in.UserID.Value().UUID), shared).Exist(ctx)
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for the user of an order: %w", err)
	}
	if !exists {
		return uuid.Nil, input.Missing(ctx, "input.userId", *in.UserID.Value())
	}
	stock, err := lockStock(ctx, db, productsOf(needs)...)
	if err != nil {
		return uuid.Nil, err
	}
	if err := suffices(ctx, stock, in.Items); err != nil {
		return uuid.Nil, err
	}
	total, err := totalCents(stock, in.Items)
	if err != nil {
		return uuid.Nil, err
	}
	if err := moveStock(ctx, db, negated(needs)); err != nil {
		return uuid.Nil, err
	}
	return insertOrder(ctx, db, in, stock, total)
}

// checkOrder checks the input. It returns the quantity of each product, in the order of the input.
func checkOrder(in model.CreateOrderInput) ([]move, error) {
	f := input.Form{Path: "input"}
	if id, _ := in.UserID.ValueOK(); id != nil {
		f.ID("userId", *id, "user")
	} else {
		f.Refuse("userId", "must say who places the order, since nobody has signed in")
	}
	if n := len(in.Items); n < 1 || n > orderLines {
		f.Refuse("items", "has %d lines; 1 to %d are allowed", n, orderLines)
	}
	var needs []move
	places := map[uuid.UUID]int{}
	for i, item := range in.Items {
		line := "items." + strconv.Itoa(i) + "."
		f.ID(line+"productId", item.ProductID, "product")
		f.AtLeast(line+"quantity", item.Quantity, 1)
		place, ok := places[item.ProductID.UUID]
		if !ok {
			place = len(needs)
			places[item.ProductID.UUID] = place
			needs = append(needs, move{product: item.ProductID.UUID})
		}
		needs[place].by += int64(item.Quantity)
		if needs[place].by > math.MaxInt32 {
			f.Refuse(line+"quantity", "takes the quantity of %s past %d", item.ProductID, math.MaxInt32)
		}
	}
	if f.Err() != nil {
		return nil, f.Err()
	}
	return needs, nil
}

func productsOf(moves []move) []uuid.UUID {
	list := make([]uuid.UUID, len(moves))
	for i, m := range moves {
		list[i] = m.product
	}
	return list
}

func negated(moves []move) []move {
	list := make([]move, len(moves))
	for i, m := range moves {
		list[i] = move{m.product, -m.by}
	}
	return list
}

// suffices returns NOT_FOUND about each line whose product does not exist. If all exist, it returns
// INSUFFICIENT_STOCK about each line for which too little is left by the lines before it, or nil.
func suffices(ctx context.Context, stock map[uuid.UUID]goods, items []*model.CreateOrderItemInput) error {
	var missing, lacking apperr.Errors
	taken := map[uuid.UUID]int64{}
	for i, item := range items {
		line := "input.items." + strconv.Itoa(i)
		there, ok := stock[item.ProductID.UUID]
		if !ok {
			missing.Add(input.Missing(ctx, line+".productId", item.ProductID))
			continue
		}
		taken[there.ID] += int64(item.Quantity)
		if taken[there.ID] > int64(there.Quantity) {
			lacking.Add(insufficientStock(line+".quantity", item.ProductID, there.Quantity))
		}
	}
	if missing.Len() > 0 {
		return missing.Err()
	}
	return lacking.Err()
}

func totalCents(stock map[uuid.UUID]goods, items []*model.CreateOrderItemInput) (int32, error) {
	var total int64
	for _, item := range items {
		total += int64(item.Quantity) * int64(stock[item.ProductID.UUID].PriceCents)
		if total > math.MaxInt32 {
			return 0, apperr.BadInput("input.items", "items cost more than %d cents in all, which is the most that an order can", math.MaxInt32)
		}
	}
	return int32(total), nil
}

func insertOrder(ctx context.Context, db *ent.Client, in model.CreateOrderInput, stock map[uuid.UUID]goods, total int32) (uuid.UUID, error) {
	o, err := db.Order.Create().SetUserID(in.UserID.Value().UUID).SetTotalCents(total).Save(read.WithReturning(ctx))
	if err != nil {
		return uuid.Nil, fmt.Errorf("create an order: %w", err)
	}
	rows := make([]*ent.OrderItemCreate, len(in.Items))
	for i, item := range in.Items {
		rows[i] = db.OrderItem.Create().
			// Lines sort by their keys, so the keys are made in the order of the input.
			SetID(entity.NewID()).
			SetOrderID(o.ID).
			SetProductID(item.ProductID.UUID).
			SetQuantity(item.Quantity).
			SetUnitPriceCents(stock[item.ProductID.UUID].PriceCents)
	}
	if err := db.OrderItem.CreateBulk(rows...).Exec(ctx); err != nil {
		return uuid.Nil, fmt.Errorf("create %d lines of %s: %w", len(rows), o.GlobalID(), err)
	}
	return o.ID, nil
}

// endOrder gives a pending order its last status. The statement does so only if the order is
// pending, so that an order is paid or cancelled once. Otherwise endOrder returns the reason.
func endOrder(ctx context.Context, db *ent.Client, t input.Target, status order.Status) error {
	if err := input.WantPrefix("id", t.ID, "order"); err != nil {
		return err
	}
	n, err := db.Order.Update().Where(t.Is, order.StatusEQ(order.StatusPENDING)).SetStatus(status).Save(ctx)
	if err != nil {
		return fmt.Errorf("make %s %s: %w", t.ID, status, err)
	}
	if n == 0 {
		return notPending(ctx, db, t, status)
	}
	return nil
}

// cancelOrder cancels an order and returns its goods to the stock.
func cancelOrder(ctx context.Context, db *ent.Client, t input.Target) error {
	if err := endOrder(ctx, db, t, order.StatusCANCELLED); err != nil {
		return err
	}
	ctx = viewer.NewContext(ctx, viewer.System) // viewers may not change the stock themselves
	items, err := db.OrderItem.Query().Where(orderitem.OrderID(t.ID.UUID)).All(ctx)
	if err != nil {
		return fmt.Errorf("read the lines of %s: %w", t.ID, err)
	}
	return giveBack(ctx, db, items)
}

// notPending returns the reason why an order did not get a status.
func notPending(ctx context.Context, db *ent.Client, t input.Target, status order.Status) error {
	var o *ent.Order
	err := t.Check(ctx, func(ctx context.Context) ([]int, error) {
		found, err := db.Order.Query().Where(order.ID(t.ID.UUID)).All(ctx)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		o = found[0]
		return []int{o.Version}, nil
	})
	if err != nil {
		return err
	}
	return apperr.Conflict("id", "%s is %s; only a pending order can be %s", t.ID, o.Status, strings.ToLower(status.String()))
}

// giveBack returns the goods of an order to the stock.
func giveBack(ctx context.Context, db *ent.Client, items []*ent.OrderItem) error {
	moves := returned(items)
	stock, err := lockStock(ctx, db, productsOf(moves)...)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if there := stock[m.product].Quantity; int64(there)+m.by > math.MaxInt32 {
			return apperr.Conflict("id", "the stock of %s is %d and cannot take %d back",
				ids.ID{Prefix: "product", UUID: m.product}, there, m.by)
		}
	}
	return moveStock(ctx, db, moves)
}

// returned returns the sum of the quantities for each product in the lines of an order.
func returned(items []*ent.OrderItem) []move {
	sums := map[uuid.UUID]int64{}
	for _, item := range items {
		sums[item.ProductID] += int64(item.Quantity)
	}
	moves := make([]move, 0, len(sums))
	for product, by := range sums {
		moves = append(moves, move{product, by})
	}
	return moves
}

// target returns the row with an ID. If version is not nil, the row must have that version.
func target(id ids.ID, version *int32) input.Target {
	return input.Target{ID: id, Expected: version}
}
