package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"forge/internal/account"
	"forge/internal/blob"
	"forge/internal/database"
	"forge/internal/password"
	"forge/internal/token"
	"forge/internal/tracing"
)

// All lists the settings. The default of a setting may depend on those above it.
var All = []Setting{
	{
		Env: "FORGE_ENV", Flag: "env", Default: "development", Allowed: "development or production",
		Meaning: "production turns off introspection, the playground, and hints and costs in answers, and makes log lines JSON",
		set:     func(s *Settings, v string) error { return choose(&s.Production, v, "development", "production") },
	},
	{
		Env: "DATABASE_URL", Flag: "database-url", Default: "sqlite:forge.db",
		Allowed: "postgres://USER:PASSWORD@HOST:PORT/DATABASE, with several HOST:PORT and commas between them to follow the primary; sqlite:PATH, with ?mode=rw for a file that has to be there or ?mode=ro for one " +
			"that is only read; or sqlite::memory: for one that is gone at the end",
		Meaning: "the database",
		set:     setDatabase, show: database.Redact,
	},
	{
		Env: "DATABASE_REPLICAS", Flag: "database-replicas", Default: "none",
		Allowed: "none, or addresses of standbys, separated by blanks: postgres://USER:PASSWORD@HOST:PORT/DATABASE, each of one server and of the database of DATABASE_URL",
		Meaning: "standbys of the PostgreSQL of DATABASE_URL that queries may be read from; READS says which",
		set:     setReplicas, show: showReplicas,
	},
	{
		Env: "READS", Flag: "reads", Default: string(ReadsPrimary), Allowed: "primary, replica or replica-if-fresh",
		Meaning: "where queries are read: with replica on a replica that is at most MAX_REPLICA_LAG behind; with replica-if-fresh on one that has what the client " +
			"has written and seen, or, if the client does not say so with Forge-Read-After, on one that has caught up with the primary; where none is, on the primary",
		set: setReads,
	},
	{
		Env: "MAX_REPLICA_LAG", Flag: "max-replica-lag", Default: "5s", Allowed: durationText(100*time.Millisecond, time.Hour),
		Meaning: "how far a replica may be behind the primary to be read from",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.MaxReplicaLag }, 100*time.Millisecond, time.Hour),
	},
	{
		Env: "PORT", Flag: "port", Default: "none", Allowed: "a port from 0 (any that is free) to 65535, or none",
		Meaning: "the port to listen on if ADDR says nothing, as platforms that run containers give it: of 127.0.0.1 in development, of all addresses in production",
		set:     setPort,
	},
	{
		Env: "ADDR", Flag: "addr", Default: "127.0.0.1:8080, or what PORT says",
		Allowed: "HOST:PORT, with a port from 0 (any that is free) to 65535, and no HOST for all addresses of the machine",
		Meaning: "where to listen",
		derive:  defaultAddr,
		set:     setAddr,
	},
	{
		Env: "AUTH", Flag: "auth", Default: "off in development, on in production",
		Allowed: "on, or off where only this machine can connect",
		Meaning: "whether requests must say who they come from; if not, each acts as an administrator, and ADDR must be loopback, or AUTH_OFF_ANYWHERE must say that all is meant for everyone",
		derive:  func(s *Settings) string { return onOff(s.Production) },
		set:     func(s *Settings, v string) error { return setBool(&s.Auth, v) },
	},
	{
		Env: "AUTH_OFF_ANYWHERE", Flag: "auth-off-anywhere", Default: "no", Allowed: "no or " + everyone,
		Meaning: "whether AUTH=off is also meant where other machines can connect, and each of them may read, change and delete everything",
		set:     func(s *Settings, v string) error { return choose(&s.OpenToAll, v, "no", everyone) },
	},
	{
		Env: "AUTH_SECRET", Flag: "auth-secret", Default: off, Allowed: fmt.Sprintf("at least %d bytes, such as openssl rand -base64 32 prints, or none", token.MinSecret),
		Meaning: "the secret with which Forge signs its access tokens (HS256) and checks them; alike in all processes. With AUTH=on in development on SQLite, and no other key, " +
			"one is made, and kept beside the file of the database: forge.db-secret",
		set: setSecret(func(s *Settings) *string { return &s.Token.Secret }), show: hidden,
	},
	{
		Env: "AUTH_KEYS_FILE", Flag: "auth-keys-file", Default: off, Allowed: "the path of a JSON Web Key Set, or none",
		Meaning: "private keys that Forge signs its access tokens with, each with its own kid: oct (HS256) or Ed25519 (EdDSA); the first signs, and all of them and AUTH_SECRET are good for checking",
		set:     setOptional(func(s *Settings) *string { return &s.Token.KeysFile }),
	},
	{
		Env: "ACCESS_TOKEN_TTL", Flag: "access-token-ttl", Default: "15m", Allowed: durationText(time.Second, 24*time.Hour),
		Meaning: "how long an access token of Forge's own lives",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Token.TTL }, time.Second, 24*time.Hour),
	},
	{
		Env: "AUTH_JWKS_URL", Flag: "auth-jwks-url", Default: off, Allowed: "https://HOST/PATH, http:// for a loopback address, or none",
		Meaning: "where an OpenID Connect provider publishes its keys: its tokens are good, too; goes with AUTH_ISSUER and AUTH_AUDIENCE",
		set:     setJWKS, show: redactURL,
	},
	{
		Env: "AUTH_ISSUER", Flag: "auth-issuer", Default: "forge, and none with AUTH_JWKS_URL", Allowed: nameAllowed,
		Meaning: "who makes tokens: what their claim iss has to be",
		derive:  defaultIssuer,
		set:     setIssuerOrAudience(func(s *Settings) *string { return &s.Token.Issuer }),
	},
	{
		Env: "AUTH_AUDIENCE", Flag: "auth-audience", Default: "forge, and none with AUTH_JWKS_URL", Allowed: nameAllowed,
		Meaning: "for whom tokens are made: what their claim aud has to be, or has to have among others",
		derive:  defaultIssuer,
		set:     setIssuerOrAudience(func(s *Settings) *string { return &s.Token.Audience }),
	},
	{
		Env: "AUTH_ROLE_CLAIM", Flag: "auth-role-claim", Default: "role", Allowed: nameAllowed,
		Meaning: "the claim of a provider's tokens that makes an administrator if it is ADMIN or a list with ADMIN, in any case of letters, and that gives roles of the application's own; realm_access.roles is the member roles of the claim realm_access",
		set:     setName(func(s *Settings) *string { return &s.Token.RoleClaim }),
	},
	{
		Env: "AUTH_USER_CLAIM", Flag: "auth-user-claim", Default: "sub", Allowed: nameAllowed,
		Meaning: "the claim of a provider's tokens that may be the ID of a user of Forge, user_…; whoever has none is signed in, and no row is theirs",
		set:     setName(func(s *Settings) *string { return &s.Token.UserClaim }),
	},
	{
		Env: "AUTH_TENANT_CLAIM", Flag: "auth-tenant-claim", Default: off, Allowed: nameAllowed + ", or none",
		Meaning: "the claim of a provider's tokens that has the key or the ID of the viewer's tenant; named as AUTH_ROLE_CLAIM is",
		set:     setOptionalName(func(s *Settings) *string { return &s.Token.TenantClaim }),
	},
	{
		Env: "AUTH_PROVIDERS_FILE", Flag: "auth-providers-file", Default: off, Allowed: "the path of a file of JSON or YAML, or none",
		Meaning: "the providers that people can sign in with, such as Google, with their secrets, and the pages that they come back to; docs/accounts.md says what is in it",
		set:     setOptional(func(s *Settings) *string { return &s.ProvidersFile }),
	},
	{
		Env: "CURSOR_SECRET", Flag: "cursor-secret", Default: off, Allowed: fmt.Sprintf("at least %d bytes, or none", token.MinSecret),
		Meaning: "what the key of cursors is made of, alike in all processes; with none it is made of AUTH_SECRET, or else of the first key of AUTH_KEYS_FILE, and with none of these the database keeps it",
		set:     setSecret(func(s *Settings) *string { return &s.Token.CursorSecret }), show: hidden,
	},
	{
		Env: "REFRESH_TOKEN_TTL", Flag: "refresh-token-ttl", Default: "720h", Allowed: durationText(time.Minute, 366*24*time.Hour),
		Meaning: "how long a refresh token is good; each use exchanges it for a new one, so a session lasts while it is used at least that often",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.RefreshTokenTTL }, time.Minute, 366*24*time.Hour),
	},
	{
		Env: "REFRESH_GRACE", Flag: "refresh-grace", Default: "10s", Allowed: durationText(0, time.Minute),
		Meaning: "for how long a client that sends a used refresh token again, from another tab or because an answer was lost, gets the same tokens again; " +
			"with 0s a token that comes twice ends its session",
		set: setDuration(func(s *Settings) *time.Duration { return &s.RefreshGrace }, 0, time.Minute),
	},
	{
		Env: "SESSION_COOKIE", Flag: "session-cookie", Default: string(CookieOff), Allowed: "off, on or both",
		Meaning: "whether refresh tokens are kept in a cookie that scripts cannot read, and not in answers; with both, access tokens are in a cookie as well. " +
			"Pages of this server's own origin and of CORS_ORIGINS can use them, if they are of the same site",
		set: setCookie,
	},
	{
		Env: "TOTP", Flag: "totp", Default: "off", Allowed: "on or off", alone: true,
		Meaning: "whether users may set up an authenticator app, whose codes they then need to sign in; who has set one up needs them also when it is off",
		set:     func(s *Settings, v string) error { return setBool(&s.TOTP, v) },
	},
	{
		Env: "PASSKEY_RP_ID", Flag: "passkey-rp-id", Default: "localhost in development, none in production", Allowed: "a domain, such as example.com, or none",
		Meaning: "the domain that passkeys belong to: that of the pages that use them, or one above it; with another one later, all passkeys are lost",
		derive:  defaultRPID,
		set:     setRPID,
	},
	{
		Env: "PASSKEY_ORIGINS", Flag: "passkey-origins", Default: "none", Allowed: "none, or origins as browsers and apps send them, separated by commas: https://app.example.com,android:apk-key-hash:… and 43 characters",
		Meaning: "the pages that may use passkeys, of PASSKEY_RP_ID or below it, with TLS unless they are on localhost, and the apps for Android; with none, in development, the pages of PASSKEY_RP_ID on any port",
		set:     setPasskeyOrigins, show: showOrigins,
	},
	{
		Env: "PASSKEYS", Flag: "passkeys", Default: "off", Allowed: "on, or off; in production with PASSKEY_RP_ID and PASSKEY_ORIGINS", alone: true,
		Meaning: "whether users may make passkeys, and sign in with them",
		set:     setPasskeys,
	},
	{
		Env: "FACTOR_ISSUER", Flag: "factor-issuer", Default: "Forge", Allowed: nameAllowed,
		Meaning: "the name of the application that authenticator apps and devices show beside the user's",
		set:     setName(func(s *Settings) *string { return &s.FactorIssuer }),
	},
	{
		Env: "FACTOR_SECRET", Flag: "factor-secret", Default: off, Allowed: fmt.Sprintf("at least %d bytes, several such secrets separated by commas, or none", token.MinSecret),
		Meaning: "what the key is made of that seals the secrets of authenticator apps, alike in all processes; the first one seals, and all of them, the keys of " +
			"AUTH_KEYS_FILE and AUTH_SECRET open; with none, the first of these seals, and must be kept as long as there is what it has sealed",
		set: setFactorSecrets, show: hidden,
	},
	{
		Env: "TRUSTED_PROXIES", Flag: "trusted-proxies", Default: "none", Allowed: "none, or networks, separated by commas: 10.0.0.0/8,fd00::/8",
		Meaning: "the proxies whose X-Forwarded-For is believed about where a request comes from; failures to sign in are counted by that address",
		set:     setProxies,
	},
	{
		Env: "PASSWORD_MEMORY", Flag: "password-memory", Default: "19456", Allowed: rangeText(7168, 1<<20),
		Meaning: "the memory that hashing a password takes, in KiB; what is stored with other parameters is replaced when its user signs in",
		set:     setInRange(func(s *Settings) *int { return &s.PasswordMemory }, 7168, 1<<20),
	},
	{
		Env: "PASSWORD_TIME", Flag: "password-time", Default: "2", Allowed: rangeText(1, 100),
		Meaning: "how many times hashing a password goes over its memory",
		set:     setInRange(func(s *Settings) *int { return &s.PasswordTime }, 1, 100),
	},
	{
		Env: "PASSWORD_THREADS", Flag: "password-threads", Default: "1", Allowed: rangeText(1, 64),
		Meaning: "how many processors hashing a password may use at once",
		set:     setInRange(func(s *Settings) *int { return &s.PasswordThreads }, 1, 64),
	},
	{
		Env: "PASSWORD_HASHES", Flag: "password-hashes", Default: "half the number of processors", Allowed: rangeText(1, 1000),
		Meaning: "how many passwords are hashed at once; a quarter of MAX_IN_FLIGHT wait for it, and for those beyond the answer is UNAVAILABLE at once",
		derive:  func(*Settings) string { return strconv.Itoa(password.AtOnce()) },
		set:     setInRange(func(s *Settings) *int { return &s.PasswordHashes }, 1, 1000),
	},
	{
		Env: "MAIL_SECRET", Flag: "mail-secret", Default: off, Allowed: "whsec_ and the Base64 of 24 to 64 bytes, or none",
		Meaning: "what mails are signed with that go to an https address, by Standard Webhooks",
		set:     setOptional(func(s *Settings) *string { return &s.Mail.Secret }), show: hidden,
	},
	{
		Env: "MAIL_URL", Flag: "mail-url", Default: off,
		Allowed: "smtp://USER:PASSWORD@HOST:PORT, where TLS has to be offered unless HOST is this machine; smtps://, where it begins with TLS; https://HOST/PATH of a service that takes each mail as JSON, with MAIL_SECRET; or none",
		Meaning: "where mails are sent; with none, they are kept in an inbox at /inbox in development, and there are none in production",
		set:     setMailURL, show: redactURL,
	},
	{
		Env: "MAIL_FROM", Flag: "mail-from", Default: "none; Forge <forge@localhost> for the inbox", Allowed: "an address, with or without a name: Shop <shop@example.com>",
		Meaning: "the sender of mails",
		derive:  defaultMailFrom,
		set:     setMailFrom,
	},
	{
		Env: "MAIL_TEMPLATES", Flag: "mail-templates", Default: off, Allowed: "the path of a folder, or none",
		Meaning: "templates of mails that count instead of those that are built in; the folder is laid out as mail/ in the source tree",
		set:     setOptional(func(s *Settings) *string { return &s.Mail.Templates }),
	},
	{
		Env: "ACCOUNT_URL", Flag: "account-url", Default: "the playground in development, none in production", Allowed: "https://HOST/PATH, http:// for a loopback address, or none",
		Meaning: "the application's page that links in mails lead to; what the link is for, and its token, stand behind a #: #reset=TOKEN",
		derive:  defaultPage,
		set:     setPage,
	},
	{
		Env: "ACCOUNT_MAILS", Flag: "account-mails", Default: "verify,reset,change, or none in production without MAIL_URL", Allowed: "some of " + strings.Join(account.Kinds, ", ") + ", with commas between them, or none",
		Meaning: "what people can do by mail: confirm their email, get a new password, change their email with the consent of both addresses, sign in by a link, sign in by a code",
		derive:  defaultMailKinds,
		set:     setMailKinds,
	},
	{
		Env: "ACCOUNT_ERASURE_DELAY", Flag: "account-erasure-delay", Default: "720h", Allowed: durationText(0, 366*24*time.Hour),
		Meaning: "how long after somebody has asked for it their account is erased; until then they can keep it",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.ErasureDelay }, 0, 366*24*time.Hour),
	},
	{
		Env: "FILES_URL", Flag: "files-url", Default: "the folder forge.db-files beside the file of a SQLite database, none with PostgreSQL",
		Allowed: "the path of a folder; s3://KEY:SECRET@HOST/BUCKET, with ?region= and ?tls=off as needed, and without KEY and SECRET to take them from the environment; or none",
		Meaning: "where the bytes of files are kept; a folder belongs to one server, a bucket to any number",
		derive:  defaultFiles,
		set:     setFiles, show: redactURL,
	},
	{
		Env: "FILES_ORIGIN", Flag: "files-origin", Default: off, Allowed: "https://HOST, http:// for a loopback address, or none",
		Meaning: "the origin of the addresses of files, which has to lead to this server, such as https://files.example.com; with none, addresses begin with /files/",
		set:     setFilesOrigin, show: redactURL,
	},
	{
		Env: "MAX_UPLOAD_BYTES", Flag: "max-upload-bytes", Default: "104857600", Allowed: rangeText(1024, blob.MaxS3Bytes),
		Meaning: "how many bytes a file may have",
		set:     setInRange(func(s *Settings) *int { return &s.Files.MaxBytes }, 1024, blob.MaxS3Bytes),
	},
	{
		Env: "MAX_ACCOUNT_BYTES", Flag: "max-account-bytes", Default: "0", Allowed: rangeText(1024, 1<<50) + ", or 0",
		Meaning: "how many bytes the files may have together that one account has uploaded, those in rows included; each counts for 4096 at least; 0 for no limit",
		set:     setInRangeOrZero(func(s *Settings) *int { return &s.Files.MaxAccountBytes }, 1024, 1<<50),
	},
	{
		Env: "MAX_PICTURE_PIXELS", Flag: "max-picture-pixels", Default: "50000000", Allowed: rangeText(1_000_000, 500_000_000),
		Meaning: "how many pixels a picture may have; reading pictures takes 4 bytes of memory for each, and 256 MiB at least",
		set:     setInRange(func(s *Settings) *int { return &s.Files.MaxPixels }, 1_000_000, 500_000_000),
	},
	{
		Env: "MAX_TRANSFERS", Flag: "max-transfers", Default: "256", Allowed: rangeText(1, 100_000),
		Meaning: "how many files are sent and received at once, half of them by one client at most; requests beyond are answered with 503",
		set:     setInRange(func(s *Settings) *int { return &s.Files.Transfers }, 1, 100_000),
	},
	{
		Env: "SHUTDOWN_DELAY", Flag: "shutdown-delay", Default: "0s", Allowed: durationText(0, 5*time.Minute),
		Meaning: "for how long after SIGTERM requests are still taken, while /readyz says 503, so that a load balancer can notice",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.ShutdownDelay }, 0, 5*time.Minute),
	},
	{
		Env: "MIGRATE", Flag: "migrate", Default: "on for SQLite, off for PostgreSQL", Allowed: "on or off",
		Meaning: "whether a starting server applies pending migrations", alone: true,
		derive: sqliteOnly,
		set:    func(s *Settings, v string) error { return setBool(&s.Migrate, v) },
	},
	{
		Env: "DEMO", Flag: "demo", Default: "on for SQLite in development, else off", Allowed: "on or off",
		Meaning: "whether a starting server fills an empty database with demo data", alone: true,
		derive: func(s *Settings) string { return onOff(isSQLite(s.DatabaseURL) && !s.Production) },
		set:    func(s *Settings, v string) error { return setBool(&s.Demo, v) },
	},
	{
		Env: "TRUSTED_DOCUMENTS", Flag: "trusted-documents", Default: "none",
		Allowed: "the path of a manifest that Relay, Apollo or GraphQL Code Generator wrote, or none",
		Meaning: "a manifest of trusted documents: the server runs these and no others; with none it runs all",
		set: func(s *Settings, v string) error {
			if v != "none" {
				s.TrustedDocuments = v
			}
			return nil
		},
	},
	{
		Env: "APQ", Flag: "apq", Default: "on", Allowed: "on or off", alone: true,
		Meaning: "whether clients may send the hash of a query that they sent before (automatic persisted queries); has no effect with TRUSTED_DOCUMENTS",
		set:     func(s *Settings, v string) error { return setBool(&s.APQ, v) },
	},
	{
		Env: "APQ_SHARED", Flag: "apq-shared", Default: "off", Allowed: "on or off; off with SQLite", alone: true,
		Meaning: "whether such queries are kept in the database as well, so that a client has to send one once for all servers; APQ_CACHE and APQ_CACHE_KIB bound the table, too",
		set: func(s *Settings, v string) error {
			if isSQLite(s.DatabaseURL) && v == "on" {
				return errors.New("a SQLite database has one server, which keeps them in memory")
			}
			return setBool(&s.APQShared, v)
		},
	},
	{
		Env: "APQ_CACHE", Flag: "apq-cache", Default: "1000", Allowed: rangeText(1, 1_000_000),
		Meaning: "how many such queries are kept, those that were asked for last",
		set:     setInRange(func(s *Settings) *int { return &s.APQCache }, 1, 1_000_000),
	},
	{
		Env: "APQ_CACHE_KIB", Flag: "apq-cache-kib", Default: "16384", Allowed: rangeText(1, 1_000_000),
		Meaning: "how much memory such queries may take, in KiB",
		set:     setInRange(func(s *Settings) *int { return &s.APQCacheKiB }, 1, 1_000_000),
	},
	{
		Env: "MULTIPART_UPLOADS", Flag: "multipart-uploads", Default: "off", Allowed: "on or off", alone: true,
		Meaning: "whether requests may contain small files (multipart/form-data); createUpload works without",
		set:     func(s *Settings, v string) error { return setBool(&s.MultipartUploads, v) },
	},
	{
		Env: "COMPRESSION", Flag: "compression", Default: "on", Allowed: "on or off", alone: true,
		Meaning: "whether answers of 1 KiB and more are compressed where the client asks for it",
		set:     func(s *Settings, v string) error { return setBool(&s.Compression, v) },
	},
	{
		Env: "SHARED_READS", Flag: "shared-reads", Default: "on", Allowed: "on or off", alone: true,
		Meaning: "whether requests that need the same read at the same moment share it",
		set:     func(s *Settings, v string) error { return setBool(&s.SharedReads, v) },
	},
	{
		Env: "PLAYGROUND", Flag: "playground", Default: "on in development, off in production and with TRUSTED_DOCUMENTS", Allowed: "on or off",
		Meaning: "whether GET / is a page to write queries on", alone: true,
		derive: func(s *Settings) string { return onOff(!s.Production && s.TrustedDocuments == "") },
		set:    func(s *Settings, v string) error { return setBool(&s.Playground, v) },
	},
	{
		Env: "CONSOLE", Flag: "console", Default: "on in development, off in production and with TRUSTED_DOCUMENTS", Allowed: "on, in production only with AUTH=on, and not with TRUSTED_DOCUMENTS; or off",
		Meaning: "whether GET /console is a page to look at rows and change them; in production only for administrators", alone: true,
		derive: func(s *Settings) string { return onOff(!s.Production && s.TrustedDocuments == "") },
		set:    func(s *Settings, v string) error { return setBool(&s.Console, v) },
	},
	{
		Env: "POOL_SIZE", Flag: "pool-size", Default: "16", Allowed: "a whole number from 1 to 1000",
		Meaning: "database connections at most",
		set:     setPoolSize,
	},
	{
		Env: "POOL_TIMEOUT", Flag: "pool-timeout", Default: "15s", Allowed: durationText(time.Millisecond, 5*time.Minute),
		Meaning: "how long a request waits for a database connection before the answer is UNAVAILABLE",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.PoolTimeout }, time.Millisecond, 5*time.Minute),
	},
	{
		Env: "POOL_RECYCLE", Flag: "pool-recycle", Default: "5m", Allowed: durationText(0, 24*time.Hour),
		Meaning: "how old a database connection gets before a new one takes its place; 0s for no limit",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.Recycle }, 0, 24*time.Hour),
	},
	{
		Env: "POOL_IDLE", Flag: "pool-idle", Default: "5m", Allowed: durationText(0, 24*time.Hour),
		Meaning: "how long a database connection is kept without use; 0s for no limit",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.IdleTime }, 0, 24*time.Hour),
	},
	{
		Env: "CONNECT_TIMEOUT", Flag: "connect-timeout", Default: "5s", Allowed: durationText(time.Second, 5*time.Minute),
		Meaning: "how long PostgreSQL may take to accept a connection, in whole seconds",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.ConnectTimeout }, time.Second, 5*time.Minute),
	},
	{
		Env: "STATEMENT_TIMEOUT", Flag: "statement-timeout", Default: "30s", Allowed: durationText(0, time.Hour),
		Meaning: "how long a statement may run before the answer is TIMEOUT; 0s for no limit",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.StatementTimeout }, 0, time.Hour),
	},
	{
		Env: "LOCK_TIMEOUT", Flag: "lock-timeout", Default: "10s", Allowed: durationText(0, time.Hour),
		Meaning: "how long a statement waits for what others have locked before the answer is TIMEOUT; 0s for no limit",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.LockTimeout }, 0, time.Hour),
	},
	{
		Env: "COMMIT_TIMEOUT", Flag: "commit-timeout", Default: "30s", Allowed: durationText(100*time.Millisecond, 5*time.Minute),
		Meaning: "how long a commit may take on PostgreSQL before the answer is UNAVAILABLE, with outcome unknown",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.CommitTimeout }, 100*time.Millisecond, 5*time.Minute),
	},
	{
		Env: "DURABILITY", Flag: "durability", Default: "any", Allowed: "any, or synced for PostgreSQL with a synchronous standby",
		Meaning: "when a change is acknowledged: once the database says that it is stored, or only if a second machine has it as well; " +
			"with synced, Forge does not start on a server that waits for no standby, and refuses changes while it does not",
		set: func(s *Settings, v string) error { return choose(&s.Pool.Synced, v, "any", "synced") },
	},
	{
		Env: "IDLE_IN_TRANSACTION_TIMEOUT", Flag: "idle-in-transaction-timeout", Default: "1m", Allowed: durationText(0, time.Hour),
		Meaning: "how long a transaction may stand still before PostgreSQL ends its connection; 0s for no limit",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Pool.IdleInTransaction }, 0, time.Hour),
	},
	{
		Env: "APPLICATION_NAME", Flag: "application-name", Default: "forge", Allowed: "1 to 63 printable ASCII characters",
		Meaning: "the name of this program's connections in PostgreSQL's pg_stat_activity",
		set:     setApplicationName,
	},
	{
		Env: "ISOLATION", Flag: "isolation", Default: "read-committed", Allowed: "read-committed or serializable",
		Meaning: "how mutations are kept apart from each other on PostgreSQL; SQLite runs them one after the other",
		set: func(s *Settings, v string) error {
			return choose(&s.Pool.Serializable, v, "read-committed", "serializable")
		},
	},
	{
		Env: "PGBOUNCER", Flag: "pgbouncer", Default: "off", Allowed: "on or off", alone: true,
		Meaning: "whether PostgreSQL is reached through PgBouncer in transaction mode: no prepared statements are kept then, and limits are set in each transaction",
		set:     func(s *Settings, v string) error { return setBool(&s.Pool.PgBouncer, v) },
	},
	{
		Env: "IDEMPOTENCY_TTL", Flag: "idempotency-ttl", Default: "24h", Allowed: durationText(time.Minute, 30*24*time.Hour),
		Meaning: "how long the answer to a mutation with an Idempotency-Key is kept",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.IdempotencyTTL }, time.Minute, 30*24*time.Hour),
	},
	{
		Env: "IDEMPOTENCY_ANSWER_BYTES", Flag: "idempotency-answer-bytes", Default: "262144", Allowed: "0, or " + rangeText(1024, 64<<20),
		Meaning: "how many bytes an answer may have that is kept under an Idempotency-Key; 0 for no limit",
		set:     setInRangeOrZero(func(s *Settings) *int { return &s.IdempotencyAnswerBytes }, 1024, 64<<20),
	},
	{
		Env: "IDEMPOTENCY_KEYS", Flag: "idempotency-keys", Default: "1000", Allowed: wholeNumbers,
		Meaning: "how many Idempotency-Keys are kept for a viewer who is no administrator; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.IdempotencyKeys }),
	},
	{
		Env: "IDEMPOTENCY_BYTES", Flag: "idempotency-bytes", Default: "16777216", Allowed: "0, or " + rangeText(1024, 1<<40),
		Meaning: "how many bytes the answers may have together that are kept for such a viewer; 0 for no limit",
		set:     setInRangeOrZero(func(s *Settings) *int { return &s.IdempotencyBytes }, 1024, 1<<40),
	},
	{
		Env: "CHANGES_RETENTION", Flag: "changes-retention", Default: "24h", Allowed: durationText(time.Minute, 366*24*time.Hour),
		Meaning: "how long the log of changes keeps a change; a client that was away for longer has to read everything anew",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.ChangesRetention }, time.Minute, 366*24*time.Hour),
	},
	{
		Env: "CHANGES_MAX_ROWS", Flag: "changes-max-rows", Default: "10000000", Allowed: rangeText(1000, 1_000_000_000),
		Meaning: "how many changes the log keeps; the oldest beyond are removed, however old they are",
		set:     setInRange(func(s *Settings) *int { return &s.ChangesMaxRows }, 1000, 1_000_000_000),
	},
	{
		Env: "CHANGES_URL", Flag: "changes-url", Default: "none", Allowed: "postgres://USER:PASSWORD@HOST:PORT/DATABASE, or none",
		Meaning: "the address of the database itself, for the connection on which other servers tell of changes, if DATABASE_URL is that of PgBouncer; " +
			"without it, their changes are noticed within 250 ms",
		set: setChangesURL, show: database.Redact,
	},
	{
		Env: "WEBHOOK_PRIVATE", Flag: "webhook-private", Default: "off", Allowed: "on or off", alone: true,
		Meaning: "whether webhooks may be delivered to addresses of private networks and of this machine, and without TLS",
		set:     func(s *Settings, v string) error { return setBool(&s.WebhookPrivate, v) },
	},
	{
		Env: "HELD_TOO_LONG", Flag: "held-too-long", Default: "10s", Allowed: durationText(time.Millisecond, time.Hour),
		Meaning: "an operation that holds its database connection for longer is logged while it does",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.HeldTooLong }, time.Millisecond, time.Hour),
	},
	{
		Env: "SLOW_OPERATION", Flag: "slow-operation", Default: "1s", Allowed: durationText(0, time.Hour),
		Meaning: "an operation that takes longer is logged with the statements that it ran, without their values; 0s for none",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.SlowOperation }, 0, time.Hour),
	},
	{
		Env: "OPERATION_NAMES", Flag: "operation-names", Default: "100", Allowed: "a whole number from 0 to 10000",
		Meaning: "how many operations metrics tell apart by name; those that come later count as other",
		set:     setOperationNames,
	},
	{
		Env: "MAX_DEPTH", Flag: "max-depth", Default: "20", Allowed: wholeNumbers,
		Meaning: "how deep the fields of an operation may stand inside each other; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxDepth }),
	},
	{
		Env: "MAX_ALIASES", Flag: "max-aliases", Default: "100", Allowed: wholeNumbers,
		Meaning: "how many aliases an operation may have; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxAliases }),
	},
	{
		Env: "MAX_ROOT_FIELDS", Flag: "max-root-fields", Default: "50", Allowed: wholeNumbers,
		Meaning: "how many root fields an operation may have; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxRootFields }),
	},
	{
		Env: "MAX_DIRECTIVES", Flag: "max-directives", Default: "50", Allowed: wholeNumbers,
		Meaning: "how many directives an operation may have; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxDirectives }),
	},
	{
		Env: "MAX_COST", Flag: "max-cost", Default: "10000", Allowed: wholeNumbers,
		Meaning: "what an operation may cost: 1 for each row that can come, a tenth for other objects, a fiftieth for each field, more for conditions; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxCost }),
	},
	{
		Env: "MAX_PLAN_COST", Flag: "max-plan-cost", Default: "2000000", Allowed: rangeText(0, 1<<31-1),
		Meaning: "what a query that may search tables may cost by PostgreSQL's own estimate, in the units of EXPLAIN; 0 for no limit",
		set:     setInRange(func(s *Settings) *int { return &s.Pool.MaxPlanCost }, 0, 1<<31-1),
	},
	{
		Env: "MAX_TOKENS", Flag: "max-tokens", Default: "10000", Allowed: wholeNumbers,
		Meaning: "how many tokens (words and signs) a document may have; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxTokens }),
	},
	{
		Env: "MAX_BODY_BYTES", Flag: "max-body-bytes", Default: "1048576", Allowed: rangeText(1024, 64<<20),
		Meaning: "how many bytes the body of a request may have",
		set:     setInRange(func(s *Settings) *int { return &s.MaxBodyBytes }, 1024, 64<<20),
	},
	{
		Env: "MAX_ANSWER_BYTES", Flag: "max-answer-bytes", Default: "4194304", Allowed: "0, or " + rangeText(64<<10, 1<<30),
		Meaning: "how many bytes an answer may have, and the rows that it is made of; 0 for no limit",
		set:     setInRangeOrZero(func(s *Settings) *int { return &s.MaxAnswerBytes }, 64<<10, 1<<30),
	},
	{
		Env: "MAX_UNSENT_BYTES", Flag: "max-unsent-bytes", Default: "134217728", Allowed: "0, or " + rangeText(1<<20, 1<<40),
		Meaning: "how many bytes of answers may wait for clients to read them; beyond it the connection that has waited longest ends; 0 for no limit",
		set:     setInRangeOrZero(func(s *Settings) *int { return &s.MaxUnsentBytes }, 1<<20, 1<<40),
	},
	{
		Env: "MAX_HEADER_BYTES", Flag: "max-header-bytes", Default: "32768", Allowed: rangeText(4096, 1<<20),
		Meaning: "how many bytes the request line and the headers of a request may have, give or take 4096",
		set:     setInRange(func(s *Settings) *int { return &s.Connection.MaxHeaderBytes }, 4096, 1<<20),
	},
	{
		Env: "READ_HEADER_TIMEOUT", Flag: "read-header-timeout", Default: "10s", Allowed: durationText(minTimeout, time.Hour),
		Meaning: "how long the headers of a request may take to arrive",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Connection.ReadHeaderTimeout }, minTimeout, time.Hour),
	},
	{
		Env: "READ_TIMEOUT", Flag: "read-timeout", Default: "30s", Allowed: durationText(minTimeout, time.Hour),
		Meaning: "how long a request, headers and body, may take to arrive",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Connection.ReadTimeout }, minTimeout, time.Hour),
	},
	{
		Env: "WRITE_TIMEOUT", Flag: "write-timeout", Default: "5m", Allowed: durationText(minTimeout, time.Hour),
		Meaning: "how long it may take from a request's headers until its sender has read the answer",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Connection.WriteTimeout }, minTimeout, time.Hour),
	},
	{
		Env: "STALL_TIMEOUT", Flag: "stall-timeout", Default: "10s", Allowed: durationText(minTimeout, time.Hour),
		Meaning: "how long a client may take for each 8 KiB of an answer before its connection ends",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Connection.StallTimeout }, minTimeout, time.Hour),
	},
	{
		Env: "IDLE_TIMEOUT", Flag: "idle-timeout", Default: "2m", Allowed: durationText(minTimeout, time.Hour),
		Meaning: "how long a connection is kept open for its next request",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.Connection.IdleTimeout }, minTimeout, time.Hour),
	},
	{
		Env: "REQUEST_TIMEOUT", Flag: "request-timeout", Default: "1m", Allowed: durationText(0, time.Hour),
		Meaning: "how long an operation may take, waiting for the database included, before it is stopped and the answer is TIMEOUT; 0s for no limit",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.RequestTimeout }, 0, time.Hour),
	},
	{
		Env: "MAX_IN_FLIGHT", Flag: "max-in-flight", Default: "32", Allowed: wholeNumbers,
		Meaning: "how many operations run at once; 0 for no limit",
		set:     setNumber(func(s *Settings) *int { return &s.MaxInFlight }),
	},
	{
		Env: "MAX_QUEUED", Flag: "max-queued", Default: "1024", Allowed: wholeNumbers,
		Meaning: "how many operations wait for their turn to run; for those beyond the answer is UNAVAILABLE at once",
		set:     setNumber(func(s *Settings) *int { return &s.MaxQueued }),
	},
	{
		Env: "QUEUE_TIMEOUT", Flag: "queue-timeout", Default: "2s", Allowed: durationText(time.Millisecond, 5*time.Minute),
		Meaning: "how long an operation waits for its turn before the answer is UNAVAILABLE",
		set:     setDuration(func(s *Settings) *time.Duration { return &s.QueueTimeout }, time.Millisecond, 5*time.Minute),
	},
	{
		Env: "STREAMS", Flag: "streams", Default: "10000", Allowed: wholeNumbers,
		Meaning: "how many streams may be open: a WebSocket with its first subscription, each further one, and each response with server-sent events; 0 for none at all",
		set:     setNumber(func(s *Settings) *int { return &s.Streams }),
	},
	{
		Env: "STREAMS_PER_CLIENT", Flag: "streams-per-client", Default: "1000", Allowed: wholeNumbers,
		Meaning: "how many of STREAMS a client may have open: a user, or the address of those who have not signed in, which is found as TRUSTED_PROXIES says; 0 for as many as there are",
		set:     setNumber(func(s *Settings) *int { return &s.StreamsPerClient }),
	},
	{
		Env: "CORS_ORIGINS", Flag: "cors-origins", Default: "none", Allowed: "none, or origins as browsers send them, separated by commas: https://app.example.com,http://localhost:3000",
		Meaning: "whose pages may use the API from a browser, beside this server's own and, in development, those that this machine serves",
		set:     setOrigins, show: showOrigins,
	},
	{
		Env: "LOG_LEVEL", Flag: "log-level", Default: "info", Allowed: "debug, info, warn or error",
		Meaning: "the least that is logged",
		set:     setLogLevel,
	},
	{
		Env: "OTEL_EXPORTER_OTLP_ENDPOINT", Flag: "otel-exporter-otlp-endpoint", Default: off, Allowed: "http://HOST:PORT, https://HOST:PORT, or none",
		Meaning: "an OpenTelemetry collector that takes OTLP over HTTP: requests are traced, and traces go to /v1/traces there",
		set:     setCollector, show: redactURL,
	},
	{
		Env: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Flag: "otel-exporter-otlp-traces-endpoint", Default: "/v1/traces of OTEL_EXPORTER_OTLP_ENDPOINT",
		Allowed: "http://HOST:PORT/PATH, https://HOST:PORT/PATH, or none",
		Meaning: "the whole address that traces go to",
		derive:  defaultTraces,
		set:     setTraces, show: redactURL,
	},
	{
		Env: "OTEL_EXPORTER_OTLP_HEADERS", Flag: "otel-exporter-otlp-headers", Default: off, Allowed: "NAME=VALUE, several with commas between them, percent-encoded, or none",
		Meaning: "headers that are sent to the collector, such as a key",
		set:     setHeaders, show: hidden,
	},
	{
		Env: "OTEL_SERVICE_NAME", Flag: "otel-service-name", Default: "forge", Allowed: nameAllowed,
		Meaning: "the name that traces go by",
		set:     setServiceName,
	},
	{
		Env: "OTEL_TRACES_SAMPLER", Flag: "otel-traces-sampler", Default: "parentbased_always_on", Allowed: strings.Join(tracing.Samplers, ", "),
		Meaning: "which requests are traced; parentbased follows the traceparent of those that have one",
		set:     setSampler,
	},
	{
		Env: "OTEL_TRACES_SAMPLER_ARG", Flag: "otel-traces-sampler-arg", Default: "1", Allowed: "a number from 0 to 1",
		Meaning: "the part of the requests that samplers of the kind traceidratio trace",
		set:     setSamplerRatio,
	},
}
