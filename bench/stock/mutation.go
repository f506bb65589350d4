package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"forge/bench/stock/ent"
	"forge/bench/stock/ent/inventory"
	"forge/bench/stock/ent/product"
	"forge/bench/stock/ent/user"
	"forge/bench/stock/graph"
	"forge/bench/stock/uuidgql"
)

// UpdateUser changes a user. Like all mutations, it runs in the transaction of the Transactioner.
func (r *mutationResolver) UpdateUser(ctx context.Context, id uuidgql.UUID, input ent.UpdateUserInput) (*graph.UpdateUserPayload, error) {
	update := ent.FromContext(ctx).User.UpdateOneID(id).Where(user.DeletedAtIsNil()).SetInput(input).AddVersion(1)
	if input.Email != nil {
		update.SetEmailKey(strings.ToLower(*input.Email))
	}
	u, err := update.Save(ctx)
	if err != nil {
		return nil, err
	}
	return &graph.UpdateUserPayload{User: u}, nil
}

// CreateOrder takes the items from the stock, and stores the order with the current prices.
func (r *mutationResolver) CreateOrder(ctx context.Context, input graph.CreateOrderInput) (*graph.CreateOrderPayload, error) {
	client := ent.FromContext(ctx)
	exists, err := client.User.Query().Where(user.ID(input.UserID), user.DeletedAtIsNil()).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, fmt.Errorf("no user %s", input.UserID)
	}
	prices, err := takeStock(ctx, client, input.Items)
	if err != nil {
		return nil, err
	}
	var total int32
	for _, item := range input.Items {
		total += int32(item.Quantity) * prices[item.ProductID]
	}
	o, err := client.Order.Create().SetUserID(input.UserID).SetTotalCents(total).Save(ctx)
	if err != nil {
		return nil, err
	}
	err = client.OrderItem.MapCreateBulk(input.Items, func(c *ent.OrderItemCreate, i int) {
		item := input.Items[i]
		c.SetOrderID(o.ID).SetProductID(item.ProductID).SetQuantity(int32(item.Quantity)).SetUnitPriceCents(prices[item.ProductID])
	}).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return &graph.CreateOrderPayload{Order: o}, nil
}

// takeStock takes the items from the stock, and returns the prices of the products. It always locks
// in the same order, so that two orders cannot wait for each other.
func takeStock(ctx context.Context, client *ent.Client, items []*graph.CreateOrderItemInput) (map[uuidgql.UUID]int32, error) {
	items = slices.SortedFunc(slices.Values(items), func(a, b *graph.CreateOrderItemInput) int {
		return cmp.Or(bytes.Compare(a.ProductID[:], b.ProductID[:]), cmp.Compare(a.Quantity, b.Quantity))
	})
	ids := make([]uuidgql.UUID, len(items))
	for i, item := range items {
		ids[i] = item.ProductID
		n, err := client.Inventory.Update().Where(inventory.ProductID(item.ProductID), inventory.QuantityGTE(int32(item.Quantity))).
			AddQuantity(-int32(item.Quantity)).Save(ctx)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, fmt.Errorf("there are not %d pieces of the product %s", item.Quantity, item.ProductID)
		}
	}
	products, err := client.Product.Query().Where(product.IDIn(ids...)).All(ctx)
	prices := map[uuidgql.UUID]int32{}
	for _, p := range products {
		prices[p.ID] = p.PriceCents
	}
	return prices, err
}
