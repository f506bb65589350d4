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

// rowsRequest is a request for the rows of a statement. If another request runs the statement for
// both, it calls row with each row.
type rowsRequest struct {
	fetch *fetch
	row   func([]driver.Value) error
}

const (
	// maxBatch is how many requests a shared statement serves at most. With large pages
	// it serves fewer, so that all requests together read about maxBatchRows.
	maxBatch     = 64
	maxBatchRows = 1024

	// batchPatience is how long a request waits for a shared run of its statement to begin.
	batchPatience = 50 * time.Millisecond
)

// CommonFailure reports whether the failure of a shared run is an answer to every request that
// shares it. It is one if no connection to the database was available. For any other failure, each
// request tries by itself.
func CommonFailure(err error) bool {
	f, ok := errors.AsType[*apperr.Error](err)
	return ok && f.Code == apperr.CodeUnavailable
}

// runShared runs the statement, perhaps together with other requests, and calls row for each row of
// this one. If it returns coalesce.ErrNotShared, it may have called row for some rows already.
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

// runFor runs the statement once for a batch of requests, and hands each request its rows.
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
	err = u.Read(ctx, func(values []driver.Value) error {
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
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeTooComplex {
		return coalesce.ErrNotShared // together they cost too much, and by itself perhaps none does
	}
	return err
}

// batch returns the form of the statement that serves several requests. It has ent write this form
// at the first call.
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
