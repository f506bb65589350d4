package onetime_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/expiry"
	"forge/internal/onetime"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// do runs f in a unit of work, and commits unless f returns an error.
func do(t *testing.T, db *database.DB, f func(context.Context) error) error {
	t.Helper()
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	if err := f(unit.NewContext(t.Context(), u)); err != nil {
		return err
	}
	return u.Commit(t.Context())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTokens checks that a token is good once, for its purpose, its account and its time alone.
func TestTokens(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{PoolSize: 4})
		must(t, err)
		defer db.Close()
		ada := uuid.New()
		make := func(account uuid.UUID, life time.Duration) (token string) {
			must(t, do(t, db, func(ctx context.Context) (err error) {
				token, err = onetime.New(ctx, "greet", account, "hello", life)
				return err
			}))
			return token
		}
		use := func(purpose, token string, then error) (found *onetime.Token, err error) {
			err = do(t, db, func(ctx context.Context) (err error) {
				if found, err = onetime.Use(ctx, purpose, token); err == nil {
					err = then
				}
				return err
			})
			return found, err
		}
		invalid := func(what, purpose, token string) {
			t.Helper()
			if _, err := use(purpose, token, nil); !errors.Is(err, onetime.ErrInvalid) {
				t.Errorf("%s: %v", what, err)
			}
		}

		token := make(ada, time.Minute)
		invalid("for another purpose", "part", token)
		invalid("another token", "greet", token[1:]+"A")
		if _, err := use("greet", token, errors.New("rolled back")); errors.Is(err, onetime.ErrInvalid) {
			t.Error(err)
		}
		found, err := use("greet", token, nil)
		must(t, err)
		var data string
		if must(t, found.Data(&data)); data != "hello" || found.Account != ada {
			t.Errorf("%v, %q", found.Account, data)
		}
		invalid("used", "greet", token)

		invalid("expired", "greet", make(ada, 0))
		if n, err := expiry.Some(onetime.Expired).All(t.Context(), db); n != 1 || err != nil {
			t.Errorf("%d expired tokens removed, %v", n, err)
		}

		oldest := make(ada, time.Minute)
		nobody := make(uuid.Nil, time.Minute)
		for range onetime.MaxTokens {
			token = make(ada, time.Minute)
		}
		invalid("the oldest of too many", "greet", oldest)
		must(t, do(t, db, func(ctx context.Context) error { return onetime.End(ctx, ada, "part") }))
		must(t, do(t, db, func(ctx context.Context) (err error) {
			_, err = onetime.Find(ctx, "greet", token)
			return err
		}))
		must(t, do(t, db, func(ctx context.Context) error { return onetime.End(ctx, ada) }))
		invalid("ended", "greet", token)
		if found, err := use("greet", nobody, nil); err != nil || found.Account != uuid.Nil {
			t.Error(found, err)
		}
	})
}

// TestChange replaces the data of a token, which stays good for its purpose alone.
func TestChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{PoolSize: 4})
		must(t, err)
		defer db.Close()
		must(t, do(t, db, func(ctx context.Context) error {
			token, err := onetime.New(ctx, "greet", uuid.New(), 1, time.Minute)
			if err != nil {
				return err
			}
			for _, other := range [][2]string{{"part", token}, {"greet", token + "x"}} {
				if err := onetime.Change(ctx, other[0], other[1], 2); !errors.Is(err, onetime.ErrInvalid) {
					t.Errorf("%v: %v", other, err)
				}
			}
			if err := onetime.Change(ctx, "greet", token, 3); err != nil {
				return err
			}
			found, err := onetime.Use(ctx, "greet", token)
			if err != nil {
				return err
			}
			var data int
			if err := found.Data(&data); err != nil || data != 3 {
				t.Errorf("%d, %v", data, err)
			}
			return nil
		}))
	})
}

// TestOpenTokensAreBounded makes one token more than there may be of nobody's for a purpose: of a
// network, of whose addresses IPv6 has many, and of all.
func TestOpenTokensAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{PoolSize: 4})
		must(t, err)
		defer db.Close()
		hash, bytes := "int4send(i)", "bytea"
		if db.Dialect == dialect.SQLite {
			hash, bytes = "CAST(i AS BLOB)", "BLOB"
		}
		_, err = db.Exec(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO %s (hash, purpose, account, created_at, expires_at) SELECT %s, 'greet', CAST('network 192.0.2.' || i AS %s), 1, 1 FROM n`,
			onetime.MaxOpen-onetime.MaxOfNetwork-1, onetime.Objects(db.Dialect)[0].Name, hash, bytes))
		must(t, err)
		client := "2001:db8::1"
		add := func(purpose string, account uuid.UUID) error {
			return do(t, db, func(ctx context.Context) error {
				_, err := onetime.New(onetime.From(ctx, netip.MustParseAddr(client)), purpose, account, nil, time.Minute)
				return err
			})
		}
		full := func() {
			t.Helper()
			if f, ok := errors.AsType[*apperr.Error](add("greet", uuid.Nil)); !ok || f.Code != apperr.CodeUnavailable {
				t.Errorf("one more: %v, want UNAVAILABLE", f)
			}
		}
		for range onetime.MaxOfNetwork {
			must(t, add("greet", uuid.Nil))
		}
		client = "2001:db8:0:f::1"
		full()
		client = "2001:db8:f::1"
		must(t, add("greet", uuid.Nil))
		full()
		must(t, add("part", uuid.Nil))
		must(t, add("greet", uuid.New()))
		_, err = expiry.Some(onetime.Expired).All(t.Context(), db)
		must(t, err)
		must(t, add("greet", uuid.Nil))
	})
}
