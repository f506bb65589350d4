// Package settings holds all settings of Forge. Each setting has an environment variable and a
// flag. All lists them.
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

// Settings are the values of all settings of one process.
type Settings struct {
	Addr        string // host:port to listen on
	port        string // the port for defaultAddr; "" if PORT is not set
	DatabaseURL string
	Replicas    []string // the addresses of replicas, which are used unless Reads is ReadsPrimary
	Reads       Reads
	// A replica that is further behind the primary than MaxReplicaLag is not read from.
	MaxReplicaLag time.Duration
	Production    bool
	Auth          bool // whether requests need a token; if not, each request acts as an administrator
	OpenToAll     bool // whether Auth may be off if other machines can connect
	Token         token.Options

	ProvidersFile   string // "" for none
	RefreshTokenTTL time.Duration
	RefreshGrace    time.Duration
	TrustedProxies  []netip.Prefix // the proxies whose X-Forwarded-For header is believed

	TOTP           bool     // whether users may set up an authenticator app
	Passkeys       bool     // whether users may make passkeys
	PasskeyRPID    string   // the domain of passkeys; "" is none
	PasskeyOrigins []string // the origins whose pages may use passkeys; if none, all of PasskeyRPID
	FactorIssuer   string   // the name of the application that apps and devices show

	// The cost of hashing a password, as in password.Cost.
	PasswordMemory, PasswordTime, PasswordThreads int
	PasswordHashes                                int // hashes that run at once

	SessionCookie Cookie

	Mail         Mail
	ErasureDelay time.Duration // how long after a user has asked for it an account is erased

	Files Files

	Migrate    bool // whether the server applies pending migrations when it starts
	Demo       bool // whether the server fills an empty database with demo data when it starts
	Playground bool
	Pool       database.Options

	TrustedDocuments      string // the path of a manifest with all allowed documents; "" allows all
	APQ                   bool   // whether automatic persisted queries are on
	MultipartUploads      bool   // whether requests may contain files
	APQShared             bool   // whether the servers of a database share them
	APQCache, APQCacheKiB int

	SharedReads bool // whether requests that need the same read at the same moment share it
	Compression bool // whether answers are compressed for clients that ask for it

	LogLevel slog.Level

	ShutdownDelay  time.Duration // how long requests are accepted after the order to stop
	IdempotencyTTL time.Duration // how long the answer to a mutation with a key is stored
	// The limits for stored answers of mutations with a key, as in idempotency.Limits.
	IdempotencyAnswerBytes, IdempotencyKeys, IdempotencyBytes int
	// The limits for the log of changes, as in changes.NewKeeper.
	ChangesRetention time.Duration
	ChangesMaxRows   int
	ChangesURL       string // "" is none
	WebhookPrivate   bool   // whether webhooks may be delivered to private addresses, and by http
	// A unit of work that takes longer than HeldTooLong is logged while it runs.
	HeldTooLong time.Duration
	// An operation that takes longer than SlowOperation is logged with its statements; 0 for none.
	SlowOperation  time.Duration
	OperationNames int // the number of operations that the metrics count by name
	Traces         tracing.Options

	// These are the limits for an operation; 0 for no limit.
	MaxDepth, MaxAliases, MaxRootFields, MaxDirectives, MaxCost, MaxTokens int

	MaxBodyBytes   int // the largest body of a request
	MaxAnswerBytes int // the largest answer; 0 for no limit
	MaxUnsentBytes int // of all answers that clients have not read yet; 0 for no limit
	Connection     httpserver.Connection
	RequestTimeout time.Duration

	MaxInFlight  int           // the number of operations that run at the same time; 0 for no limit
	MaxQueued    int           // the number of operations that wait for their turn to run
	QueueTimeout time.Duration // how long an operation waits for its turn

	Streams          int // the number of streams that may be open; 0 for none
	StreamsPerClient int // how many of these a client may have open; 0 for all

	Origins []string // the origins whose pages may use the API, in addition to the server's own

	// sources says where each setting got its value, by the environment variable of the setting.
	sources map[string]source
}

// Cookie says which tokens of sessions are in cookies.
type Cookie string

// These are the values of SESSION_COOKIE.
const (
	CookieOff  Cookie = "off"  // none
	CookieOn   Cookie = "on"   // refresh tokens
	CookieBoth Cookie = "both" // refresh tokens and access tokens
)

func setCookie(s *Settings, value string) error {
	switch c := Cookie(value); c {
	case CookieOff, CookieOn, CookieBoth:
		s.SessionCookie = c
		return nil
	}
	return errNotAllowed
}

// source is the name of the flag or variable that set a setting, such as "--addr" or "ADDR", and
// the value. The value of a secret is hidden.
type source struct{ name, value string }

// NameOf returns the name by which the operator set a setting: the environment variable env, or the
// flag.
func (s *Settings) NameOf(env string) string {
	if source, ok := s.sources[env]; ok {
		return source.name
	}
	return env
}

// Dialect returns the name that ent has for the kind of the database.
func (s *Settings) Dialect() string {
	if isSQLite(s.DatabaseURL) {
		return dialect.SQLite
	}
	return dialect.Postgres
}

// Logger returns a logger that writes to w: JSON in production, and text otherwise.
func (s *Settings) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.Production {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Setting describes one setting.
type Setting struct {
	Env, Flag string // such as "POOL_SIZE" and "pool-size"
	Meaning   string
	Default   string // the value, or a description in words if it depends on other settings
	Allowed   string // the end of an error message that begins with "allowed: "

	alone  bool                          // whether the flag without a value means on
	derive func(*Settings) string        // returns the default if it depends on earlier settings
	set    func(*Settings, string) error // returns errNotAllowed, or an error with more detail
	show   func(string) string           // returns the value as messages show it, or is nil
}
