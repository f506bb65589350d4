package session

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"forge/ent"
	entsignin "forge/ent/signin"
	"forge/internal/clientip"
	"forge/internal/database"
	"forge/internal/expiry"
	"forge/internal/unit"
)

// These bound the log of sign-ins.
const (
	// mostSignIns is how many sign-ins are kept for an account, and as many failures. So failures,
	// which anybody can cause, do not remove what has succeeded.
	mostSignIns = 50
	// keepSignIns is how long an entry is kept.
	keepSignIns = 90 * 24 * time.Hour
	// failuresAnHour is how many failures of an account one server logs in an hour.
	failuresAnHour = 20
	// mostWaiting is how many failures wait to be stored. Those beyond are not logged.
	mostWaiting = 256
	// mostFailing is how many accounts failuresAnHour is counted for. The least recently used one
	// is forgotten first.
	mostFailing = 4096
	// logPause is the time between two looks at the failures that wait.
	logPause = time.Second
)

// failures are failures to sign in that wait to be stored. They are stored in the background. If
// that were a part of the request, its time would tell whether there is such an account.
type failures struct {
	waiting chan *ent.SignIn
	mu      sync.Mutex
	counts  *simplelru.LRU[uuid.UUID, *failureCount]
}

// failureCount says how many failures of an account were logged since a time.
type failureCount struct {
	since time.Time
	n     int
}

func newFailures() *failures {
	counts, err := simplelru.NewLRU[uuid.UUID, *failureCount](mostFailing, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &failures{waiting: make(chan *ent.SignIn, mostWaiting), counts: counts}
}

// admit reports whether one more failure of an account may be logged now.
func (f *failures) admit(account uuid.UUID, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.counts.Get(account)
	if !ok || now.Sub(c.since) >= time.Hour {
		c = &failureCount{since: now}
		f.counts.Add(account, c)
	}
	c.n++
	return c.n <= failuresAnHour
}

// Failed logs that somebody has failed to sign in to an account by a method. It stores nothing
// itself, so that it takes the same time for any account; see KeepLog. Of too many failures, it
// logs only some.
func (s *Sessions) Failed(ctx context.Context, account uuid.UUID, method Method) {
	now := time.Now()
	if !s.failures.admit(account, now) {
		return
	}
	select {
	case s.failures.waiting <- s.entry(ctx, account, method, now):
	default:
	}
}

// entry returns an entry of the log for a failure.
func (s *Sessions) entry(ctx context.Context, account uuid.UUID, method Method, at time.Time) *ent.SignIn {
	return &ent.SignIn{UserID: account, Method: string(method), Address: s.address(ctx), Client: clientip.UserAgent(ctx), CreatedAt: at}
}

// succeeded logs that an account's session has begun, in the unit of work of ctx.
func (s *Sessions) succeeded(ctx context.Context, account uuid.UUID, method Method, at time.Time) error {
	e := s.entry(ctx, account, method, at)
	e.Succeeded = true
	return store(ctx, e)
}

// store stores an entry of the log, and removes the oldest of its kind beyond mostSignIns.
func store(ctx context.Context, e *ent.SignIn) error {
	log := ent.FromUnit(ctx).SignIn
	err := log.Create().SetUserID(e.UserID).SetMethod(e.Method).SetSucceeded(e.Succeeded).SetAddress(e.Address).
		SetClient(e.Client).SetCreatedAt(e.CreatedAt).Exec(system(ctx))
	if err != nil {
		return fmt.Errorf("log a sign-in: %w", err)
	}
	_, err = log.Delete().Where(entsignin.UserID(e.UserID), entsignin.Succeeded(e.Succeeded), func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Table(entsignin.Table).As("other")
		newest := sql.Dialect(s.Dialect()).Select(t.C(entsignin.FieldID)).From(t).
			Where(sql.And(sql.EQ(t.C(entsignin.FieldUserID), e.UserID), sql.EQ(t.C(entsignin.FieldSucceeded), e.Succeeded))).
			OrderBy(sql.Desc(t.C(entsignin.FieldCreatedAt)), sql.Desc(t.C(entsignin.FieldID))).Limit(mostSignIns)
		s.Where(sql.NotIn(s.C(entsignin.FieldID), newest))
	}).Exec(system(ctx))
	if err != nil {
		return fmt.Errorf("remove the oldest sign-ins of a user: %w", err)
	}
	return nil
}

// KeepLog stores the failures to sign in, some every second, until ctx ends. Then it stores those
// that wait. It does nothing if s is nil.
func (s *Sessions) KeepLog(ctx context.Context, log *slog.Logger) {
	if s == nil {
		return
	}
	tick := time.NewTicker(logPause)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
		if err := s.StoreFailures(context.WithoutCancel(ctx)); err != nil {
			log.WarnContext(ctx, "failures to sign in were not logged", "error", database.RedactError(err))
		}
	}
}

// storeTime is how long StoreFailures takes at most.
const storeTime = 5 * time.Second

// StoreFailures stores the failures that wait, each in a unit of work of its own. After an error,
// it drops the others, so that they do not pile up while the database is away.
func (s *Sessions) StoreFailures(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	var failed error
	for range len(s.failures.waiting) {
		e := <-s.failures.waiting
		if failed == nil {
			failed = s.storeFailure(ctx, e)
		}
	}
	return failed
}

// storeFailure stores a failure unless its account is gone or deleted. It is stored with the time
// of the database's clock.
func (s *Sessions) storeFailure(ctx context.Context, e *ent.SignIn) error {
	u := unit.New(s.db, unit.Write)
	defer u.Rollback()
	ctx = unit.NewContext(ctx, u)
	if a, err := lock(ctx, s.accounts, e.UserID); a == nil || err != nil {
		return err
	}
	if a, err := s.accounts.Find(system(ctx), e.UserID); a == nil || err != nil {
		return err // it was deleted, and perhaps erased, after the failure
	}
	now, err := u.Now(ctx)
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	e.CreatedAt = now.Add(-time.Since(e.CreatedAt)).Truncate(time.Microsecond)
	if err := store(ctx, e); err != nil {
		return err
	}
	return u.Commit(ctx)
}

// SignIns returns the newest entries of the log for each account, up to first, the newest first. It
// takes one statement.
func SignIns(ctx context.Context, accounts []uuid.UUID, first int) (map[uuid.UUID][]*ent.SignIn, error) {
	found, err := ent.FromUnit(ctx).SignIn.Query().Where(entsignin.UserIDIn(accounts...)).
		Order(ent.Desc(entsignin.FieldCreatedAt, entsignin.FieldID)).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("read the sign-ins of %d accounts: %w", len(accounts), err)
	}
	lists := make(map[uuid.UUID][]*ent.SignIn, len(accounts))
	for _, e := range found {
		if of := lists[e.UserID]; len(of) < first {
			lists[e.UserID] = append(of, e)
		}
	}
	return lists, nil
}

// ExpiredSignIns removes entries of the log that are older than 90 days, and returns how many. It
// is an expiry.Some.
func ExpiredSignIns(ctx context.Context, now time.Time) (int, error) {
	db := ent.FromUnit(ctx)
	expired, err := db.SignIn.Query().Where(entsignin.CreatedAtLT(now.Add(-keepSignIns)), expiry.SkipLocked).
		Order(ent.Asc(entsignin.FieldCreatedAt)).Limit(expiry.Limit).IDs(ctx)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	return db.SignIn.Delete().Where(entsignin.IDIn(expired...)).Exec(ctx)
}
