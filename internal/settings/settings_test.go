package settings

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v3"

	"forge/internal/database"
	"forge/internal/httpserver"
	"forge/internal/password"
	"forge/internal/token"
	"forge/internal/tracing"
	"forge/internal/usage"
)

// load returns the settings for words like "--addr" and "x", and variables like "ADDR=x".
func load(t *testing.T, words ...string) (s *Settings, err error) {
	t.Helper()
	args, environ := []string{"forge"}, []string{"PATH=/bin"}
	for _, word := range words {
		if name, _, ok := strings.Cut(word, "="); ok && name == strings.ToUpper(name) {
			environ = append(environ, word)
		} else {
			args = append(args, word)
		}
	}
	cmd := &cli.Command{Flags: Flags(), Writer: io.Discard, ErrWriter: io.Discard,
		Action: func(_ context.Context, cmd *cli.Command) (err error) {
			s, err = Load(cmd, environ)
			return err
		}}
	return s, cmd.Run(t.Context(), args)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	base := Settings{Addr: "127.0.0.1:8080", DatabaseURL: "sqlite:forge.db", Reads: ReadsPrimary, MaxReplicaLag: 5 * time.Second, Migrate: true, Demo: true, Playground: true, Console: true,
		APQ: true, APQCache: 1000, APQCacheKiB: 16384, SharedReads: true, Compression: true,
		MaxDepth: 20, MaxAliases: 100, MaxRootFields: 50, MaxDirectives: 50, MaxCost: 10000, MaxTokens: 10000,
		MaxAnswerBytes: 4 << 20, MaxUnsentBytes: 128 << 20, IdempotencyAnswerBytes: 256 << 10, IdempotencyKeys: 1000, IdempotencyBytes: 16 << 20,
		MaxBodyBytes: 1 << 20, RequestTimeout: time.Minute, MaxInFlight: 32, MaxQueued: 1024, QueueTimeout: 2 * time.Second, Streams: 10_000, StreamsPerClient: 1000,
		Connection: httpserver.Connection{MaxHeaderBytes: 32 << 10, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
			WriteTimeout: 5 * time.Minute, StallTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute},
		Token:          token.Options{TTL: 15 * time.Minute, Issuer: "forge", Audience: "forge", RoleClaim: "role", UserClaim: "sub"},
		IdempotencyTTL: 24 * time.Hour, ChangesRetention: 24 * time.Hour, ChangesMaxRows: 10_000_000, HeldTooLong: 10 * time.Second, SlowOperation: time.Second, OperationNames: 100,
		RefreshTokenTTL: 720 * time.Hour, ErasureDelay: 720 * time.Hour, RefreshGrace: 10 * time.Second, SessionCookie: CookieOff, PasskeyRPID: "localhost", FactorIssuer: "Forge", PasswordMemory: 19456, PasswordTime: 2, PasswordThreads: 1, PasswordHashes: password.AtOnce(),
		Traces: tracing.Options{Service: "forge", Sampler: "parentbased_always_on", Ratio: 1},
		Pool: database.Options{PoolSize: 16, PoolTimeout: 15 * time.Second, Recycle: 5 * time.Minute, IdleTime: 5 * time.Minute,
			ConnectTimeout: 5 * time.Second, StatementTimeout: 30 * time.Second, LockTimeout: 10 * time.Second, MaxPlanCost: 2_000_000,
			CommitTimeout: 30 * time.Second, IdleInTransaction: time.Minute, ApplicationName: "forge"}}
	with := func(change func(*Settings)) Settings {
		s := base
		change(&s)
		return s
	}
	const postgres = "postgres://u:p@localhost/x"
	long := strings.Repeat("0123456789", 4)
	tests := []struct {
		name  string
		words []string
		want  Settings
	}{
		{"nothing said", nil, base},
		{"empty variables", []string{"ADDR=", "DEMO=", "POOL_SIZE="}, base},
		{"a variable", []string{"POOL_SIZE=3"}, with(func(s *Settings) { s.Pool.PoolSize = 3 })},
		{"a port", []string{"PORT=3000"}, with(func(s *Settings) { s.port, s.Addr = "3000", "127.0.0.1:3000" })},
		{"a port by a flag", []string{"--port=0"}, with(func(s *Settings) { s.port, s.Addr = "0", "127.0.0.1:0" })},
		{"an address before a port", []string{"PORT=3000", "ADDR=localhost:1"}, with(func(s *Settings) { s.port, s.Addr = "3000", "localhost:1" })},
		{"no port", []string{"PORT="}, base},
		{"a flag", []string{"--pool-size", "3"}, with(func(s *Settings) { s.Pool.PoolSize = 3 })},
		{"a flag before a variable", []string{"POOL_SIZE=3", "--pool-size=4"}, with(func(s *Settings) { s.Pool.PoolSize = 4 })},
		{"a flag before a bad variable", []string{"POOL_SIZE=x", "--pool-size=4"}, with(func(s *Settings) { s.Pool.PoolSize = 4 })},
		{"PostgreSQL", []string{"DATABASE_URL=" + postgres},
			with(func(s *Settings) { s.DatabaseURL, s.Migrate, s.Demo = postgres, false, false })},
		{"PostgreSQL, asked for more", []string{"--database-url", postgres, "--migrate", "DEMO=on"},
			with(func(s *Settings) { s.DatabaseURL = postgres })},
		{"SQLite, asked for less", []string{"--demo=off", "MIGRATE=false"}, with(func(s *Settings) { s.Migrate, s.Demo = false, false })},
		{"in memory", []string{"DATABASE_URL=sqlite::memory:"}, with(func(s *Settings) { s.DatabaseURL = "sqlite::memory:" })},
		{"production", []string{"FORGE_ENV=production"},
			with(func(s *Settings) {
				s.Production, s.Auth, s.Playground, s.Console, s.Demo, s.PasskeyRPID = true, true, false, false, false, ""
			})},
		{"production, asked for demo data", []string{"FORGE_ENV=production", "--demo"},
			with(func(s *Settings) {
				s.Production, s.Auth, s.Playground, s.Console, s.PasskeyRPID = true, true, false, false, ""
			})},
		{"production, opened up", []string{"FORGE_ENV=production", "--auth", "off", "--playground"},
			with(func(s *Settings) { s.Production, s.Demo, s.Console, s.PasskeyRPID = true, false, false, "" })},
		{"times and levels", []string{"POOL_TIMEOUT=250ms", "LOG_LEVEL=error"},
			with(func(s *Settings) { s.Pool.PoolTimeout, s.LogLevel = 250*time.Millisecond, 8 })},
		{"trusted documents", []string{"TRUSTED_DOCUMENTS=x.json"}, with(func(s *Settings) { s.TrustedDocuments, s.Playground, s.Console = "x.json", false, false })},
		{"a collector", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318/", "OTEL_EXPORTER_OTLP_HEADERS=key=a%20b, Tenant=7"},
			with(func(s *Settings) {
				s.Traces.Endpoint, s.Traces.Headers = "http://localhost:4318/v1/traces", map[string]string{"key": "a b", "Tenant": "7"}
			})},
		{"traces alone", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "--otel-exporter-otlp-traces-endpoint=https://traces/in"},
			with(func(s *Settings) { s.Traces.Endpoint = "https://traces/in" })},
		{"a collector, but not for traces", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=none"}, base},
		{"a part of the requests", []string{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.25", "OTEL_SERVICE_NAME=shop"},
			with(func(s *Settings) { s.Traces.Service, s.Traces.Sampler, s.Traces.Ratio = "shop", "traceidratio", 0.25 })},
		{"limits of a connection", []string{"MAX_HEADER_BYTES=8192", "--read-timeout=2s"},
			with(func(s *Settings) { s.Connection.MaxHeaderBytes, s.Connection.ReadTimeout = 8192, 2*time.Second })},
		{"no limits of answers", []string{"MAX_ANSWER_BYTES=0", "MAX_UNSENT_BYTES=0", "IDEMPOTENCY_ANSWER_BYTES=0", "IDEMPOTENCY_KEYS=0", "IDEMPOTENCY_BYTES=0"},
			with(func(s *Settings) {
				s.MaxAnswerBytes, s.MaxUnsentBytes, s.IdempotencyAnswerBytes, s.IdempotencyKeys, s.IdempotencyBytes = 0, 0, 0, 0, 0
			})},
		{"no limits", []string{"REQUEST_TIMEOUT=0s", "MAX_IN_FLIGHT=0", "MAX_QUEUED=0"},
			with(func(s *Settings) { s.RequestTimeout, s.MaxInFlight, s.MaxQueued = 0, 0, 0 })},
		{"proxies", []string{"TRUSTED_PROXIES=10.0.0.0/8, fd00::/8"}, with(func(s *Settings) {
			s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
		})},
		{"origins", []string{"CORS_ORIGINS=https://app.example.com, http://localhost:3000,http://[::1]:81"},
			with(func(s *Settings) {
				s.Origins = []string{"https://app.example.com", "http://localhost:3000", "http://[::1]:81"}
			})},
		{"own keys", []string{"AUTH_SECRET=" + long, "--auth-keys-file=keys.json", "ACCESS_TOKEN_TTL=5m", "AUTH_ISSUER=us", "CURSOR_SECRET=" + long},
			with(func(s *Settings) {
				s.Token.Secret, s.Token.KeysFile, s.Token.TTL, s.Token.Issuer, s.Token.CursorSecret = long, "keys.json", 5*time.Minute, "us", long
			})},
		{"factors", []string{"TOTP=on", "--passkeys", "FACTOR_ISSUER=A Shop", "FACTOR_SECRET=" + long + "," + long[1:]},
			with(func(s *Settings) {
				s.TOTP, s.Passkeys, s.FactorIssuer, s.Token.FactorSecrets = true, true, "A Shop", []string{long, long[1:]}
			})},
		{"passkeys of pages", []string{"PASSKEYS=on", "PASSKEY_RP_ID=example.com", "PASSKEY_ORIGINS=https://example.com,https://app.example.com:8443"},
			with(func(s *Settings) {
				s.Passkeys, s.PasskeyRPID, s.PasskeyOrigins = true, "example.com", []string{"https://example.com", "https://app.example.com:8443"}
			})},
		{"passkeys of an app", []string{"PASSKEYS=on", "PASSKEY_RP_ID=example.com", "PASSKEY_ORIGINS=android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck, https://example.com"},
			with(func(s *Settings) {
				s.Passkeys, s.PasskeyRPID, s.PasskeyOrigins = true, "example.com", []string{"https://example.com", "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck"}
			})},
		{"a provider", []string{"AUTH_JWKS_URL=https://id.example/keys", "AUTH_ISSUER=https://id.example", "AUTH_AUDIENCE=shop", "AUTH_ROLE_CLAIM=a.b", "AUTH_USER_CLAIM=forge"},
			with(func(s *Settings) {
				s.Token.JWKSURL, s.Token.Issuer, s.Token.Audience = "https://id.example/keys", "https://id.example", "shop"
				s.Token.RoleClaim, s.Token.UserClaim = "a.b", "forge"
			})},
		{"a provider on this machine", []string{"AUTH_JWKS_URL=http://127.0.0.1:81/keys", "AUTH_ISSUER=i", "AUTH_AUDIENCE=a"},
			with(func(s *Settings) {
				s.Token.JWKSURL, s.Token.Issuer, s.Token.Audience = "http://127.0.0.1:81/keys", "i", "a"
			})},
		{"another address", []string{"--addr", "[::1]:0"}, with(func(s *Settings) { s.Addr = "[::1]:0" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := load(t, tt.words...)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.want.Production {
				tt.want.Mail = Mail{From: "Forge <forge@localhost>", Page: defaultPage(&tt.want), Kinds: []string{"verify", "reset", "change"}}
			}
			tt.want.Files = Files{MaxBytes: 100 << 20, MaxPixels: 50_000_000, Transfers: 256}
			if tt.want.DatabaseURL == base.DatabaseURL {
				tt.want.Files.URL = "forge.db-files"
			}
			if got.sources = nil; !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("%v:\n%+v, want\n%+v", tt.words, *got, tt.want)
			}
		})
	}
}

// TestRefused checks that an error is one line. The line must have the name under which the setting
// was given, the value, and what is allowed.
func TestRefused(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{}
	for _, s := range All {
		allowed[s.Env], allowed["--"+s.Flag] = s.Allowed, s.Allowed
	}
	tests := []struct{ word, name, value string }{
		{"FORGE_ENV=staging", "FORGE_ENV", "staging"},
		{"--env=", "--env", ""},
		{"ADDR=localhost", "ADDR", "localhost"},
		{"ADDR=localhost:http", "ADDR", "localhost:http"},
		{"--addr=:65536", "--addr", ":65536"},
		{"--addr=:-1", "--addr", ":-1"},
		{"AUTH=maybe", "AUTH", "maybe"},
		{"AUTH_OFF_ANYWHERE=yes", "AUTH_OFF_ANYWHERE", "yes"},
		{"AUTH_SECRET=s3cret0123456789012345678901234", "AUTH_SECRET", "…"},
		{"--auth-secret=s3cret", "--auth-secret", "…"},
		{"CURSOR_SECRET=s3cret", "CURSOR_SECRET", "…"},
		{"--auth-keys-file=", "--auth-keys-file", ""},
		{"ACCESS_TOKEN_TTL=25h", "ACCESS_TOKEN_TTL", "25h"},
		{"ACCESS_TOKEN_TTL=0s", "ACCESS_TOKEN_TTL", "0s"},
		{"AUTH_JWKS_URL=http://id.example/keys", "AUTH_JWKS_URL", "http://id.example/keys"},
		{"AUTH_JWKS_URL=https://u:s3cret@id.example/keys", "AUTH_JWKS_URL", "https://xxxxx@id.example/keys"},
		{"AUTH_JWKS_URL=file:///etc/keys", "AUTH_JWKS_URL", "file:///etc/keys"},
		{"AUTH_JWKS_URL=https://id.example/keys", "AUTH_ISSUER", ""}, // without an issuer
		{"--auth-issuer=", "--auth-issuer", ""},
		{"--auth-audience=", "--auth-audience", ""},
		{"--auth-role-claim=", "--auth-role-claim", ""},
		{"--auth-user-claim=", "--auth-user-claim", ""},
		{"SHUTDOWN_DELAY=-1s", "SHUTDOWN_DELAY", "-1s"},
		{"MIGRATE=2", "MIGRATE", "2"},
		{"--demo=never", "--demo", "never"},
		{"PLAYGROUND=graphiql", "PLAYGROUND", "graphiql"},
		{"CONSOLE=admins", "CONSOLE", "admins"},
		{"APQ=maybe", "APQ", "maybe"},
		{"COMPRESSION=br", "COMPRESSION", "br"},
		{"APQ_CACHE=0", "APQ_CACHE", "0"},
		{"--apq-cache-kib=1000001", "--apq-cache-kib", "1000001"},
		{"POOL_SIZE=0", "POOL_SIZE", "0"},
		{"OPERATION_NAMES=-1", "OPERATION_NAMES", "-1"},
		{"--operation-names=10001", "--operation-names", "10001"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318", "OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:secret@localhost", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://xxxxx@localhost"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=ftp://localhost", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://localhost"},
		{"OTEL_EXPORTER_OTLP_HEADERS=secret", "OTEL_EXPORTER_OTLP_HEADERS", "…"},
		{"OTEL_TRACES_SAMPLER=jaeger_remote", "OTEL_TRACES_SAMPLER", "jaeger_remote"},
		{"OTEL_TRACES_SAMPLER_ARG=2", "OTEL_TRACES_SAMPLER_ARG", "2"},
		{"SLOW_OPERATION=1", "SLOW_OPERATION", "1"},
		{"POOL_SIZE=1001", "POOL_SIZE", "1001"},
		{"POOL_SIZE=many", "POOL_SIZE", "many"},
		{"--pool-size=1.5", "--pool-size", "1.5"},
		{"POOL_TIMEOUT=15", "POOL_TIMEOUT", "15"},
		{"POOL_RECYCLE=-1s", "POOL_RECYCLE", "-1s"},
		{"--pool-idle=25h", "--pool-idle", "25h"},
		{"CONNECT_TIMEOUT=100ms", "CONNECT_TIMEOUT", "100ms"},
		{"STATEMENT_TIMEOUT=2h", "STATEMENT_TIMEOUT", "2h"},
		{"COMMIT_TIMEOUT=0s", "COMMIT_TIMEOUT", "0s"},
		{"LOCK_TIMEOUT=soon", "LOCK_TIMEOUT", "soon"},
		{"IDLE_IN_TRANSACTION_TIMEOUT=1d", "IDLE_IN_TRANSACTION_TIMEOUT", "1d"},
		{"APPLICATION_NAME=f\u00fcr", "APPLICATION_NAME", "f\u00fcr"},
		{"ISOLATION=snapshot", "ISOLATION", "snapshot"},
		{"PGBOUNCER=maybe", "PGBOUNCER", "maybe"},
		{"IDEMPOTENCY_TTL=1s", "IDEMPOTENCY_TTL", "1s"},
		{"CHANGES_RETENTION=1s", "CHANGES_RETENTION", "1s"},
		{"CHANGES_URL=sqlite:x.db", "CHANGES_URL", "sqlite:x.db"},
		{"CHANGES_MAX_ROWS=10", "CHANGES_MAX_ROWS", "10"},
		{"MAX_DEPTH=-1", "MAX_DEPTH", "-1"},
		{"--max-aliases=many", "--max-aliases", "many"},
		{"MAX_COST=1000001", "MAX_COST", "1000001"},
		{"HELD_TOO_LONG=0s", "HELD_TOO_LONG", "0s"},
		{"POOL_TIMEOUT=0s", "POOL_TIMEOUT", "0s"},
		{"--pool-timeout=1h", "--pool-timeout", "1h"},
		{"MAX_BODY_BYTES=1023", "MAX_BODY_BYTES", "1023"},
		{"MAX_BODY_BYTES=1MB", "MAX_BODY_BYTES", "1MB"},
		{"MAX_HEADER_BYTES=0", "MAX_HEADER_BYTES", "0"},
		{"READ_HEADER_TIMEOUT=0s", "READ_HEADER_TIMEOUT", "0s"},
		{"READ_TIMEOUT=99ms", "READ_TIMEOUT", "99ms"},
		{"WRITE_TIMEOUT=2h", "WRITE_TIMEOUT", "2h"},
		{"IDLE_TIMEOUT=2", "IDLE_TIMEOUT", "2"},
		{"REQUEST_TIMEOUT=-1s", "REQUEST_TIMEOUT", "-1s"},
		{"MAX_IN_FLIGHT=-1", "MAX_IN_FLIGHT", "-1"},
		{"--max-queued=all", "--max-queued", "all"},
		{"QUEUE_TIMEOUT=0s", "QUEUE_TIMEOUT", "0s"},
		{"TRUSTED_PROXIES=10.0.0.1", "TRUSTED_PROXIES", "10.0.0.1"},
		{"TRUSTED_PROXIES=10.0.0.1/8", "TRUSTED_PROXIES", "10.0.0.1/8"},
		{"TRUSTED_PROXIES=10.0.0.0/8,", "TRUSTED_PROXIES", "10.0.0.0/8,"},
		{"PASSWORD_MEMORY=7167", "PASSWORD_MEMORY", "7167"},
		{"PASSWORD_TIME=0", "PASSWORD_TIME", "0"},
		{"PASSWORD_THREADS=65", "PASSWORD_THREADS", "65"},
		{"PASSWORD_HASHES=0", "PASSWORD_HASHES", "0"},
		{"REFRESH_TOKEN_TTL=59s", "REFRESH_TOKEN_TTL", "59s"},
		{"FACTOR_SECRET=s3cret", "FACTOR_SECRET", "…"},
		{"FACTOR_SECRET=s3cret0123456789012345678901234567890,", "FACTOR_SECRET", "…"},
		{"PASSKEY_RP_ID=https://example.com", "PASSKEY_RP_ID", "https://example.com"},
		{"PASSKEY_RP_ID=example.com:8080", "PASSKEY_RP_ID", "example.com:8080"},
		{"PASSKEY_RP_ID=Example.com", "PASSKEY_RP_ID", "Example.com"},
		{"PASSKEY_ORIGINS=https://example.com", "PASSKEY_ORIGINS", "https://example.com"}, // not of localhost
		{"PASSKEY_ORIGINS=android:apk-key-hash:short", "PASSKEY_ORIGINS", "android:apk-key-hash:short"},
		{"PASSKEY_ORIGINS=https://evil-localhost", "PASSKEY_ORIGINS", "https://evil-localhost"},
		{"PASSKEY_ORIGINS=http://app.localhost:3000", "PASSKEY_ORIGINS", "http://app.localhost:3000"},
		{"PASSKEY_ORIGINS=http://u:s3cret@localhost", "PASSKEY_ORIGINS", "…"},
		{"CORS_ORIGINS=*", "CORS_ORIGINS", "*"},
		{"CORS_ORIGINS=null", "CORS_ORIGINS", "null"},
		{"CORS_ORIGINS=https://*.example.com", "CORS_ORIGINS", "https://*.example.com"},
		{"CORS_ORIGINS=app.example.com", "CORS_ORIGINS", "app.example.com"},
		{"CORS_ORIGINS=https://app.example.com/", "CORS_ORIGINS", "https://app.example.com/"},
		{"CORS_ORIGINS=https://App.example.com", "CORS_ORIGINS", "https://App.example.com"},
		{"CORS_ORIGINS=https://app.example.com:443", "CORS_ORIGINS", "https://app.example.com:443"},
		{"CORS_ORIGINS=https://app.example.com:0x1", "CORS_ORIGINS", "https://app.example.com:0x1"},
		{"CORS_ORIGINS=https://u:s3cret@app.example.com", "CORS_ORIGINS", "…"},
		{"CORS_ORIGINS=ftp://app.example.com", "CORS_ORIGINS", "ftp://app.example.com"},
		{"CORS_ORIGINS=https://a.example,,https://b.example", "CORS_ORIGINS", "https://a.example,,https://b.example"},
		{"CORS_ORIGINS=https://a.example,https://a.example", "CORS_ORIGINS", "https://a.example,https://a.example"},
		{"--cors-origins=http://café.example", "--cors-origins", "http://café.example"},
		{"LOG_LEVEL=loud", "LOG_LEVEL", "loud"},
		{"DATABASE_URL=forge.db", "DATABASE_URL", "…"},
		{"DATABASE_URL=host=h password=s3cret", "DATABASE_URL", "…"},
		{"DATABASE_URL=mysql://u:s3cret@h/x", "DATABASE_URL", "mysql://u:xxxxx@h/x"},
		{"DATABASE_URL=postgres://u:s3cret%zz@h/x", "DATABASE_URL", "postgres://…"},
		{"DATABASE_URL=postgres://u:s3cret@h/x?sslmode=perhaps", "DATABASE_URL", "postgres://u:xxxxx@h/x?sslmode=perhaps"},
		{"--database-url=sqlite:", "--database-url", "sqlite:"},
		{"--database-url=sqlite:a.db?cache=shared", "--database-url", "sqlite:a.db?cache=shared"},
	}
	for _, tt := range tests {
		t.Run(tt.word, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.word)
			if _, ok := errors.AsType[*usage.Error](err); !ok {
				t.Fatalf("%v, want a usage error", err)
			}
			message := err.Error()
			start, end := tt.name+`="`+tt.value+`" is not allowed`, "; allowed: "+allowed[tt.name]
			if !strings.HasPrefix(message, start) || !strings.HasSuffix(message, end) {
				t.Errorf("%s\nwant it to begin with\n%s\nand to end with\n%s", message, start, end)
			}
			if strings.Contains(message, "s3cret") || strings.Contains(message, "\n") {
				t.Errorf("a password or a second line: %s", message)
			}
		})
	}
}

