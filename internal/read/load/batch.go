package load

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"forge/internal/apperr"
	"forge/internal/coalesce"
	"forge/internal/read/sql"
	"forge/internal/unit"
)

// rowsRequest asks the leader of a batch for the rows of a statement.
type rowsRequest struct {
	fetch *fetch
	row   func([]driver.Value) error
}

const (
	// How many requests, and about how many rows for all of them, a statement is run for at most.
	maxBatch     = 64
	maxBatchRows = 1024

	// batchPatience is how long a request waits to share a statement.
	batchPatience = 50 * time.Millisecond
)

// CommonFailure reports whether the failure of a shared run is that of all who share it. That no
// connection was free is true for everybody.
func CommonFailure(err error) bool {
	f, ok := errors.AsType[*apperr.Error](err)
	return ok && f.Code == apperr.CodeUnavailable
}

// runShared runs the statement, together with others if there are, and hands its rows to row. If it
// returns coalesce.ErrNotShared, some of them may have been handed over.
func (f *fetch) runShared(ctx context.Context, s *statement, row func([]driver.Value) error) error {
	start := time.Now()
	o := coalesce.Options{MaxBatch: maxBatch, Patience: s.shared.patience, Common: CommonFailure}
	if f.query.Page != nil {
		o.MaxBatch = min(maxBatch, maxBatchRows/max(1, f.query.Page.Limit))
	}
	led, err := s.shared.group.Do(ctx, rowsRequest{f, row}, o, s.runFor)
	if led || err == coalesce.ErrNotShared {
		return err
	}
	return f.loading.Request.Unit.AddCost(unit.Cost{Statements: 1, Time: time.Since(start)}, err)
}

// runFor runs the statement for a batch, and hands each request its rows.
func (s *statement) runFor(ctx context.Context, batch []*coalesce.Waiter[rowsRequest]) error {
	first := batch[0].Request
	u := first.fetch.loading.Request.Unit
	if len(batch) == 1 {
		return u.Read(ctx, first.row, s.Text, s.Arguments(first.fetch.query.Argument))
	}
	b, err := s.batch(ctx, first.fetch)
	if err != nil {
		return err
	}
	return u.Read(ctx, func(values []driver.Value) error {
		of := batch
		if b.PerRequest() {
			place, err := place(len(batch), values, len(values)-1)
			if err != nil {
				return err
			}
			of = batch[place : place+1]
		}
		for _, w := range of {
			if w.Err == nil {
				w.Err = w.Request.row(values)
			}
		}
		return nil
	}, b.Text, b.Arguments(len(batch), func(i int) *sql.Query { return &batch[i].Request.fetch.query }))
}

// batch returns the statement for several requests, written now or before.
func (s *statement) batch(ctx context.Context, f *fetch) (*sql.Batch, error) {
	if b := s.shared.batch.Load(); b != nil {
		return b, nil
	}
	b, err := f.query.WriteBatch(ctx, f.loading.Request.Writer)
	if err == nil {
		s.shared.batch.Store(b)
	}
	return b, err
}
