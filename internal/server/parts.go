package server

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/admission"
	"forge/internal/application"
	"forge/internal/changes"
	"forge/internal/cookie"
	"forge/internal/database"
	"forge/internal/factor"
	"forge/internal/gqlexec"
	"forge/internal/graphqlhttp"
	"forge/internal/health"
	"forge/internal/httpserver"
	"forge/internal/idempotency"
	"forge/internal/metrics"
	"forge/internal/operator"
	"forge/internal/password"
	"forge/internal/persisted"
	"forge/internal/provider"
	"forge/internal/session"
	"forge/internal/settings"
	"forge/internal/shared"
	"forge/internal/stream"
	"forge/internal/webhook"
)

// Parts returns the parts of a server that runs until ctx ends. httpserver.Routes lists what a
// request passes through. Behind that come the compression of the answer, and what gqlexec.New
// lists.
func (s *Server) Parts(ctx context.Context, pools Pools, documents graphql.OperationParameterMutator, revocations *session.Revocations, identity *Identity, keeper *changes.Keeper, hooks *webhook.Webhooks) httpserver.Parts {
	opts := s.options()
	opts.Feed = keeper.Feed()
	opts.Wrote = func() {
		keeper.Wrote()
		revocations.Wrote()
		s.mails.Wrote()
	}
	opts.Documents = documents
	if s.uploads = s.newUploads(pools.Requests); s.uploads != nil {
		opts.Files, opts.Multipart = s.uploads, s.MultipartUploads
	}
	opts.Cursors, opts.Replicas = identity.cursors, pools.Replicas
	passwords, cookies := s.passwords(), s.cookies()
	opts.Derive = passwords.Derive
	s.signing = s.sessions(pools.Requests, passwords, cookies, identity)
	s.factors = s.newFactors(pools.Requests, s.signing, identity)
	s.accounts = s.account(pools.Requests, s.signing, passwords, func(id uuid.UUID, at time.Time) { revocations.Add(id, at) })
	providers := s.signInProviders(pools.Requests, s.signing)
	measured := metrics.New(pools.Requests)
	api := s.app.API(application.Services{
		Passwords:   passwords,
		Sessions:    s.signing,
		Factors:     s.factors,
		Providers:   providers,
		Account:     s.accounts,
		Uploads:     s.uploads,
		Revocations: revocations,
		Cookies:     cookies,
		Webhooks:    hooks,
		Operator: operator.New(operator.Options{Version: s.app.Version, DB: pools.Requests, Monitor: pools.Monitor,
			Migrations: s.app.Migrator(pools.Monitor.Dialect), Replicas: pools.Replicas, Metrics: measured}),
	})
	handler := gqlexec.New(api, pools.Requests, opts, s.log)
	if hooks != nil {
		hooks.Serve(handler)
	}
	parts := httpserver.Parts{
		API:         handler,
		Admission:   opts.Admission,
		Ready:       health.Ready(ctx, pools.Monitor, s.app.Migrator(pools.Monitor.Dialect), pools.Replicas.Answers, s.log),
		Providers:   providers,
		Files:       s.files.Handler(),
		Origins:     s.Origins,
		Development: !s.Production,
		Local:       s.Local(),
		Cookies:     cookies,
		Compression: s.Compression,
		Metrics:     measured,
		Log:         s.log,
		Slow:        s.SlowOperation,
	}
	parts.Metrics.Names = s.OperationNames
	handler.Observe(parts.Metrics.Answered)
	parts.Metrics.BuildInfo(s.app.Version)
	parts.Metrics.Revocations(revocations.Age)
	parts.Metrics.Database(pools.Requests.Watcher.Last)
	if pools.Replicas != nil {
		parts.Metrics.Replicas(pools.Replicas)
	}
	if keeper != nil {
		parts.Metrics.Changes(keeper.Age)
		hooks.Count = parts.Metrics.Webhooks(hooks.Failing)
	}
	if s.uploads != nil {
		parts.Metrics.Files(s.uploads.NotRemoved)
	}
	if s.mails != nil {
		s.mails.Count = parts.Metrics.Mails(s.mails.Age)
	}
	parts.Inbox = s.inboxPage()
	if identity.verifier != nil {
		identity.verifier.Revocations = revocations
		parts.Tokens = identity.verifier
	}
	parts.Streams = s.streams(handler.Streams(), parts)
	return parts
}

// streams returns the server of streams. It returns nil if the API has no subscriptions, because
// executor is nil.
func (s *Server) streams(executor stream.Executor, parts httpserver.Parts) *stream.Server {
	return stream.New(stream.Options{
		Executor:       executor,
		Max:            s.Streams,
		MaxPerClient:   s.StreamsPerClient,
		Proxies:        s.TrustedProxies,
		MaxUnsentBytes: s.MaxUnsentBytes,
		Abort:          httpserver.Abort,
		MaxBodyBytes:   int64(s.MaxBodyBytes),
		Tokens:         parts.Tokens,
		Metrics:        parts.Metrics,
		Log:            s.log,
	})
}

