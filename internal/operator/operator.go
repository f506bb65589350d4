// Package operator tells administrators what a server and its database are doing: health,
// migrations, activity, times of operations, refusals and mails. Nothing of it holds a value that
// was sent or stored.
package operator

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/health"
	"forge/internal/metrics"
	"forge/internal/migrator"
	"forge/internal/replica"
)

// Options are the parts of a server that are looked at.
type Options struct {
	Version    string
	DB         *database.DB // the pool of the requests
	Monitor    *database.DB // the pool that is asked, so that it need not wait for requests
	Migrations migrator.Source
	Replicas   *replica.Set // nil if there are none
	Metrics    *metrics.Metrics
}

// Operator looks at a server. However many ask, at most one look of a kind runs at a time, and its
// result is used for a while.
type Operator struct {
	options    Options
	started    time.Time
	migrations look[*migrator.Report]
	activity   look[*Activity]
	mails      look[*Mails]
}

const (
	lookTime  = 2 * time.Second // the time of one look
	freshTime = time.Second     // for which its result is used
)

// New returns what looks at a server that starts now.
func New(o Options) *Operator {
	op := &Operator{options: o, started: time.Now()}
	op.migrations.do = func(ctx context.Context) (*migrator.Report, error) { return o.Migrations.Status(ctx, o.Monitor.DB) }
	op.activity.do = op.readActivity
	op.mails.do = op.readMails
	return op
}

// Server returns the server as the API shows it. It returns FORBIDDEN if there is nothing to look
// at, because the receiver is nil.
func (o *Operator) Server() (*Server, error) {
	if o == nil {
		return nil, apperr.Forbidden("", "this server tells nothing about itself")
	}
	return &Server{operator: o, Version: o.options.Version, StartedAt: o.started}, nil
}

// Server is a server as the API shows it. Its methods look at it.
type Server struct {
	operator  *Operator
	Version   string
	StartedAt time.Time
}

// look shares the result of a function among those who ask at about the same time.
type look[T any] struct {
	do func(context.Context) (T, error)

	mu    sync.Mutex // held while do runs
	at    time.Time  // when it ended last
	value T
	err   error
}

// get returns the result of a look that is fresh, or of a new one. An error tells no values, and
// may be shown.
func (l *look[T]) get(ctx context.Context) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.at) > freshTime {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime) // others wait for it as well
		defer cancel()
		l.value, l.err = l.do(ctx)
		l.at = time.Now()
	}
	return l.value, l.err
}

// Health says whether a server can answer.
type Health struct {
	Ready            bool
	Reason           *string
	Writable         bool
	Database         string
	RequestsInFlight int32
	Connections      Pool
	Replicas         []Replica
}

// Pool is the use of the connections to a database.
type Pool struct{ Most, Open, InUse, Waited int32 }

// Replica is a replica that queries are read from.
type Replica struct {
	Name       string
	Usable     bool
	Reason     *string
	LagSeconds *float64
	Reads      int32
}

// Health returns whether the server can answer. It does not fail: a database that does not answer
// is the reason why it cannot.
func (s *Server) Health(ctx context.Context) (*Health, error) {
	o := s.operator.options
	h := &Health{Database: o.DB.Dialect, RequestsInFlight: int32(o.Metrics.InFlight.Load()), Connections: poolOf(o.DB.Stats()), Replicas: replicasOf(o.Replicas)}
	report, err := s.operator.migrations.get(ctx)
	if err == nil {
		err = report.Err()
	}
	if h.Ready = err == nil; !h.Ready {
		h.Reason = new(health.Reason(err))
	}
	if state, err := o.DB.Watcher.Last(); err == nil {
		h.Writable = state.Writable
	}
	return h, nil
}

func poolOf(s sql.DBStats) Pool {
	return Pool{Most: int32(s.MaxOpenConnections), Open: int32(s.OpenConnections), InUse: int32(s.InUse), Waited: int32(s.WaitCount)}
}

func replicasOf(set *replica.Set) []Replica {
	all := []Replica{}
	if set == nil {
		return all
	}
	hosts, _ := set.Status()
	for _, h := range hosts {
		if !h.Replica {
			continue
		}
		r := Replica{Name: h.Name, Usable: h.Reason == "", Reads: int32(h.Reads)}
		if h.Reason != "" {
			r.Reason = &h.Reason
		}
		if h.Known {
			r.LagSeconds = new(h.Lag.Seconds())
		}
		all = append(all, r)
	}
	return all
}

// Migrations are the versions of a database, and what of its schema is not as they left it.
type Migrations struct {
	Applied     []Migration
	Pending     []string
	Problem     *string
	Drift       []string
	NotCompared *string
}

// Migration is a version that a database has.
type Migration struct {
	Name      string
	AppliedAt time.Time
	Changed   bool
}

// Migrations compares the database with the migrations of the server. It returns UNAVAILABLE if the
// database does not answer.
func (s *Server) Migrations(ctx context.Context) (*Migrations, error) {
	report, err := s.operator.migrations.get(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	m := &Migrations{Applied: []Migration{}, Pending: []string{}, Drift: append([]string{}, report.Drift.Lines...)}
	for _, v := range report.Versions {
		if v.AppliedAt.IsZero() {
			m.Pending = append(m.Pending, v.Version.String())
			continue
		}
		m.Applied = append(m.Applied, Migration{v.Version.String(), v.AppliedAt, v.Checksum == migrator.ChecksumChanged})
	}
	if err := report.Err(); err != nil {
		m.Problem = new(health.Reason(err))
	}
	if report.Drift.NotCompared != "" {
		m.NotCompared = &report.Drift.NotCompared
	}
	return m, nil
}

func unavailable(err error) error {
	e := apperr.New(apperr.CodeUnavailable, "", "the database does not answer")
	e.Cause = err
	return e
}

// Refusals is how many requests a limit has refused.
type Refusals struct {
	Limit string
	Count float64
}

// Refusals returns how many requests each limit has refused since the server started, those that
// have refused any, the most first.
func (s *Server) Refusals() []Refusals {
	all := []Refusals{}
	for _, r := range s.operator.options.Metrics.Refusals() {
		all = append(all, Refusals{string(r.Limit), r.Count})
	}
	return all
}

// Operations returns the times of operations by their names, since the server started: those first
// whose slowest hundredth took the longest.
func (s *Server) Operations(first int32) ([]metrics.OperationTimes, error) {
	if first < 0 || first > 100 {
		return nil, apperr.BadInput("first", "first is %d; it must be from 0 to 100", first)
	}
	all := s.operator.options.Metrics.Operations()
	return all[:min(len(all), int(first))], nil
}

// Activity returns what the database is doing. It returns UNAVAILABLE if it does not answer.
func (s *Server) Activity(ctx context.Context) (*Activity, error) {
	a, err := s.operator.activity.get(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return a, nil
}
