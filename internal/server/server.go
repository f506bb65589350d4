// Package server puts a server together from an application and its settings, and runs it.
package server

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"forge/console"
	"forge/internal/account"
	"forge/internal/application"
	"forge/internal/bootstrap"
	"forge/internal/changes"
	"forge/internal/database"
	"forge/internal/factor"
	"forge/internal/file"
	"forge/internal/gqlexec"
	"forge/internal/httpserver"
	"forge/internal/mail"
	"forge/internal/provider"
	"forge/internal/replica"
	"forge/internal/session"
	"forge/internal/settings"
	"forge/internal/shared"
	"forge/internal/telemetry"
	"forge/internal/tracing"
	"forge/internal/upload"
	"forge/internal/webhook"
)

// A Server serves an application with its settings.
type Server struct {
	*settings.Settings
	// Build is what the playground tells one build from the next by; see application.Page.
	Build string

	app     application.Application
	environ []string
	out     io.Writer
	log     *slog.Logger

	failures  *shared.Failures  // nil on SQLite
	signing   *session.Sessions // nil if nobody can sign in
	documents *shared.Documents // nil if the setting APQ_SHARED is off
	providers *provider.File    // nil if the setting AUTH_PROVIDERS_FILE is none
	url       string            // where a browser on this machine reaches the server
	mails     *mail.Mails       // nil if this server sends none
	accounts  *account.Service  // nil if nobody can sign in
	inbox     *mail.Inbox       // nil unless it keeps mails instead of sending them
	uploads   *upload.Uploads   // nil if it keeps no files
	factors   *factor.Factors   // nil if nobody can sign in
	files     *file.Service     // nil if the setting FILES_URL is none
}

// New returns a server that is not running yet. environ has the form of os.Environ. out receives
// the lines for the person who starts the server.
func New(app application.Application, s *settings.Settings, environ []string, out io.Writer, log *slog.Logger) *Server {
	return &Server{Settings: s, app: app, environ: environ, out: out, log: log}
}

// Run serves requests until ctx ends. It returns an error, and does not use the database, if the
// schema, the entities and the resolvers do not fit together, if a setting is wrong, or if the
// address is taken.
func (s *Server) Run(ctx context.Context) error {
	// The program that reads the log may end before the server, which must then go on without a
	// log.
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
	if err := s.readProviders(ctx, identity); err != nil {
		return err
	}
	if s.Open() {
		s.log.WarnContext(ctx, "whoever can connect is an administrator: AUTH is off, and the address is not loopback; "+
			"something in front must decide who may connect", "addr", s.Addr)
	}
	// The server listens before it opens the database: a second server that somebody starts by
	// mistake must not change the database.
	l, err := httpserver.Listen(s.Addr)
	if err != nil {
		return fmt.Errorf("%s=%q: %w", s.NameOf("ADDR"), s.Addr, err)
	}
	defer l.Close()
	s.url = httpserver.URL(l)
	pools, err := s.pools(ctx)
	if err != nil {
		return err
	}
	defer pools.Close()
	if pools.Requests.Watcher, err = s.watch(ctx, pools); err != nil {
		return err
	}
	if err := s.folds(ctx, pools.Requests); err != nil {
		return err
	}
	filled, err := s.prepare(ctx, pools.Requests)
	if err != nil {
		return err
	}
	s.logDurability(ctx, pools)
	accounts, err := s.demoAccounts(ctx, pools.Requests, identity)
	if err != nil {
		return err
	}
	s.cursorKey(ctx, pools.Requests, identity)
	s.failures = session.NewFailures(pools.Requests, s.log)
	if err := s.setMails(pools.Requests); err != nil {
		return err
	}
	if err := s.setFiles(ctx, pools.Requests, identity); err != nil {
		return err
	}
	documents = s.shareDocuments(documents, pools.Requests)
	revocations := s.revocations(ctx, pools.Monitor)
	keeper := s.keeper(pools.Monitor)
	hooks := s.webhooks(pools.Requests, identity, keeper)
	if pools.Replicas, err = s.replicas(ctx, pools.Requests, identity); err != nil {
		return err
	}
	if pools.Replicas != nil {
		revocations.Standbys = pools.Replicas.Acknowledged
	}
	parts := s.Parts(ctx, pools, documents, revocations, identity, keeper, hooks)
	// This comes after Parts: Parts sets up the metrics for the pools.
	defer s.background(ctx, pools, identity, revocations, keeper, hooks)()
	if s.Traces.Endpoint != "" {
		traces, err := tracing.Start(ctx, s.Traces, s.log)
		if err != nil {
			return err
		}
		defer traces.Stop()
		parts.Tracer = telemetry.NewTracer(traces, pools.Requests.Dialect)
		parts.API.(*gqlexec.Handler).Trace(parts.Tracer)
	}
	if !s.Production {
		parts.Docs = s.docs()
	}
	if s.Console {
		parts.Console = console.Handler(s.consoleConfig(accounts))
		parts.Schema = parts.API.(*gqlexec.Handler).ServeOffered(s.Production)
	}
	if s.Playground {
		parts.Playground = s.app.Playground(application.Page{SignIn: s.Auth, Accounts: accounts, Build: s.Build, Explain: !s.Production, Links: links(parts)})
	}
	s.welcome(s.url, filled, accounts)
	s.notifySystemd("READY=1")
	defer context.AfterFunc(ctx, func() { s.notifySystemd("STOPPING=1") })()
	return httpserver.Serve(identity.requests(ctx), l, httpserver.Routes(parts), parts.Streams, s.Connection, s.log, s.ShutdownDelay)
}

