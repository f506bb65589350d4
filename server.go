// Forge is a GraphQL server for users, their heroes and orders, teams, and products, on SQLite or PostgreSQL.
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/99designs/gqlgen/graphql"
	"github.com/urfave/cli/v3"

	_ "forge/ent/runtime" // the hooks, interceptors and defaults of ent/schema
	"forge/graph"
	"forge/internal/admission"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/graphqlhttp"
	"forge/internal/health"
	"forge/internal/httpserver"
	"forge/internal/idempotency"
	"forge/internal/metrics"
	"forge/internal/password"
	"forge/internal/persisted"
	"forge/internal/read"
	"forge/internal/session"
	"forge/internal/settings"
	"forge/internal/telemetry"
	"forge/internal/tracing"
	"forge/internal/usage"
	"forge/migrate"
	"forge/playground"
	"forge/seed"
)

//go:embed schema.graphqls
var sdl string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; from then on one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args, os.Environ(), os.Stdout, os.Stderr))
}

// run does what args say until it is done or ctx ends, and returns the exit status: 0; 2 for a mistake in the arguments
// or settings, and then nothing was done; 1 for whatever else goes wrong. What went wrong is one line on stderr, or, of what cannot be served at all,
// a line for each finding.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	err := commands(environ, stdout, stderr).Run(ctx, args)
	if err == nil {
		return 0
	}
	if mismatch, ok := errors.AsType[*read.MismatchError](err); ok {
		fmt.Fprintln(stderr, "forge:", mismatch)
		return 1
	}
	fmt.Fprintln(stderr, "forge:", strings.Join(strings.Fields(err.Error()), " "))
	if _, ok := errors.AsType[*usage.Error](err); ok {
		return 2
	}
	return 1
}

// program is what an action works with.
type program struct {
	*settings.Settings
	cmd *cli.Command
	out io.Writer
	log *slog.Logger
	env []string // what os.Environ returns
}

// action is what a command does.
type action func(context.Context, program) error

func commands(environ []string, stdout, stderr io.Writer) *cli.Command {
	do := func(action action) cli.ActionFunc {
		return func(ctx context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			s, err := settings.Load(cmd, environ)
			if err != nil {
				return err
			}
			return action(ctx, program{s, cmd, stdout, s.Logger(stderr), environ})
		}
	}
	root := &cli.Command{
		Name:    "forge",
		Version: buildVersion(),
		Usage:   "a GraphQL server for users, heroes, teams, products and orders",
		Description: "Without a command it serves. The environment variable in brackets stands in for an option that is not given. " +
			"The exit status is 0, 2 after a mistake in options or settings, and 1 after any other failure.",
		Flags:  settings.Flags(),
		Action: do(serve),
		Commands: []*cli.Command{
			{Name: "serve", Usage: "answer requests until SIGTERM or Ctrl+C", Action: do(serve)},
			migrateCommand(do),
			{
				Name: "seed", Usage: "fill an empty database with demo data", Action: do(fill),
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "scale", Value: strconv.Itoa(seed.Demo), Local: true,
						Usage: "how much: 20 users, 1 team, 200 heroes, 5 products and 100 orders for each step"},
					&cli.BoolFlag{Name: "passwords", Local: true,
						Usage: "let everybody sign in as an administrator and as a user, with the passwords of a first start in development; not in production"},
				},
			},
			{
				Name: "db", Usage: "look at the database", Action: usage.NeedsCommand,
				Commands: []*cli.Command{{
					Name: "activity", Action: do(activity),
					Usage: "print this program's sessions on PostgreSQL by state, and how old the oldest transaction in each is",
				}},
			},
			userCommand(do),
			healthcheckCommand(do),
			doctorCommand(environ, stdout),
			{Name: "schema", Usage: "print the API's schema (SDL)", Action: do(printSchema)},
		},
		HideHelpCommand: true,
		Writer:          usage.Help(stdout), // nothing else goes there
		ErrWriter:       stderr,
	}
	_ = root.Walk(func(cmd *cli.Command) error {
		cmd.OnUsageError = usage.Explain
		return nil
	})
	return root
}

