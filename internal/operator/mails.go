package operator

import (
	"context"
	"time"
)

// Mails are the mails that were not sent.
type Mails struct {
	Waiting  int32
	OldestAt *time.Time // of those that wait
	GivenUp  int32
	Newest   []Mail // of those that were given up, the last one first
}

// Mail is a mail that was given up. To whom it was to go is not told.
type Mail struct {
	Template  string
	CreatedAt time.Time
	FailedAt  time.Time
	Failures  int32
	LastError *string
}

// mostMails is how many mails that were given up are told.
const mostMails = 50

func (o *Operator) readMails(ctx context.Context) (*Mails, error) {
	db, m := o.options.Monitor, &Mails{Newest: []Mail{}}
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM mails WHERE failed_at IS NULL").Scan(&m.Waiting)
	if err == nil && m.Waiting > 0 {
		m.OldestAt = new(time.Time)
		err = db.QueryRowContext(ctx, "SELECT created_at FROM mails WHERE failed_at IS NULL ORDER BY created_at LIMIT 1").Scan(m.OldestAt)
	}
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM mails WHERE failed_at IS NOT NULL").Scan(&m.GivenUp)
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT template, created_at, failed_at, failures, last_error FROM mails WHERE failed_at IS NOT NULL ORDER BY failed_at DESC LIMIT $1", mostMails)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one Mail
		if err := rows.Scan(&one.Template, &one.CreatedAt, &one.FailedAt, &one.Failures, &one.LastError); err != nil {
			return nil, err
		}
		m.Newest = append(m.Newest, one)
	}
	return m, rows.Err()
}

// Mails returns the mails that were not sent. It returns UNAVAILABLE if the database does not
// answer.
func (s *Server) Mails(ctx context.Context) (*Mails, error) {
	m, err := s.operator.mails.get(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return m, nil
}
