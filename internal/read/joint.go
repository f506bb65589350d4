package read

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/unit"
)

// joint is a statement that is run for several requests at once. It takes a list for each of their parameters, and the last value of a row tells whose it is,
// from 1.
type joint struct {
	unit.Statement
	listed []parameter // none if all requests have the same arguments: then they have the same rows
}

// How many requests, and about how many rows for all of them, a statement is run for at most.
const (
	requestsTogether = 64
	rowsTogether     = 1024
)

// together returns how many requests like this one a statement is run for at most.
func (f *fetch) together() int {
	if f.page == nil {
		return requestsTogether
	}
	return min(requestsTogether, rowsTogether/max(1, f.page.limit()))
}

// sharable reports whether the statement can be written for several requests: it reads one row or page, and what differs is keys. SQLite has nothing
// to gain, as it runs within the server.
func (f *fetch) sharable() bool {
	if f.sqlite() || f.many() || f.counts() {
		return false
	}
	p := f.page
	return p == nil || p.offset == 0 && p.where == nil && (p.after == nil && p.before == nil || p.byKey())
}

// byKey reports whether the page is of a list that is in the order of its keys, so that its cursors are keys.
func (p *page) byKey() bool { return len(p.order) == 1 && p.order[0].kind == entity.ID }

// writeJoint has ent write the statement again, with columns of the lists in the place of parameters, so that interceptors and policies hold here as well.
func (f *fetch) writeJoint(ctx context.Context) (*joint, error) {
	of, j := *f, new(joint)
	of.joint = j
	s, err := of.write(ctx)
	if err != nil {
		return nil, err
	}
	j.Statement = s.Statement
	if len(j.listed) == 0 {
		return j, nil
	}
	var lists, names []string
	for i := range j.listed {
		lists = append(lists, of.list(len(j.Args)+1+i))
		names = append(names, listColumn(i))
	}
	j.Text = "SELECT c.*, p.n FROM unnest(" + strings.Join(lists, ", ") + ") WITH ORDINALITY AS p(" + strings.Join(names, ", ") +
		", n) CROSS JOIN LATERAL (" + s.Text + ") AS c"
	return j, nil
}

func listColumn(i int) string { return "a" + strconv.Itoa(i) }

// parameter returns what stands for p where the statement is written: p itself, or in one for several requests the column of its list, which there is
// once it is written.
func (f *fetch) parameter(p parameter) any {
	if f.joint == nil {
		return p
	}
	return sql.ExprFunc(func(b *sql.Builder) {
		i := slices.Index(f.joint.listed, p)
		if i < 0 {
			i = len(f.joint.listed)
			f.joint.listed = append(f.joint.listed, p)
		}
		b.WriteString("p." + listColumn(i))
	})
}

// argumentsOf returns the arguments for a party.
func (j *joint) argumentsOf(party []*sharer) []any {
	args := slices.Clone(j.Args)
	for _, p := range j.listed {
		list := make([]uuid.UUID, len(party))
		for i, m := range party {
			list[i] = m.argument(p).(uuid.UUID)
		}
		args = append(args, list)
	}
	return args
}

// list writes the n-th parameter as a list of keys. The SELECT around it hides from PostgreSQL how long the list is: it would plan anew for each that is short.
func (f *fetch) list(n int) string { return "(SELECT " + f.placeholder(n) + "::uuid[])" }
