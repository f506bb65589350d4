package main

import "context"

// The handlers of this file take one statement: a join of all levels, with a row for each leaf.
// Each OFFSET 0 keeps PostgreSQL from a kind of join that would not keep the order of the rows. It
// would also remember rows by their keys (Memoize), which costs more than it saves where most keys
// differ: a third of its time on W4. So the connections have enable_memoize off.

var heroesAtOnce = pagedBy(`SELECT u.id, u.username, h.id, h.name, t.name
	FROM (SELECT id, username FROM users WHERE deleted_at IS NULL PAGE ORDER BY id LIMIT 20) u
	LEFT JOIN LATERAL (SELECT id, name, team_id FROM heroes WHERE owner_id = u.id ORDER BY id LIMIT 10) h ON true
	LEFT JOIN LATERAL (SELECT name FROM teams WHERE id = h.team_id OFFSET 0) t ON true`)

// heroesAtOnce appends users, their heroes and the teams of those.
func (s shop) heroesAtOnce(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	b = append(b, `{"users":{"edges":[`...)
	user := level{end: `]}}}`}
	var heroes int // of the user
	err := heroesAtOnce.each(ctx, s.pool, v, func(c [][]byte) {
		if !user.is(c[0]) {
			b = appendID(append(user.start(b, c[0]), `{"node":{"id":`...), "user_", c[0])
			b = appendText(append(b, `,"username":`...), c[1])
			b = append(b, `,"heroes":{"edges":[`...)
			heroes = 0
		}
		if c[2] != nil {
			b = appendHero(next(b, heroes), c[2], c[3], c[4])
			heroes++
		}
	})
	return append(user.close(b), `]}}`...), err
}

var ordersAtOnce = pagedBy(`SELECT u.id, o.id, o.total_cents, i.quantity, p.name, p.price_cents
	FROM (SELECT id FROM users WHERE deleted_at IS NULL PAGE ORDER BY id LIMIT 20) u
	LEFT JOIN LATERAL (SELECT id, total_cents FROM orders WHERE user_id = u.id ORDER BY id LIMIT 5) o ON true
	LEFT JOIN LATERAL (SELECT product_id, quantity FROM order_items WHERE order_id = o.id ORDER BY id OFFSET 0) i ON true
	LEFT JOIN LATERAL (SELECT name, price_cents FROM products WHERE id = i.product_id OFFSET 0) p ON true`)

// ordersAtOnce appends users, their orders, lines and products.
func (s shop) ordersAtOnce(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	b = append(b, `{"users":{"edges":[`...)
	user, order := level{end: `]}}}`}, level{end: `]}}`}
	var lines int // of the order
	err := ordersAtOnce.each(ctx, s.pool, v, func(c [][]byte) {
		if !user.is(c[0]) {
			b = user.start(order.close(b), c[0])
			b = appendID(append(b, `{"node":{"id":`...), "user_", c[0])
			b = append(b, `,"orders":{"edges":[`...)
		}
		if c[1] != nil && !order.is(c[1]) {
			b = appendOrder(order.start(b, c[1]), c[1], c[2])
			lines = 0
		}
		if c[3] != nil {
			b = appendLine(next(b, lines), c[3], c[4], c[5])
			lines++
		}
	})
	return append(user.close(order.close(b)), `]}}`...), err
}

// level is a list whose elements have lists of their own. Its last element stays open while rows of
// it come.
type level struct {
	end  string // what closes an element
	last uuid
	n    int // elements so far
}

// is reports whether the last element has the key.
func (l *level) is(key []byte) bool { return l.n > 0 && l.last == uuid(key) }

// start closes the last element, and appends a comma if there was one.
func (l *level) start(b, key []byte) []byte {
	b = next(l.closed(b), l.n)
	l.last, l.n = uuid(key), l.n+1
	return b
}

// close closes the last element and thereby the list.
func (l *level) close(b []byte) []byte {
	b = l.closed(b)
	l.n = 0
	return b
}

func (l *level) closed(b []byte) []byte {
	if l.n > 0 {
		b = append(b, l.end...)
	}
	return b
}
