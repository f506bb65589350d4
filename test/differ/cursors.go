package differ

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/cursorcipher"
	"forge/internal/entity"
	"forge/test/gqltest"
)

// find returns the row with the cursor, or nil. The row may be one that the viewer does not see: it
// is but a place in the order. Its related rows are those that whoever got the cursor sees.
func (c *contents) find(name string, order ordering, cursor string) *row {
	for _, of := range []*contents{c, c.all} {
		for _, r := range of.rows[name] {
			if own := of.cursor(r, order); own == cursor && own != "" {
				return r
			}
		}
	}
	return nil
}

// cursor returns the cursor of a row. Where the order is by columns of few kinds, it is made here;
// for others, the engine is asked for it: what a cursor holds is nothing that clients rely on. It
// has none, "", for a row that a search does not find.
func (c *contents) cursor(r *row, order ordering) string {
	engine, by := c.all.cursors, false
	for _, of := range order {
		term := c.termOf(r.entity, of)
		if term.edge != nil {
			engine = c.cursors // another viewer sees other related rows
		}
		by = by || !slices.Contains([]entity.Kind{entity.Int, entity.BigInt, entity.String, entity.Time, entity.Enum}, term.kind())
	}
	if by {
		return engine.of(r, order)
	}
	return c.makeCursor(r, order)
}

// cursors are those that the engine gives to all rows, by their orders.
type cursors struct {
	engine *gqltest.Client
	root   map[string]string // the field of Query with all rows of an entity
	mu     sync.Mutex
	known  map[string]map[string]string // by the order, and by the rows' IDs
}

func (c *cursors) of(r *row, order ordering) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := r.entity.Name
	var argument string
	if order.has(relevance) {
		argument = ", search: " + jsonOf(strings.Join(order[0].words, " "))
	}
	key := name + jsonOf(order) + argument
	if c.known[key] == nil {
		got := c.engine.Send(context.Background(), "query($order: ["+name+"Order!]) { all: "+c.root[name]+"(first: 100, orderBy: $order"+argument+") { edges { cursor node { id } } } }",
			map[string]any{"order": order})
		c.known[key] = map[string]string{}
		for i := range got.Len("all.edges") {
			edge := fmt.Sprintf("all.edges.%d.", i)
			c.known[key][got.Text(edge+"node.id")] = got.Text(edge + "cursor")
		}
	}
	return c.known[key][r.id.String()]
}

// newCursors returns cursors that no order is known of.
func newCursors(schema *ast.Schema, engine *gqltest.Client) *cursors {
	c := &cursors{engine: engine, root: map[string]string{}, known: map[string]map[string]string{}}
	for _, f := range schema.Query.Fields {
		c.root[strings.TrimSuffix(f.Type.Name(), "Connection")] = f.Name
	}
	return c
}

// makeCursor returns the cursor of a row. It holds each term's value after the value's length, and
// the key, and is encrypted for the order.
func (c *contents) makeCursor(r *row, order ordering) string {
	print, desc := r.entity.Name, false
	var values []byte
	for i, by := range order {
		if order[:i].has(by.Field) {
			continue
		}
		desc = by.Direction == "DESC"
		term := c.termOf(r.entity, by)
		print += "|" + term.print()
		if by.Collation != nil {
			print += "~" + *by.Collation
		}
		print += strconv.FormatBool(desc || term.fits)
		value := term.value(r)
		text := fmt.Sprint(value)
		switch v := value.(type) {
		case nil:
			values = append(values, 0)
			continue
		case time.Time:
			text = v.Format(time.RFC3339Nano)
		}
		values = append(binary.AppendUvarint(values, uint64(len(text))+1), text...)
	}
	print += "|id" + strconv.FormatBool(desc)
	key := []byte(fmt.Sprint(r.key))
	if of, ok := r.key.(uuid.UUID); ok {
		key = of[:]
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(print))
	return string(cursorcipher.New(nil).Append(nil, h.Sum32(), append(values, key...)))
}

// print returns how the order that a cursor is encrypted for names the term.
func (t term) print() string {
	switch {
	case t.fits:
		return "#"
	case t.edge == nil:
		return t.column.Column
	case t.column == nil:
		return t.edge.Name + "#"
	}
	return t.edge.Name + "." + t.column.Column
}