func TestUnknownVariable(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"FORGE_ENVV=x":     "FORGE_ENV",
		"FORGE_ADDR=x":     "ADDR",
		"FORGE_DATABASE=x": "DATABASE_URL",
		"FORGE_=x":         "",
		"FORGE_PROT=x":     "PORT",
	}
	for word, nearest := range tests {
		_, err := load(t, word)
		name, _, _ := strings.Cut(word, "=")
		want := name + " is not a setting; the nearest is " + nearest
		if nearest == "" {
			want = name + " is not a setting; forge settings all lists all"
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want a hint at %s", word, err, nearest)
		}
	}
	if _, err := load(t, "FORGERY=x", "POOLSIZE=x"); err != nil {
		t.Errorf("other programs' variables: %v", err)
	}
}

// TestMayServe is the whole table: a server that asks nobody who they are is for its own machine.
func TestMayServe(t *testing.T) {
	t.Parallel()
	const secret = "0123456789012345678901234567890123456789"
	tests := []struct {
		words []string
		name  string // of the setting that is refused
	}{
		{nil, ""},
		{[]string{"ADDR=localhost:80"}, ""},
		{[]string{"ADDR=127.9.9.9:80"}, ""},
		{[]string{"ADDR=[::1]:80"}, ""},
		{[]string{"FORGE_ENV=production", "AUTH=off"}, ""},
		{[]string{"ADDR=:80"}, "ADDR"},
		{[]string{"ADDR=0.0.0.0:80"}, "ADDR"},
		{[]string{"--addr=[::]:80"}, "--addr"},
		{[]string{"ADDR=192.168.0.1:80", "AUTH=off"}, "ADDR"},
		{[]string{"ADDR=example.com:80"}, "ADDR"},
		{[]string{"FORGE_ENV=production", "AUTH=off", "ADDR=:80"}, "ADDR"},
		{[]string{"ADDR=:80", "AUTH_OFF_ANYWHERE=no"}, "ADDR"},
		{[]string{"ADDR=:80", "AUTH_OFF_ANYWHERE=yes-everyone-is-administrator"}, ""},
		{[]string{"FORGE_ENV=production", "AUTH_OFF_ANYWHERE=yes-everyone-is-administrator"}, "AUTH"},
		{[]string{"FORGE_ENV=production", "AUTH=off", "ADDR=:80", "AUTH_OFF_ANYWHERE=yes-everyone-is-administrator"}, ""},
		{[]string{"FORGE_ENV=production", "AUTH_SECRET=" + secret, "CONSOLE=on"}, ""},
		{[]string{"FORGE_ENV=production", "AUTH=off", "CONSOLE=on"}, "CONSOLE"},
		{[]string{"TRUSTED_DOCUMENTS=x.json", "--console"}, "--console"},
		{[]string{"AUTH=on"}, ""},
		{[]string{"AUTH=on", "DATABASE_URL=sqlite::memory:"}, ""},
		{[]string{"AUTH=on", "DATABASE_URL=postgres://h/d"}, "AUTH"},
		{[]string{"--auth=on", "FORGE_ENV=production", "ADDR=:80"}, "--auth"},
		{[]string{"FORGE_ENV=production"}, "AUTH"},
		{[]string{"FORGE_ENV=production", "CURSOR_SECRET=" + secret}, "AUTH"},
		{[]string{"FORGE_ENV=production", "AUTH_SECRET=" + secret, "ADDR=:80"}, ""},
		{[]string{"AUTH=on", "AUTH_KEYS_FILE=keys.json"}, ""},
		{[]string{"AUTH=on", "AUTH_JWKS_URL=https://id.example/keys", "AUTH_ISSUER=i", "AUTH_AUDIENCE=a"}, ""},
		{[]string{"AUTH=off", "AUTH_SECRET=" + secret, "ADDR=:80"}, "ADDR"},
	}
	for _, tt := range tests {
		s, err := load(t, tt.words...)
		if err != nil {
			t.Fatal(err)
		}
		err = s.MayServe()
		switch _, isUsage := errors.AsType[*usage.Error](err); {
		case tt.name == "" && err != nil:
			t.Errorf("%v: %v", tt.words, err)
		case tt.name != "" && (!isUsage || !strings.HasPrefix(err.Error(), tt.name+"=")):
			t.Errorf("%v: %v, want it to name %s", tt.words, err, tt.name)
		}
	}
}

