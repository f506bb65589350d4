package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
)

// keys are the IDs of all users and products. Requests use some of them at random.
type keys struct {
	users    []userKey
	products []string
}

type userKey struct{ id, cursor string }

func (k *keys) anyUser(r *rand.Rand) userKey { return k.users[r.IntN(len(k.users))] }

// readKeys reads the IDs of all users and products, page by page.
func readKeys(ctx context.Context, s *server) (*keys, error) {
	var k keys
	err := each(ctx, s, "users", func(e edge) { k.users = append(k.users, userKey{e.Node.ID, e.Cursor}) })
	if err != nil {
		return nil, err
	}
	err = each(ctx, s, "products", func(e edge) { k.products = append(k.products, e.Node.ID) })
	return &k, err
}

type edge struct {
	Cursor string
	Node   struct{ ID string }
}

// each calls do for each edge of a connection, page by page.
func each(ctx context.Context, s *server, connection string, do func(edge)) error {
	c, err := dial(s, "/graphql")
	if err != nil {
		return err
	}
	defer c.Close()
	for after := "null"; ctx.Err() == nil; {
		answer, err := c.post(fmt.Appendf(nil, `{"query":"query($after: Cursor) { page: %s(first: 100, after: $after) { edges { cursor node { id } } } }","variables":{"after":%s}}`,
			connection, after))
		if err != nil {
			return err
		}
		var page struct {
			Data struct{ Page struct{ Edges []edge } }
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return err
		}
		for _, e := range page.Data.Page.Edges {
			do(e)
		}
		if len(page.Data.Page.Edges) < 100 {
			return nil
		}
		after = `"` + page.Data.Page.Edges[99].Cursor + `"`
	}
	return ctx.Err()
}

// fillStock sets the stock of all products so high that it lasts for hours of orders.
func fillStock(ctx context.Context, s *server, k *keys) error {
	c, err := dial(s, "/graphql")
	if err != nil {
		return err
	}
	defer c.Close()
	// The number of products is five times the scale.
	for five := range slices.Chunk(k.products, 5) {
		variables, err := json.Marshal(map[string]string{"a": five[0], "b": five[1], "c": five[2], "d": five[3], "e": five[4]})
		if err != nil {
			return err
		}
		body := fmt.Appendf(nil, `{"query":"%s","variables":%s}`, addToStock, variables)
		if _, err := c.post(body); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

const addToStock = `mutation($a: ID!, $b: ID!, $c: ID!, $d: ID!, $e: ID!) {` +
	` a: adjustStock(productId: $a, delta: 1000000000) { product { id } }` +
	` b: adjustStock(productId: $b, delta: 1000000000) { product { id } }` +
	` c: adjustStock(productId: $c, delta: 1000000000) { product { id } }` +
	` d: adjustStock(productId: $d, delta: 1000000000) { product { id } }` +
	` e: adjustStock(productId: $e, delta: 1000000000) { product { id } } }`
