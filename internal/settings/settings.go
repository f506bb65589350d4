// Package settings holds what an operator can decide about Forge. Each setting has an environment variable and a flag;
// All lists them.
package settings

import (
	"io"
	"log/slog"
	"net/netip"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/httpserver"
	"forge/internal/token"
	"forge/internal/tracing"
)

// Settings are the decisions for one run.
type Settings struct {
	Addr        string // host:port to listen on
	port        string // see defaultAddr
	DatabaseURL string
	Production  bool
	Auth        bool // requests must say who they come from; without it each acts as an administrator
	OpenToAll   bool // also where other machines can connect
	Token       token.Options

	RefreshTokenTTL time.Duration
	RefreshGrace    time.Duration
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed

	PasswordMemory, PasswordTime, PasswordThreads int // what a hash of a password takes; the memory in KiB
	PasswordHashes                                int // made at once

	Migrate    bool // a starting server applies pending migrations
	Demo       bool // a starting server fills an empty database with demo data
	Playground bool
	Pool       database.Options

	TrustedDocuments      string // the path of the manifest whose operations alone are run; "" for all
	APQ                   bool   // automatic persisted queries
	APQCache, APQCacheKiB int

	SharedReads bool // by requests that need the same at the same moment
	Compression bool // of answers, for clients that ask for it

	LogLevel slog.Level

	ShutdownDelay  time.Duration // for how long a server that was told to end goes on taking requests
	IdempotencyTTL time.Duration // how long the answer to a mutation with an idempotency key is kept
	// How many bytes such an answer may have, and how many keys, and bytes of answers, are kept for a viewer; 0 for no limit.
	IdempotencyAnswerBytes, IdempotencyKeys, IdempotencyBytes int
	HeldTooLong                                               time.Duration // a unit of work that is held for longer is logged
	SlowOperation                                             time.Duration // an operation that takes longer is logged with its statements; 0 for none
	OperationNames                                            int           // how many of them metrics tell apart
	Traces                                                    tracing.Options

	MaxDepth, MaxAliases, MaxRootFields, MaxDirectives, MaxCost, MaxTokens int // of an operation; 0 for no limit

	MaxBodyBytes   int // of a request
	MaxAnswerBytes int // 0 for no limit
	MaxUnsentBytes int // of all answers that wait for their readers; 0 for no limit
	Connection     httpserver.Connection
	RequestTimeout time.Duration

	MaxInFlight, MaxQueued int           // operations that run at once (0 for no limit), and that wait for it
	QueueTimeout           time.Duration // how long they wait

	Origins []string // whose pages may use the API, beside the server's own

	said map[string]said // how each setting was given, by its environment variable
}

// said is under which name a setting was given, "ADDR" or "--addr", and as what; a secret is left out.
type said struct{ name, value string }

// NameOf returns the name under which the setting with an environment variable was given: that variable, or its flag.
func (s *Settings) NameOf(env string) string {
	if said, ok := s.said[env]; ok {
		return said.name
	}
	return env
}

// Dialect returns ent's name for the kind of database.
func (s *Settings) Dialect() string {
	if isSQLite(s.DatabaseURL) {
		return dialect.SQLite
	}
	return dialect.Postgres
}

// Logger returns a logger that writes to w: lines of JSON in production, and else of text.
func (s *Settings) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.Production {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Setting is one thing to decide.
type Setting struct {
	Env, Flag string // "POOL_SIZE", "pool-size"
	Meaning   string
	Default   string // what holds when nothing is said, in words where it depends on other settings
	Allowed   string // completes "allowed: "

	alone  bool                          // the flag without a value means on
	derive func(*Settings) string        // the default, if it depends on settings further up
	set    func(*Settings, string) error // returns errNotAllowed, or an error that says more
	show   func(string) string           // how to print a value that may hold a secret
}
