package mail

import (
	"context"
	"errors"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	entmail "forge/ent/mail"
	"forge/internal/database"
	"forge/internal/expiry"
	"forge/internal/unit"
)

const (
	// roundTime bounds the time of a unit of work. Without it, a connection that has fallen silent
	// would end the sending for good.
	roundTime = 30 * time.Second
	// atOnce is how many mails a server takes, and sends at the same time.
	atOnce = 8
)

// skipLocked leaves out rows that another server holds.
var skipLocked = expiry.SkipLocked

// Run sends mails until ctx ends. If the database is lost, it tries again.
func (m *Mails) Run(ctx context.Context) {
	failed := false
	for ctx.Err() == nil {
		n, err := m.round(ctx)
		if err != nil && !failed && ctx.Err() == nil && !database.ReadOnly(err) {
			m.Log.WarnContext(ctx, "the queue of mails cannot be read, retrying", "error", database.RedactError(err))
		}
		failed = err != nil
		if n < atOnce {
			m.wait(ctx)
		}
	}
}

func (m *Mails) wait(ctx context.Context) {
	timer := time.NewTimer(m.Look)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-m.woken:
	}
}

// round takes mails that are due, and sends them. It returns how many it has taken.
func (m *Mails) round(ctx context.Context) (int, error) {
	due, err := m.due(ctx)
	if err != nil || !due {
		return 0, err
	}
	rows, err := m.lease(ctx)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	for _, row := range rows {
		all.Go(func() { m.handle(ctx, row) })
	}
	all.Wait()
	return len(rows), nil
}

// due reports whether there may be a mail to send. It writes nothing, so it locks nothing. It also
// looks how old the oldest mail is.
func (m *Mails) due(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	u := unit.New(m.DB, unit.Snapshot)
	defer u.Rollback()
	ctx = system(unit.NewContext(ctx, u))
	waiting := ent.FromUnit(ctx).Mail.Query().Where(entmail.FailedAtIsNil())
	oldest, err := waiting.Clone().Order(ent.Asc(entmail.FieldCreatedAt)).Select(entmail.FieldCreatedAt).First(ctx)
	if ent.IsNotFound(err) {
		m.oldest.Store(0)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	m.oldest.Store(oldest.CreatedAt.UnixNano())
	now, err := u.Now(ctx)
	if err != nil {
		return false, err
	}
	return waiting.Where(entmail.DueAtLTE(now)).Exist(ctx)
}

// lease takes mails that are due for this server.
func (m *Mails) lease(ctx context.Context) (rows []*ent.Mail, err error) {
	err = m.Within(ctx, func(ctx context.Context) error {
		now, err := unit.FromContext(ctx).Now(ctx)
		if err != nil {
			return err
		}
		free := entmail.Or(entmail.LeasedUntilIsNil(), entmail.LeasedUntilLTE(now))
		rows, err = ent.FromUnit(ctx).Mail.Query().Where(entmail.FailedAtIsNil(), entmail.DueAtLTE(now), free, skipLocked).
			Order(ent.Asc(entmail.FieldDueAt)).Limit(atOnce).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		lease, taken := uuid.New(), []uuid.UUID{}
		for _, row := range rows {
			row.Lease, taken = &lease, append(taken, row.ID)
		}
		return ent.FromUnit(ctx).Mail.Update().Where(entmail.IDIn(taken...)).SetLease(lease).SetLeasedUntil(now.Add(m.Lease)).Exec(ctx)
	})
	return rows, err
}

// handle sends a mail that this server has leased, and removes it.
func (m *Mails) handle(ctx context.Context, row *ent.Mail) {
	result, err := "sent", m.send(ctx, row)
	switch {
	case errors.Is(err, errNothing):
		result = "dropped"
	case err != nil && ctx.Err() != nil: // the server ends, and does not know what has become of it
		m.kept(ctx, row, m.keep(ctx, row, (*ent.MailUpdate).ClearLease, (*ent.MailUpdate).ClearLeasedUntil))
		return
	case err != nil:
		m.failed(ctx, row, err)
		return
	}
	m.kept(ctx, row, m.Within(context.WithoutCancel(ctx), func(ctx context.Context) error {
		_, err := ent.FromUnit(ctx).Mail.Delete().Where(entmail.ID(row.ID), entmail.Lease(*row.Lease)).Exec(ctx)
		return err
	}))
	m.count(result)
}

// errNothing means that a Composer has found nothing to send.
var errNothing = errors.New("there is nothing to send")

// send makes a mail and sends it. It ends before the lease does.
func (m *Mails) send(ctx context.Context, row *ent.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, m.Lease*3/4)
	defer cancel()
	compose := m.Composers[row.Template]
	if compose == nil {
		return Rejected{errors.New("no part of this server makes mails of the template " + row.Template)}
	}
	q := Queued{Template: row.Template, Recipient: row.Recipient, Language: row.Language, Attempt: int(row.Failures) + 1, data: []byte(row.Data)}
	if row.UserID != nil {
		q.Account = *row.UserID
	}
	letter, err := compose(ctx, &q)
	switch {
	case err != nil:
		return errors.New("the mail cannot be made: " + database.RedactError(err))
	case letter == nil:
		return errNothing
	case letter.Account != uuid.Nil:
		row.UserID = &letter.Account
	}
	message, err := m.Templates.Render(row.Template, row.Language, letter.Values)
	if err != nil {
		return err
	}
	message.ID, message.From, message.To, message.Template = row.GlobalID().String(), m.From, letter.To, row.Template
	return m.Sender.Send(ctx, message)
}

