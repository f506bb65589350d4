package api_test

import (
	"context"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/idempotencykey"
	"forge/ent/session"
	"forge/internal/expiry"
	"forge/internal/idempotency"
	forgesession "forge/internal/session"
)

// TestSweepsDoNotWait sweeps while another server holds one of the expired rows. The others are
// removed, and nothing waits.
func TestSweepsDoNotWait(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		if d.db.Dialect != dialect.Postgres {
			t.Skip("a SQLite database has one server")
		}
		owner := d.holder(d.signUp("ada")).ID
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		past := time.Now().Add(-time.Hour)
		for _, name := range []string{"a", "b", "c"} {
			d.stored(func(ctx context.Context, db *ent.Client) {
				db.Session.Create().SetFamily(uuid.New()).SetUserID(owner).SetTokenHash(name).SetExpiresAt(past).ExecX(ctx)
				db.IdempotencyKey.Create().SetViewer("v").SetKey(name).SetFingerprint("f").SetExpiresAt(past).ExecX(ctx)
			})
		}
		tx, err := d.db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		for _, query := range []string{
			"SELECT FROM " + session.Table + " WHERE token_hash = 'b' FOR UPDATE", "SELECT FROM " + idempotencykey.Table + ` WHERE "key" = 'b' FOR UPDATE`,
		} {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				t.Fatal(err)
			}
		}
		for what, some := range map[string]expiry.Some{"sessions": forgesession.Expired, "keys": idempotency.Expired} {
			if n, err := some.All(ctx, d.db); n != 2 || err != nil {
				t.Errorf("%d %s were removed, %v; want 2", n, what, err)
			}
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		for what, some := range map[string]expiry.Some{"sessions": forgesession.Expired, "keys": idempotency.Expired} {
			if n, err := some.All(ctx, d.db); n != 1 || err != nil {
				t.Errorf("%d %s were removed afterwards, %v; want 1", n, what, err)
			}
		}
	})
}
