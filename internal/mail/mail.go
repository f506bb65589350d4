// Package mail sends mails. A mail is a row that is stored with the change that it is about. Any
// server of the database takes the lease of the row, makes the mail, sends it, and removes the row.
// A server that dies in between leaves the row to another one when the lease ends. So a mail is
// sent at least once. Each attempt has the same Message-ID, so that receivers can leave out the
// second.
//
// Tokens are made when a mail is sent, so that the queue has none. See docs/adr/0026-accounts.md.
package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	entmail "forge/ent/mail"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/retry"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// MostQueued is how many mails wait in the queue at most. Put refuses those beyond.
const MostQueued = 10_000

// Queued is a mail in the queue.
type Queued struct {
	Template  string    // the name of the template
	Account   uuid.UUID // whose mail it is; zero if that is found out when it is sent
	Recipient string    // the address, or a login of which the address is found out when it is sent
	Language  string    // as Templates.Language returns it
	Data      any       // what the Composer needs, which is kept as JSON; may be nil

	Attempt int // 1 for the first; set for a Composer
	data    []byte
}

// Read reads into v what was given as Data.
func (q *Queued) Read(v any) error { return json.Unmarshal(q.data, v) }

// Letter is what a template says, and to whom.
type Letter struct {
	Account uuid.UUID // whose mail it is, if that was found out only now
	To      string
	Values  Values
}

// A Composer makes the letter of a mail that is about to be sent, such as with a new token. It
// returns nil if there is nothing to send. It works without a unit of work; see Mails.Within.
type Composer func(ctx context.Context, q *Queued) (*Letter, error)

// Options are what the mails of a database need. Times that are 0 have defaults.
type Options struct {
	DB        *database.DB
	Sender    Sender
	Templates *Templates
	From      string // an address, or a name and an address
	Log       *slog.Logger

	Lease  time.Duration // how long a server that has died keeps its mails
	Look   time.Duration // the pause between two looks at the queue
	Retry  retry.Backoff // the pauses after failures
	GiveUp time.Duration // after this time, a mail that cannot be sent is given up
	Keep   time.Duration // for how long a mail that was given up is kept
}

// Mails are the mails of a database.
type Mails struct {
	Options
	// Composers has a Composer for each template.
	Composers map[string]Composer
	// Count is called with each result: sent, failed, dead, or dropped if there was nothing to
	// send, or no room for a notice. It may be nil.
	Count func(result string)

	queued atomic.Bool   // whether this server has put mails into the queue since the last signal
	woken  chan struct{} // has a value when there may be mails
	oldest atomic.Int64  // the Unix nanoseconds at which the oldest mail was queued; 0 if there is none
}

// New returns the mails of a database. Composers must be set before they are used.
func New(o Options) *Mails {
	for _, t := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&o.Lease, time.Minute}, {&o.Look, time.Second}, {&o.GiveUp, 3 * 24 * time.Hour}, {&o.Keep, 30 * 24 * time.Hour}} {
		if *t.value == 0 {
			*t.value = t.usual
		}
	}
	if o.Retry == (retry.Backoff{}) {
		o.Retry = retry.Backoff{First: 5 * time.Second, Max: time.Hour, Jitter: 0.5}
	}
	return &Mails{Options: o, Composers: map[string]Composer{}, woken: make(chan struct{}, 1)}
}

// Put puts a mail into the queue. It will be sent if the unit of work of ctx commits. If the queue
// is full, the error is UNAVAILABLE.
func (m *Mails) Put(ctx context.Context, q Queued) error {
	u := unit.FromContext(ctx)
	now, err := u.Now(ctx)
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	full, err := ent.FromUnit(ctx).Mail.Query().Where(entmail.FailedAtIsNil()).Offset(MostQueued - 1).Limit(1).IDs(system(ctx))
	switch {
	case err != nil:
		return fmt.Errorf("look for room in the queue of mails: %w", err)
	case len(full) > 0:
		return errFull
	}
	data, err := json.Marshal(q.Data)
	if err != nil {
		return fmt.Errorf("keep the data of a mail: %w", err)
	}
	row := ent.FromUnit(ctx).Mail.Create().SetTemplate(q.Template).SetRecipient(q.Recipient).SetLanguage(q.Language).
		SetData(string(data)).SetCreatedAt(now).SetDueAt(now)
	if q.Account != uuid.Nil {
		row.SetUserID(q.Account)
	}
	if err := row.Exec(system(ctx)); err != nil {
		return fmt.Errorf("queue a mail: %w", err)
	}
	m.queued.Store(true)
	return nil
}

var errFull = &apperr.Error{Code: apperr.CodeUnavailable, Message: "too many mails wait to be sent; try again later"}

// PutNotice is Put for a mail that only tells of what is done. If the queue is full, the mail is
// dropped, and what it would tell of is done all the same.
func (m *Mails) PutNotice(ctx context.Context, q Queued) error {
	err := m.Put(ctx, q)
	if !errors.Is(err, errFull) {
		return err
	}
	m.Log.WarnContext(ctx, "a mail was dropped, because too many wait to be sent", "template", q.Template, "account", q.Account)
	m.count("dropped")
	return nil
}

// Language returns the language of the templates that the client of the operation of ctx likes
// best.
func (m *Mails) Language(ctx context.Context) string {
	if !graphql.HasOperationContext(ctx) {
		return m.Templates.Language("")
	}
	return m.Templates.Language(graphql.GetOperationContext(ctx).Headers.Get("Accept-Language"))
}

// Wrote tells that this server has committed a change. If it has put mails into the queue, they are
// sent at once.
func (m *Mails) Wrote() {
	if m != nil && m.queued.CompareAndSwap(true, false) {
		select {
		case m.woken <- struct{}{}:
		default:
		}
	}
}

// Age returns how long ago the oldest mail was queued that waits to be sent, as of the last look.
// It is 0 if there is none.
func (m *Mails) Age() time.Duration {
	if at := m.oldest.Load(); at != 0 {
		return time.Since(time.Unix(0, at))
	}
	return 0
}

// Within calls f in a unit of work of its own, as the system, and commits it.
func (m *Mails) Within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	u := unit.New(m.DB, unit.Write)
	defer u.Rollback()
	if err := f(system(unit.NewContext(ctx, u))); err != nil {
		return err
	}
	return u.Commit(ctx)
}

// Expired removes mails that were given up long before the time now, and returns how many. It is an
// expiry.Some.
func (m *Mails) Expired(ctx context.Context, now time.Time) (int, error) {
	old, err := ent.FromUnit(ctx).Mail.Query().Where(entmail.FailedAtLT(now.Add(-m.Keep)), skipLocked).Limit(1000).IDs(ctx)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return ent.FromUnit(ctx).Mail.Delete().Where(entmail.IDIn(old...)).Exec(ctx)
}

func (m *Mails) count(result string) {
	if m.Count != nil {
		m.Count(result)
	}
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }
