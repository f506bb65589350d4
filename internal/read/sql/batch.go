package sql

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/ids"
)

// Batch is a statement that serves several requests at once. Each request has its own arguments.
// For each parameter, the statement takes a list with one value for each request. The last value of
// a row is the place of the request that the row belongs to, counted from 1.
type Batch struct {
	Text    string
	Args    []any
	Columns []Parameter // the parameter of each list; empty if all requests have the same arguments
}

// PerRequest reports whether each row belongs to one request. If not, every row belongs to all
// requests.
func (b *Batch) PerRequest() bool { return len(b.Columns) > 0 }

// Batchable reports whether the statement can be written for several requests. It must read one row
// or one page, and the requests may differ only in keys. SQLite runs inside the server and gains
// nothing from a batch, so Batchable is false there.
func (q *Query) Batchable() bool {
	if q.sqlite() || q.many() || q.Node.Of != nil {
		return false
	}
	p := q.Page
	return p == nil || p.Offset == 0 && q.Where == nil && q.Search == nil && (p.After == nil && p.Before == nil || p.ByKey())
}

// WriteBatch has ent write the statement for several requests. It replaces the parameters by
// columns of lists. Interceptors and policies add their conditions as in Write.
func (q *Query) WriteBatch(ctx context.Context, w Writer) (*Batch, error) {
	of, b := *q, new(Batch)
	of.batch = b
	s, err := of.Write(ctx, w)
	if err != nil {
		return nil, err
	}
	b.Text, b.Args = s.Text, s.Args
	if len(b.Columns) == 0 {
		return b, nil
	}
	var lists, names []string
	for i := range b.Columns {
		lists = append(lists, of.list(len(b.Args)+1+i, of.form(b.Columns[i])))
		names = append(names, listColumn(i))
	}
	b.Text = "SELECT c.*, p.n FROM unnest(" + strings.Join(lists, ", ") + ") WITH ORDINALITY AS p(" + strings.Join(names, ", ") +
		", n) CROSS JOIN LATERAL (" + s.Text + ") AS c"
	return b, nil
}

func listColumn(i int) string { return "a" + strconv.Itoa(i) }

// parameter returns what stands for a parameter in the query: the parameter itself, or in a batch
// the column of its list. It adds the column to the batch if there is none yet.
func (q *Query) parameter(p Parameter) any {
	if q.batch == nil {
		return p
	}
	return sql.ExprFunc(func(b *sql.Builder) {
		i := slices.Index(q.batch.Columns, p)
		if i < 0 {
			i = len(q.batch.Columns)
			q.batch.Columns = append(q.batch.Columns, p)
		}
		b.WriteString("p." + listColumn(i))
	})
}

// Arguments returns the arguments of the batch. The function query returns the query of the request
// with the given index.
func (b *Batch) Arguments(requests int, query func(int) *Query) []any {
	args := slices.Clone(b.Args)
	for _, p := range b.Columns {
		list := make([]ids.Key, requests)
		for i := range list {
			list[i] = keyOf(query(i).Argument(p))
		}
		args = append(args, keyList(dialect.Postgres, list, query(0).form(p)))
	}
	return args
}

// list returns the n-th parameter as a list of keys. The SELECT around it hides the length of the
// list from PostgreSQL, which would otherwise make a new plan for each short list.
func (q *Query) list(n int, of ids.Form) string {
	return "(SELECT " + q.placeholder(n) + "::" + keyLists[of] + ")"
}

// form returns the form of the keys that a parameter stands for.
func (q *Query) form(p Parameter) ids.Form {
	switch p.of {
	case theViewer:
		return ids.UUID
	case theTenant:
		return ids.Form(p.index)
	case theKeys:
		return q.Form
	default:
		return q.Node.Object.Key.Form
	}
}
