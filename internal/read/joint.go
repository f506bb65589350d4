package read

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/unit"
)

// shared is a statement that requests share, each with arguments of its own.
type shared struct {
	crowd[asking]
	joint atomic.Pointer[joint] // nil until it was needed
}

// asking is a request for a statement's rows.
type asking struct {
	*fetch
	row func([]driver.Value) error
}

// joint is the statement for several requests. It takes a list for each parameter, and the last value of a row tells whose it is, from 1.
type joint struct {
	unit.Statement
	listed []parameter // none if all requests have the same arguments: then they have the same rows
}

const (
	// How many requests, and about how many rows for all of them, a statement is run for at most.
	requestsTogether = 64
	rowsTogether     = 1024
)

// statementPatience is how long a request waits to share a statement.
var statementPatience = 50 * time.Millisecond

// most returns how many requests like this one a statement is run for at most.
func (f *fetch) most() int {
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

// mayShare reports whether the request may share a statement: there is no transaction that it would have to be a part of.
func (f *fetch) mayShare(s *statement) bool {
	return s.shared != nil && !f.Alone && !f.alone && f.unit.Mode() == unit.Single
}

// readShared runs the statement, together with others if there are, and hands its rows to row. If it returns errAlone, some of them may have been.
func (s *statement) readShared(ctx context.Context, f *fetch, row func([]driver.Value) error) error {
	start := time.Now()
	me := &sharer[asking]{request: asking{f, row}, most: f.most(), patience: statementPatience}
	read, err := s.shared.share(ctx, me, s.readFor)
	if read || err == errAlone {
		return err
	}
	return f.unit.AddCost(unit.Cost{Statements: 1, Time: time.Since(start)}, err)
}

// readFor runs the statement for a party, and hands each their rows.
func (s *statement) readFor(ctx context.Context, party []*sharer[asking]) error {
	first := party[0].request
	if len(party) == 1 {
		return first.unit.Read(ctx, first.row, s.Text, s.arguments(first.argument))
	}
	j, err := s.jointOf(ctx, first.fetch)
	if err != nil {
		return err
	}
	return first.unit.Read(ctx, func(values []driver.Value) error {
		of := party
		if len(j.listed) > 0 {
			place, err := placeAmong(len(party), values[len(values)-1])
			if err != nil {
				return err
			}
			of = party[place : place+1]
		}
		for _, m := range of {
			if m.err == nil {
				m.err = m.request.row(values)
			}
		}
		return nil
	}, j.Text, j.argumentsOf(party))
}

// jointOf returns the statement for several requests, written now or before.
func (s *statement) jointOf(ctx context.Context, f *fetch) (*joint, error) {
	if j := s.shared.joint.Load(); j != nil {
		return j, nil
	}
	j, err := f.writeJoint(ctx)
	if err == nil {
		s.shared.joint.Store(j)
	}
	return j, err
}

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
func (j *joint) argumentsOf(party []*sharer[asking]) []any {
	args := slices.Clone(j.Args)
	for _, p := range j.listed {
		list := make([]uuid.UUID, len(party))
		for i, m := range party {
			list[i] = m.request.argument(p).(uuid.UUID)
		}
		args = append(args, list)
	}
	return args
}

// list writes the n-th parameter as a list of keys. The SELECT around it hides from PostgreSQL how long the list is: it would plan anew for each that is short.
func (f *fetch) list(n int) string { return "(SELECT " + f.placeholder(n) + "::uuid[])" }