// failed has a mail tried again later, or gives it up.
func (m *Mails) failed(ctx context.Context, row *ent.Mail, cause error) {
	_, rejected := errors.AsType[Rejected](cause)
	dead := false
	err := m.keepAt(ctx, row, func(update *ent.MailUpdate, now time.Time) {
		dead = rejected || now.Sub(row.CreatedAt) >= m.GiveUp
		update.ClearLease().ClearLeasedUntil().SetFailures(row.Failures + 1).SetLastError(cause.Error()).
			SetDueAt(now.Add(m.Retry.Pause(int(row.Failures) + 1)))
		if row.UserID != nil { // it goes with its account
			update.Modify(func(u *sql.UpdateBuilder) { u.Set(entmail.FieldUserID, *row.UserID) })
		}
		if dead {
			update.SetFailedAt(now)
		}
	})
	m.kept(ctx, row, err)
	switch id := row.GlobalID().String(); {
	case dead:
		m.count("dead")
		m.Log.ErrorContext(ctx, "a mail is given up", "mail", id, "template", row.Template, "error", cause)
	default:
		m.count("failed")
		if row.Failures == 0 {
			m.Log.WarnContext(ctx, "a mail cannot be sent, retrying", "mail", id, "template", row.Template, "error", cause)
		}
	}
}

// keep changes a mail that this server has leased.
func (m *Mails) keep(ctx context.Context, row *ent.Mail, changes ...func(*ent.MailUpdate) *ent.MailUpdate) error {
	return m.keepAt(ctx, row, func(update *ent.MailUpdate, _ time.Time) {
		for _, change := range changes {
			change(update)
		}
	})
}

// keepAt changes a mail that this server has leased. It goes on when ctx ends. If the lease is not
// this server's any more, nothing changes.
func (m *Mails) keepAt(ctx context.Context, row *ent.Mail, change func(update *ent.MailUpdate, now time.Time)) error {
	return m.Within(context.WithoutCancel(ctx), func(ctx context.Context) error {
		now, err := unit.FromContext(ctx).Now(ctx)
		if err != nil {
			return err
		}
		update := ent.FromUnit(ctx).Mail.Update().Where(entmail.ID(row.ID), entmail.Lease(*row.Lease))
		change(update, now)
		return update.Exec(ctx)
	})
}

// kept logs that the outcome of an attempt could not be stored. The mail is sent again then.
func (m *Mails) kept(ctx context.Context, row *ent.Mail, err error) {
	if err != nil {
		m.Log.WarnContext(ctx, "the outcome of a mail is not stored, so it is tried again", "mail", row.GlobalID().String(), "error", database.RedactError(err))
	}
}