func serve(ctx context.Context, p program) error {
	// Who reads the log may end before the server does. That is then no reason to end as well, as a signal it would be.
	signal.Ignore(syscall.SIGPIPE)
	// What cannot be answered rightly is not served. This comes before anything is touched.
	if err := new(graph.Resolver).API().Check(); err != nil {
		return err
	}
	if err := p.MayServe(); err != nil {
		return err
	}
	documents, err := p.documents()
	if err != nil {
		return err
	}
	who, err := p.identity(ctx)
	if err != nil {
		return err
	}
	if p.Open() {
		p.log.WarnContext(ctx, "whoever can connect is an administrator: AUTH is off, and the address is not loopback; "+
			"something in front must decide who may connect", "addr", p.Addr)
	}
	// The address comes first: whoever starts a second server by mistake has no database touched.
	l, err := httpserver.Listen(p.Addr)
	if err != nil {
		return fmt.Errorf("%s=%q: %w", p.NameOf("ADDR"), p.Addr, err)
	}
	defer l.Close()
	db, err := bootstrap.Open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer db.Close()
	db.WatchFile(
		func(ctx context.Context, other *sql.DB) error { return migrate.Check(ctx, other, db.Dialect) },
		func(err error) { p.fileChanged(ctx, err) })
	beside, err := db.Beside()
	if err != nil {
		return err
	}
	defer beside.Close()
	if err := bootstrap.Schema(ctx, p.Settings, db, p.log); err != nil {
		return err
	}
	filled, err := bootstrap.Demo(ctx, p.Settings, db)
	if err != nil {
		return err
	}
	accounts, err := p.accounts(ctx, db, who)
	if err != nil {
		return err
	}
	revocations := session.NewRevocations(p.Token.TTL)
	if err := revocations.Read(ctx, beside); err != nil {
		p.log.WarnContext(ctx, "revoked tokens not loaded yet, retrying; until they are, requests with a token are refused", "error", database.RedactError(err))
	}
	parts := p.parts(ctx, db, beside, documents, revocations, who)
	defer p.background(ctx, db, beside, who, revocations)() // once the metrics have been told what to watch of the database
	if p.Traces.Endpoint != "" {
		traces, err := tracing.Start(ctx, p.Traces, p.log)
		if err != nil {
			return err
		}
		defer traces.Stop()
		parts.Tracer = telemetry.NewTracer(traces, db.Dialect)
	}
	if p.Playground {
		parts.Playground = playground.Handler(p.page(accounts))
	}
	p.welcome(httpserver.URL(l), filled, accounts)
	p.tell("READY=1")
	defer context.AfterFunc(ctx, func() { p.tell("STOPPING=1") })()
	return httpserver.Serve(who.requests(ctx), l, httpserver.Routes(parts), p.Connection, p.log, p.ShutdownDelay)
}

// fileChanged logs that the file of a SQLite database is not there, or is there again.
func (p program) fileChanged(ctx context.Context, err error) {
	if err != nil {
		p.log.ErrorContext(ctx, "nothing is read or written until the file of the database is back", "error", err)
		return
	}
	p.log.InfoContext(ctx, "the file of the database is in use again")
}

// parts says what the server consists of, which runs until ctx ends. What is beside requests uses the other pool.
func (p program) parts(ctx context.Context, db, beside *database.DB, documents graphql.HandlerExtension, revocations *session.Revocations, who *identity) httpserver.Parts {
	opts := p.operations()
	opts.Documents = documents
	opts.CursorKey = who.cursors
	passwords := p.passwords()
	api := &graph.Resolver{Passwords: passwords, Sessions: p.sessions(db, passwords, who.sign()), Revocations: revocations}
	parts := httpserver.Parts{
		API:         gqlexec.New(api.API(), db, opts, p.log),
		Gate:        opts.Gate,
		Ready:       health.Ready(ctx, beside, p.log),
		Origins:     p.Origins,
		Development: !p.Production,
		Local:       p.Local(),
		Metrics:     metrics.New(db),
		Log:         p.log,
		Slow:        p.SlowOperation,
	}
	if p.Compression {
		parts.API = httpserver.Compress(parts.API)
	}
	parts.Metrics.Names = p.OperationNames
	parts.Metrics.Revocations(revocations.Age)
	if who.verifier != nil {
		who.verifier.Revocations = revocations
		parts.Tokens = who.verifier
	}
	return parts
}

