// Package server puts a server together from an application and its settings, and runs it.
package server

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"

	"forge/internal/application"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/httpserver"
	"forge/internal/session"
	"forge/internal/settings"
	"forge/internal/telemetry"
	"forge/internal/tracing"
)

// A Server serves an application with its settings.
type Server struct {
	*settings.Settings
	app     application.Application
	environ []string
	out     io.Writer
	log     *slog.Logger
}

// New returns a server that has not begun. environ is what os.Environ returns; out gets the lines for
// whoever starts the server.
func New(app application.Application, s *settings.Settings, environ []string, out io.Writer, log *slog.Logger) *Server {
	return &Server{s, app, environ, out, log}
}

// Run serves until ctx ends. It returns an error, and touches no database, if the application cannot
// be answered rightly, a setting is wrong, or the address is taken.
func (s *Server) Run(ctx context.Context) error {
	// The reader of the log may end before the server, which then goes on without it.
	signal.Ignore(syscall.SIGPIPE)
	if err := s.app.API(application.Services{}).Check(); err != nil {
		return err
	}
	if err := s.MayServe(); err != nil {
		return err
	}
	documents, err := s.Documents()
	if err != nil {
		return err
	}
	identity, err := s.identity(ctx)
	if err != nil {
		return err
	}
	if s.Open() {
		s.log.WarnContext(ctx, "whoever can connect is an administrator: AUTH is off, and the address is not loopback; "+
			"something in front must decide who may connect", "addr", s.Addr)
	}
	// The address comes before the database: a second server that is started by mistake must not
	// touch it.
	l, err := httpserver.Listen(s.Addr)
	if err != nil {
		return fmt.Errorf("%s=%q: %w", s.NameOf("ADDR"), s.Addr, err)
	}
	defer l.Close()
	pools, err := s.pools(ctx)
	if err != nil {
		return err
	}
	defer pools.Close()
	filled, err := s.prepare(ctx, pools.Requests)
	if err != nil {
		return err
	}
	accounts, err := s.demoAccounts(ctx, pools.Requests, identity)
	if err != nil {
		return err
	}
	revocations := s.revocations(ctx, pools.Monitor)
	parts := s.Parts(ctx, pools, documents, revocations, identity)
	// This comes after Parts, which has the metrics of the database's pools.
	defer s.background(ctx, pools, identity, revocations)()
	if s.Traces.Endpoint != "" {
		traces, err := tracing.Start(ctx, s.Traces, s.log)
		if err != nil {
			return err
		}
		defer traces.Stop()
		parts.Tracer = telemetry.NewTracer(traces, pools.Requests.Dialect)
	}
	if s.Playground {
		parts.Playground = s.app.Playground(s.Auth, accounts)
	}
	s.welcome(httpserver.URL(l), filled, accounts)
	s.notifySystemd("READY=1")
	defer context.AfterFunc(ctx, func() { s.notifySystemd("STOPPING=1") })()
	return httpserver.Serve(identity.requests(ctx), l, httpserver.Routes(parts), s.Connection, s.log, s.ShutdownDelay)
}

// Pools are the connections of a server to its database.
type Pools struct {
	Requests *database.DB
	Monitor  *database.DB // for other work, so that requests cannot hold it up
}

// Close closes both pools.
func (p Pools) Close() {
	p.Monitor.Close()
	p.Requests.Close()
}

// pools opens the database of the settings. If its file is replaced later, the log says so.
func (s *Server) pools(ctx context.Context) (Pools, error) {
	db, err := bootstrap.Open(ctx, s.Settings)
	if err != nil {
		return Pools{}, err
	}
	db.WatchFile(
		func(ctx context.Context, other *sql.DB) error { return s.app.Migrator(db.Dialect).Check(ctx, other) },
		func(err error) { s.logFile(ctx, err) })
	monitor, err := db.MonitorPool()
	if err != nil {
		db.Close()
		return Pools{}, err
	}
	return Pools{db, monitor}, nil
}

// logFile logs that the file of a SQLite database is missing, or is there again.
func (s *Server) logFile(ctx context.Context, err error) {
	if err != nil {
		s.log.ErrorContext(ctx, "nothing is read or written until the file of the database is back", "error", err)
		return
	}
	s.log.InfoContext(ctx, "the file of the database is in use again")
}

// prepare brings the schema up to date and fills an empty database, each if the settings say so. It
// reports whether it stored demo data.
func (s *Server) prepare(ctx context.Context, db *database.DB) (filled bool, err error) {
	if err := bootstrap.Schema(ctx, s.Settings, s.app, db, s.log); err != nil {
		return false, err
	}
	return bootstrap.Demo(ctx, s.Settings, s.app, db)
}

// revocations returns the tokens that were ended before their time, as the database has them. If it
// cannot be read now, the background tries again.
func (s *Server) revocations(ctx context.Context, db *database.DB) *session.Revocations {
	revocations := session.NewRevocations(s.app.Accounts, s.Token.TTL)
	if err := revocations.Read(ctx, db); err != nil {
		s.log.WarnContext(ctx, "revoked tokens not loaded yet, retrying; until they are, requests with a token are refused",
			"error", database.RedactError(err))
	}
	return revocations
}
