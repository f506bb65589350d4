// Package onetime keeps tokens that are good once and for a short time, such as those in mails. The
// database has only their hashes, so a copy of the database is of no use to sign in.
package onetime

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/expiry"
	"forge/internal/migrator/catalog"
	"forge/internal/unit"
)

// ErrInvalid means that a token was never made, was used, has expired, or is for another purpose.
var ErrInvalid = errors.New("the token is not valid, or no longer")

// MaxTokens is how many tokens an account may have for one purpose. If it gets one more, the oldest
// ends.
const MaxTokens = 5

// MaxOpen is about how many tokens that are nobody's there may be for one purpose, and MaxOfNetwork
// how many of one network. Everybody may have them made, and each is a row.
const (
	MaxOpen      = 10_000
	MaxOfNetwork = 200
)

// table returns the table for a kind of database.
func table(name string) catalog.Object { return tables[name] }

var tables = map[string]catalog.Object{
	dialect.Postgres: newTable(dialect.Postgres),
	dialect.SQLite:   newTable(dialect.SQLite),
}

// newTable returns the table for a kind of database. Times are microseconds since 1970, in both.
// The unique columns are so that there are indexes for them, which are parts of the table.
func newTable(name string) catalog.Object {
	bytes, text, number := "bytea", `text COLLATE "C"`, "bigint"
	if name == dialect.SQLite {
		bytes, text, number = "BLOB", "TEXT", "INTEGER"
	}
	return catalog.NewObject("onetime", "", fmt.Sprintf(`CREATE TABLE NAME (
  hash %[1]s PRIMARY KEY,
  purpose %[2]s NOT NULL,
  account %[1]s,
  data %[1]s,
  created_at %[3]s NOT NULL,
  expires_at %[3]s NOT NULL,
  UNIQUE (account, purpose, created_at, hash),
  UNIQUE (expires_at, hash)
)`, bytes, text, number), "")
}

// Objects returns the table of the tokens for a kind of database.
func Objects(dialect string) []catalog.Object { return []catalog.Object{table(dialect)} }

// Token is what a token stands for.
type Token struct {
	Account uuid.UUID // the zero UUID if it is nobody's
	data    []byte
}

// Data reads into v what was given to New with the token.
func (t *Token) Data(v any) error { return json.Unmarshal(t.data, v) }

// New makes a token for a purpose that is good once and for a time, and returns it. data is kept
// with it as JSON. The token exists if the unit of work of ctx commits.
func New(ctx context.Context, purpose string, account uuid.UUID, data any, life time.Duration) (string, error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	token := base64.RawURLEncoding.EncodeToString(secret)
	return token, Put(ctx, purpose, token, account, data, life)
}

// Put is New for a token that the caller has made. It must not be guessed: it has at least 128
// random bits. If it is nobody's, it counts for the network of From. The error is UNAVAILABLE if
// there are too many that are nobody's: MaxOfNetwork of the network, or MaxOpen.
func Put(ctx context.Context, purpose, token string, account uuid.UUID, data any, life time.Duration) error {
	u := unit.FromContext(ctx)
	now, err := u.Now(ctx)
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	kept, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("keep the data of a token: %w", err)
	}
	name := table(u.Dialect()).Name
	if err := makeRoom(ctx, purpose, account); err != nil {
		return err
	}
	_, err = u.Exec(ctx, "INSERT INTO "+name+" (hash, purpose, account, data, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
		hashed(token), purpose, ownerOrNetwork(ctx, account), kept, now.UnixMicro(), now.Add(life).UnixMicro())
	if err != nil {
		return fmt.Errorf("store a token: %w", err)
	}
	return nil
}

// makeRoom ends the oldest tokens of an account for a purpose, so that there may be one more. It
// returns UNAVAILABLE if there are too many that are nobody's.
func makeRoom(ctx context.Context, purpose string, account uuid.UUID) error {
	u := unit.FromContext(ctx)
	name := table(u.Dialect()).Name
	if account != uuid.Nil {
		if _, err := u.Exec(ctx, "DELETE FROM "+name+` WHERE hash IN (SELECT hash FROM `+name+`
 WHERE account = $1 AND purpose = $2 ORDER BY created_at DESC, hash LIMIT 1000 OFFSET $3)`, owner(account), purpose, MaxTokens-1); err != nil {
			return fmt.Errorf("end the oldest tokens: %w", err)
		}
		return nil
	}
	for _, bound := range []struct {
		first, behind string // of the owners that count together
		most          int
	}{
		{network(ctx), network(ctx) + "\x00", MaxOfNetwork},
		{networks, networksEnd, MaxOpen},
	} {
		full := false
		err := u.Rows(ctx, func(rows *sql.Rows) error {
			full = rows.Next()
			return nil
		}, "SELECT 1 FROM "+name+" WHERE account >= $1 AND account < $2 AND purpose = $3 LIMIT 1 OFFSET $4",
			[]byte(bound.first), []byte(bound.behind), purpose, bound.most-1)
		switch {
		case err != nil:
			return fmt.Errorf("count the tokens of nobody: %w", err)
		case full:
			return errFull
		}
	}
	return nil
}