// options returns the settings that apply to operations.
func (s *Server) options() gqlexec.Options {
	return gqlexec.Options{
		Development:    !s.Production,
		HeldTooLong:    s.HeldTooLong,
		IdempotencyTTL: s.IdempotencyTTL,
		Limits: gqlexec.Limits{
			Depth: s.MaxDepth, Aliases: s.MaxAliases, RootFields: s.MaxRootFields, Directives: s.MaxDirectives,
			Cost: s.MaxCost, Tokens: s.MaxTokens, AnswerBytes: s.MaxAnswerBytes,
		},
		Idempotency:    idempotency.Limits{AnswerBytes: s.IdempotencyAnswerBytes, Keys: s.IdempotencyKeys, Bytes: s.IdempotencyBytes},
		MaxBodyBytes:   int64(s.MaxBodyBytes),
		Admission:      admission.New(s.MaxInFlight, s.MaxQueued, s.QueueTimeout),
		Unsent:         graphqlhttp.NewUnsent(s.MaxUnsentBytes, httpserver.Abort),
		RequestTimeout: s.RequestTimeout,
		UnsharedReads:  !s.SharedReads,
	}
}

// Documents returns the rule that says which documents may run, and how requests may name them. It
// returns a *usage.Error if the manifest of trusted documents cannot be used.
func (s *Server) Documents() (graphql.OperationParameterMutator, error) {
	switch {
	case s.TrustedDocuments != "":
		manifest, err := s.app.API(application.Services{}).TrustedDocuments(s.TrustedDocuments, s.MaxTokens)
		if err != nil {
			return nil, s.Refused("TRUSTED_DOCUMENTS", err)
		}
		return persisted.Trusted{Manifest: manifest}, nil
	case s.APQ:
		return persisted.NewAutomatic(s.APQCache, s.APQCacheKiB<<10), nil
	default:
		return persisted.Off{}, nil
	}
}

// shareDocuments has automatic persisted queries known to all servers of the database, if the
// settings say so.
func (s *Server) shareDocuments(documents graphql.OperationParameterMutator, db *database.DB) graphql.OperationParameterMutator {
	automatic, ok := documents.(persisted.Automatic)
	if !ok || !s.APQShared {
		return documents
	}
	s.documents = shared.NewDocuments(db, s.APQCache, s.APQCacheKiB<<10, s.log)
	automatic.Shared = s.documents
	return automatic
}

// passwords returns the hasher of passwords. At most a quarter of the running operations may wait
// for it, so that the others can go on.
func (s *Server) passwords() *password.Hasher {
	cost := password.Cost{Memory: uint32(s.PasswordMemory), Time: uint32(s.PasswordTime), Threads: uint8(s.PasswordThreads)}
	waiting := s.MaxInFlight / 4
	if s.MaxInFlight > 0 {
		waiting = max(1, waiting)
	}
	return password.New(cost, s.PasswordHashes, waiting)
}

// cookies returns what keeps the tokens of sessions in cookies. It returns nil if the settings do
// not ask for cookies.
func (s *Server) cookies() *cookie.Cookies {
	if s.SessionCookie == settings.CookieOff {
		return nil
	}
	return cookie.New(cookie.Options{Access: s.SessionCookie == settings.CookieBoth, Life: s.RefreshTokenTTL})
}

// sessions returns the value that signs people in. It returns nil if this server has no key to sign
// tokens with.
func (s *Server) sessions(db *database.DB, passwords *password.Hasher, cookies *cookie.Cookies, identity *Identity) *session.Sessions {
	if identity.issuer == nil {
		return nil
	}
	sessions := session.New(db, s.app.Accounts, identity.issuer, passwords, session.Lifetimes{Token: s.RefreshTokenTTL, Grace: s.RefreshGrace}, s.TrustedProxies, s.failures)
	sessions.Deliver = DeliverBy(cookies)
	return sessions
}

// DeliverBy returns the function for session.Sessions.Deliver that sets cookies as soon as the
// tokens are stored.
func DeliverBy(cookies *cookie.Cookies) func(context.Context, *session.Tokens) error {
	return func(ctx context.Context, t *session.Tokens) error {
		jar, err := cookies.Jar(ctx)
		if jar == nil || err != nil {
			return err
		}
		refresh := t.Refresh
		t.Refresh = ""
		gqlexec.AfterCommit(ctx, func(context.Context) { jar.Set(refresh, t.Access, t.Expires) })
		return nil
	}
}

// signInProviders returns the providers that people can sign in with. It returns nil if there are
// none.
func (s *Server) signInProviders(db *database.DB, sessions *session.Sessions) *provider.Providers {
	if s.providers == nil {
		return nil
	}
	return provider.New(provider.Options{
		File:     s.providers,
		DB:       db,
		Accounts: s.app.Accounts,
		Sessions: sessions,
		URL:      s.url,
		Page:     s.consolePath(),
		Passkeys: s.Passkeys,
		Local:    !s.Production,
		Proxies:  s.TrustedProxies,
		Log:      s.log,
	})
}

// newFactors returns the second factors and passkeys of accounts. It returns nil if nobody can sign
// in.
func (s *Server) newFactors(db *database.DB, sessions *session.Sessions, identity *Identity) *factor.Factors {
	if sessions == nil {
		return nil
	}
	return factor.New(db, s.app.Accounts, sessions, factor.Options{
		TOTP: s.TOTP, Issuer: s.FactorIssuer,
		Passkeys: s.Passkeys, RPID: s.PasskeyRPID, Origins: s.PasskeyOrigins,
		Keys: identity.factors, Log: s.log,
	})
}