// sessions returns what signs people in, or nil if nothing makes tokens.
func (p program) sessions(db *database.DB, passwords *password.Hasher, issuer session.Issuer) *session.Sessions {
	if issuer == nil {
		return nil
	}
	return session.New(db, issuer, passwords, session.Lifetimes{Token: p.RefreshTokenTTL, Grace: p.RefreshGrace}, p.TrustedProxies)
}

// passwords returns what hashes passwords. Of the operations that run at once, a quarter may wait for it, so that others go on.
func (p program) passwords() *password.Hasher {
	cost := password.Cost{Memory: uint32(p.PasswordMemory), Time: uint32(p.PasswordTime), Threads: uint8(p.PasswordThreads)}
	waiting := p.MaxInFlight / 4
	if p.MaxInFlight > 0 {
		waiting = max(1, waiting)
	}
	return password.New(cost, p.PasswordHashes, waiting)
}

// documents says which documents are taken, and how they may be named.
func (p program) documents() (graphql.HandlerExtension, error) {
	switch {
	case p.TrustedDocuments != "":
		manifest, err := new(graph.Resolver).API().TrustedDocuments(p.TrustedDocuments, p.MaxTokens)
		if err != nil {
			return nil, p.Refused("TRUSTED_DOCUMENTS", err)
		}
		return persisted.Trusted{Manifest: manifest}, nil
	case p.APQ:
		return persisted.NewAutomatic(p.APQCache, p.APQCacheKiB<<10), nil
	default:
		return persisted.Off{}, nil
	}
}

// operations says how operations are handled.
func (p program) operations() gqlexec.Options {
	return gqlexec.Options{
		Development:    !p.Production,
		HeldTooLong:    p.HeldTooLong,
		IdempotencyTTL: p.IdempotencyTTL,
		Limits: gqlexec.Limits{
			Depth: p.MaxDepth, Aliases: p.MaxAliases, RootFields: p.MaxRootFields, Directives: p.MaxDirectives,
			Cost: p.MaxCost, Tokens: p.MaxTokens, AnswerBytes: p.MaxAnswerBytes,
		},
		Idempotency:    idempotency.Limits{AnswerBytes: p.IdempotencyAnswerBytes, Keys: p.IdempotencyKeys, Bytes: p.IdempotencyBytes},
		MaxBodyBytes:   int64(p.MaxBodyBytes),
		Gate:           admission.New(p.MaxInFlight, p.MaxQueued, p.QueueTimeout),
		Unsent:         graphqlhttp.NewUnsent(p.MaxUnsentBytes, httpserver.Abort),
		RequestTimeout: p.RequestTimeout,
		UnsharedReads:  !p.SharedReads,
	}
}

// tell has systemd know how the server is, if that runs it.
func (p program) tell(state string) {
	if err := notify(p.env, state); err != nil {
		p.log.Warn("systemd was not told", "state", state, "error", err)
	}
}

// opener opens the database of the settings for some purpose.
type opener func(context.Context, *settings.Settings) (*database.DB, error)

// withDatabase calls f with the open database of the settings.
func (p program) withDatabase(ctx context.Context, open opener, f func(*database.DB) error) error {
	db, err := open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer db.Close()
	return f(db)
}

func fill(ctx context.Context, p program) error {
	arg := p.cmd.String("scale")
	scale, err := strconv.Atoi(arg)
	if err != nil || scale < 1 || scale > seed.MaxScale {
		return usage.Errorf("--scale=%q is not allowed; allowed: a whole number from 1 to %d", arg, seed.MaxScale)
	}
	open := p.cmd.Bool("passwords")
	if open && p.Production {
		return usage.Errorf("--passwords is not allowed with %s=production: everybody knows these passwords", p.NameOf("FORGE_ENV"))
	}
	return p.withDatabase(ctx, bootstrap.Open, func(db *database.DB) error {
		if p.Migrate {
			if err := bootstrap.Schema(ctx, p.Settings, db, p.log); err != nil {
				return err
			}
		}
		return bootstrap.Seed(ctx, p.Settings, db, scale, open)
	})
}

func activity(ctx context.Context, p program) error {
	return p.withDatabase(ctx, bootstrap.Look, func(db *database.DB) error { return db.Activity(ctx, p.out) })
}

// printSchema prints the schema, unless no server would answer it.
func printSchema(_ context.Context, p program) error {
	if err := new(graph.Resolver).API().Check(); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, sdl)
	return err
}