// The owner of a token that is nobody's is a network: a text that begins with networks, and comes
// before networksEnd.
const networks, networksEnd = "network ", "network!"

type fromKey struct{}

// From returns a context in which tokens that are nobody's count for the network of a client. All
// tokens without it count for one network.
func From(ctx context.Context, client netip.Addr) context.Context {
	return context.WithValue(ctx, fromKey{}, clientip.Site(client))
}

func network(ctx context.Context) string {
	p, _ := ctx.Value(fromKey{}).(netip.Prefix)
	return networks + p.String()
}

// errFull says that there are too many tokens of nobody. Those that have expired are removed every
// minute.
var errFull = &apperr.Error{Code: apperr.CodeUnavailable, Message: "too many have begun this at once; try again in some minutes"}

// Change replaces the data of a token, which is good as often and as long as before. It returns
// ErrInvalid if the token is not good for the purpose.
func Change(ctx context.Context, purpose, token string, data any) error {
	u := unit.FromContext(ctx)
	kept, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("keep the data of a token: %w", err)
	}
	n, err := u.Exec(ctx, "UPDATE "+table(u.Dialect()).Name+" SET data = $1 WHERE hash = $2 AND purpose = $3", kept, hashed(token), purpose)
	switch {
	case err != nil:
		return fmt.Errorf("change a token: %w", err)
	case n == 0:
		return ErrInvalid
	}
	return nil
}

// Use returns what a token stands for, and ends it. Of several that use it at once, one succeeds.
// It returns ErrInvalid if the token is not good for the purpose. If the unit of work of ctx is
// rolled back, the token is as good as before.
func Use(ctx context.Context, purpose, token string) (*Token, error) {
	u := unit.FromContext(ctx)
	now, err := u.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	return one(ctx, "DELETE FROM "+table(u.Dialect()).Name+
		" WHERE hash = $1 AND purpose = $2 AND expires_at > $3 RETURNING account, data", hashed(token), purpose, now.UnixMicro())
}

// Find returns what a token stands for, and leaves it as it is. It returns ErrInvalid if the token
// is not good for the purpose.
func Find(ctx context.Context, purpose, token string) (*Token, error) {
	u := unit.FromContext(ctx)
	now, err := u.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	return one(ctx, "SELECT account, data FROM "+table(u.Dialect()).Name+
		" WHERE hash = $1 AND purpose = $2 AND expires_at > $3", hashed(token), purpose, now.UnixMicro())
}

// End ends the tokens of an account for some purposes, or all of them if none is named.
func End(ctx context.Context, account uuid.UUID, purposes ...string) error {
	u := unit.FromContext(ctx)
	where := entsql.EQ("account", owner(account))
	if len(purposes) > 0 {
		some := make([]any, len(purposes))
		for i, purpose := range purposes {
			some[i] = purpose
		}
		where = entsql.And(where, entsql.In("purpose", some...))
	}
	text, args := entsql.Dialect(u.Dialect()).Delete(table(u.Dialect()).Name).Where(where).Query()
	if _, err := u.Exec(ctx, text, args...); err != nil {
		return fmt.Errorf("end tokens: %w", err)
	}
	return nil
}

// Exists returns an expression of SQL that says whether an account has tokens, for a query that
// reads the account anyway. The account is the parameter with this name, as 16 bytes.
func Exists(dialect, account string) string {
	return "EXISTS (SELECT 1 FROM " + table(dialect).Name + " WHERE account = " + account + ")"
}

// Expired removes tokens that had expired at the time now, and returns how many. It is an
// expiry.Some.
func Expired(ctx context.Context, now time.Time) (int, error) {
	u := unit.FromContext(ctx)
	name := table(u.Dialect()).Name
	n, err := u.Exec(ctx, "DELETE FROM "+name+" WHERE hash IN (SELECT hash FROM "+name+" WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
		now.UnixMicro(), expiry.Limit)
	return int(n), err
}

// one returns the token in the only row of a query, or ErrInvalid if there is no row.
func one(ctx context.Context, query string, args ...any) (t *Token, err error) {
	err = unit.FromContext(ctx).Rows(ctx, func(rows *sql.Rows) error {
		if !rows.Next() {
			return nil
		}
		var account []byte
		t = new(Token)
		if err := rows.Scan(&account, &t.data); err != nil || bytes.HasPrefix(account, []byte(networks)) {
			return err
		}
		t.Account, err = uuid.FromBytes(account)
		return err
	}, query, args...)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for a token: %w", err)
	case t == nil:
		return nil, ErrInvalid
	}
	return t, nil
}

// owner returns the value of the column account for an account.
func owner(account uuid.UUID) []byte { return account[:] }

// ownerOrNetwork is owner, and returns the network of ctx for the zero UUID.
func ownerOrNetwork(ctx context.Context, account uuid.UUID) []byte {
	if account == uuid.Nil {
		return []byte(network(ctx))
	}
	return owner(account)
}

func hashed(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