// Pools are the connections of a server to its database.
type Pools struct {
	Requests *database.DB
	// Monitor is for other work, so that it need not wait while requests use all of Requests.
	Monitor *database.DB
	// Replicas chooses where queries are read. It is nil if that is always the primary.
	Replicas *replica.Set
}

// Close closes all pools, also those of replicas that were opened since.
func (p *Pools) Close() {
	if p.Replicas != nil {
		p.Replicas.Close()
	}
	p.Monitor.Close()
	p.Requests.Close()
}

// pools opens the database twice: see Pools. If the file of a SQLite database goes missing or comes
// back later, this is logged.
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
	return Pools{Requests: db, Monitor: monitor}, nil
}

// folds returns an error if the API compares texts regardless of case, and the database cannot.
func (s *Server) folds(ctx context.Context, db *database.DB) error {
	places := s.app.API(application.Services{}).Folds()
	if len(places) == 0 {
		return nil
	}
	if err := db.Folds(ctx); err != nil {
		return fmt.Errorf("%w; take %s out of schema.graphqls, or give the columns a MatchBy in ent/schema", err, strings.Join(places, ", "))
	}
	return nil
}

// logFile logs that the file of a SQLite database is missing, or that it is back if err is nil.
func (s *Server) logFile(ctx context.Context, err error) {
	if err != nil {
		s.log.ErrorContext(ctx, "nothing is read or written until the file of the database is back", "error", err)
		return
	}
	s.log.InfoContext(ctx, "the file of the database is in use again")
}

// prepare applies migrations, and fills an empty database with demo data, if the settings ask for
// the two. It reports whether it stored demo data.
func (s *Server) prepare(ctx context.Context, db *database.DB) (filled bool, err error) {
	if err := bootstrap.Schema(ctx, s.Settings, s.app, db, s.log); err != nil {
		return false, err
	}
	return bootstrap.Demo(ctx, s.Settings, s.app, db)
}

// keeper returns what keeps the log of changes. It returns nil if no entity is logged.
func (s *Server) keeper(db *database.DB) *changes.Keeper {
	log := changes.New(db.DB, db.Dialect, s.app.API(application.Services{}).Entities)
	if log != nil {
		log.Turn = db.AwaitTurn
	}
	return changes.NewKeeper(log, s.ChangesRetention, int64(s.ChangesMaxRows))
}

// webhooks returns the endpoints of webhooks.
func (s *Server) webhooks(db *database.DB, identity *Identity, keeper *changes.Keeper) *webhook.Webhooks {
	o := webhook.Options{DB: db, Accounts: s.app.Accounts, Private: s.WebhookPrivate, Idle: min(5*time.Minute, s.ChangesRetention/4), Log: s.log}
	switch {
	case keeper == nil:
		o.Closed = "no entity is logged, so there is nothing to tell of"
	case identity.kept && identity.key == nil:
		o.Closed = "the database did not have the key of cursors when this server started, so endpoints would lose their places: start it again, or set " + s.NameOf("CURSOR_SECRET")
	}
	return webhook.New(o)
}

// Webhooks returns the endpoints of a database, for commands that change them. It returns an error
// if a setting is wrong.
func (s *Server) Webhooks(ctx context.Context, db *database.DB) (*webhook.Webhooks, error) {
	documents, err := s.Documents()
	if err != nil {
		return nil, err
	}
	identity, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	s.cursorKey(ctx, db, identity)
	keeper := s.keeper(db)
	hooks := s.webhooks(db, identity, keeper)
	opts := s.options()
	opts.Documents, opts.Feed, opts.Cursors = documents, keeper.Feed(), identity.cursors
	hooks.Serve(gqlexec.New(s.app.API(application.Services{}), db, opts, s.log))
	return hooks, nil
}

// revocations returns the revocations of tokens, as the database has them. If it cannot read them
// now, the work in the background tries again.
func (s *Server) revocations(ctx context.Context, db *database.DB) *session.Revocations {
	revocations := session.NewRevocations(s.app.Accounts, s.Token.TTL)
	if err := revocations.Read(ctx, db); err != nil {
		s.log.WarnContext(ctx, "revoked tokens not loaded yet, retrying; until they are, requests with a token are refused",
			"error", database.RedactError(err))
	}
	return revocations
}