// TestNames gives values that cannot be names to each setting whose value is a name.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_ROLE_CLAIM", "AUTH_USER_CLAIM", "OTEL_SERVICE_NAME"} {
		for _, value := range []string{"\n", " ", "forge\n", "a\x00b", "a\x7fb", "a\u0085b", "\xff", strings.Repeat("x", 256)} {
			_, err := load(t, name+"="+value)
			if err == nil || !strings.HasPrefix(err.Error(), name+"=") || !strings.HasSuffix(err.Error(), "; allowed: "+nameAllowed) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
		if _, err := load(t, name+"=Föřge 1"); err != nil {
			t.Error(err)
		}
	}
}

// TestDefaults checks that what --help says of a default holds.
func TestDefaults(t *testing.T) {
	t.Parallel()
	silent, err := load(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range All {
		if setting.derive != nil {
			continue // TestLoad has them
		}
		said, err := load(t, setting.Env+"="+setting.Default)
		if err != nil {
			t.Fatal(err)
		}
		if said.sources = silent.sources; !reflect.DeepEqual(*said, *silent) {
			t.Errorf("%s=%s is not what holds without it", setting.Env, setting.Default)
		}
	}
}

// TestMayServeSays checks that the error names the value as it was given, and says what to do.
func TestMayServeSays(t *testing.T) {
	t.Parallel()
	s, err := load(t, "FORGE_ENV=production", "AUTH=yes")
	if err != nil {
		t.Fatal(err)
	}
	err = s.MayServe()
	if err == nil {
		t.Fatal("it may serve without a key")
	}
	for _, part := range []string{`AUTH="yes"`, "AUTH_SECRET", "openssl rand -base64 32", "AUTH_KEYS_FILE", "AUTH_JWKS_URL"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want it to say %s", err, part)
		}
	}
}

// TestPasskeysInProduction turns passkeys on without a domain, or without pages.
func TestPasskeysInProduction(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{
		{"FORGE_ENV=production", "PASSKEYS=on"},
		{"FORGE_ENV=production", "PASSKEYS=on", "PASSKEY_RP_ID=example.com"},
		{"PASSKEYS=on", "PASSKEY_RP_ID=none"},
	} {
		if s, err := load(t, words...); err == nil || !strings.Contains(err.Error(), "PASSKEYS") {
			t.Errorf("%v: %v, %+v", words, err, s)
		}
	}
	s, err := load(t, "FORGE_ENV=production", "PASSKEYS=on", "PASSKEY_RP_ID=example.com", "PASSKEY_ORIGINS=https://example.com")
	if err != nil || !s.Passkeys {
		t.Errorf("%v, %+v", err, s)
	}
}
