// Package settings has what an operator can decide about Forge. Each setting has an environment
// variable and a flag; All lists them.
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

// Settings are the values of all settings for one run.
type Settings struct {
	Addr        string // host:port to listen on
	port        string // see defaultAddr
	DatabaseURL string
	Production  bool
	Auth        bool // whether requests need a token; if not, each acts as an administrator
	OpenToAll   bool // whether Auth may be off where other machines can connect
	Token       token.Options

	RefreshTokenTTL time.Duration
	RefreshGrace    time.Duration
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed

	// The cost of a hash of a password; the memory is in KiB.
	PasswordMemory, PasswordTime, PasswordThreads int
	PasswordHashes                                int // made at once

	Migrate    bool // whether a starting server applies pending migrations
	Demo       bool // whether a starting server fills an empty database with demo data
	Playground bool
	Pool       database.Options

	TrustedDocuments      string // the path of a manifest: only its operations run; "" for all
	APQ                   bool   // automatic persisted queries
	APQCache, APQCacheKiB int

	SharedReads bool // whether requests share a read that they need at the same moment
	Compression bool // of answers, for clients that ask for it

	LogLevel slog.Level

	ShutdownDelay  time.Duration // how long a server takes requests after it was told to end
	IdempotencyTTL time.Duration // how long the answer to a mutation with a key is stored
	// The size of one such answer, and the keys and the bytes of all answers of a viewer; 0 for no
	// limit.
	IdempotencyAnswerBytes, IdempotencyKeys, IdempotencyBytes int
	// A unit of work that takes longer is logged.
	HeldTooLong time.Duration
	// An operation that takes longer is logged with its statements; 0 for none.
	SlowOperation  time.Duration
	OperationNames int // how many operations the metrics count by name
	Traces         tracing.Options

	// The limits of an operation; 0 for none.
	MaxDepth, MaxAliases, MaxRootFields, MaxDirectives, MaxCost, MaxTokens int

	MaxBodyBytes   int // of a request
	MaxAnswerBytes int // 0 for no limit
	MaxUnsentBytes int // of all answers that clients have not read yet; 0 for no limit
	Connection     httpserver.Connection
	RequestTimeout time.Duration

	MaxInFlight  int           // operations that run at once; 0 for no limit
	MaxQueued    int           // operations that wait for that
	QueueTimeout time.Duration // how long they wait

	Origins []string // whose pages may use the API, beside the server's own

	sources map[string]source // by the environment variable of the setting
}

// source is the name that a setting was set by, "ADDR" or "--addr", and its value. The value of a
// secret is hidden.
type source struct{ name, value string }

// NameOf returns how the operator named the setting with an environment variable: by that variable,
// or by its flag.
func (s *Settings) NameOf(env string) string {
	if source, ok := s.sources[env]; ok {
		return source.name
	}
	return env
}

// Dialect returns ent's name for the kind of the database.
func (s *Settings) Dialect() string {
	if isSQLite(s.DatabaseURL) {
		return dialect.SQLite
	}
	return dialect.Postgres
}

// Logger returns a logger that writes lines to w: JSON in production, and text otherwise.
func (s *Settings) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.Production {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Setting describes one setting.
type Setting struct {
	Env, Flag string // "POOL_SIZE", "pool-size"
	Meaning   string
	Default   string // in words if it depends on other settings
	Allowed   string // completes "allowed: "

	alone  bool                          // whether the flag may have no value, which means on
	derive func(*Settings) string        // returns a default that depends on earlier settings
	set    func(*Settings, string) error // returns errNotAllowed, or an error with more detail
	show   func(string) string           // prints a value that may have a secret
}
