package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"forge/ent"
	"forge/ent/user"
	"forge/internal/entity"
	"forge/internal/password"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestDeleteUserNeedsFreshSession has a thief of an access token try to delete its user, whose name
// somebody else could then take.
func TestDeleteUserNeedsFreshSession(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		const deleteUser = `mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`
		ada := &member{d: d, name: "ada", viewer: d.holder(d.signUp("ada"))}
		for what, v := range map[string]viewer.Viewer{"an old session": ada.aged(false), "one that has ended": {ID: ada.viewer.ID, Role: viewer.User, Issued: time.Now()}} {
			if got := d.as(v).Do(deleteUser, vars{"id": ada.id()}); got.Code() != "FORBIDDEN" {
				t.Errorf("%s: %s", what, got)
			}
		}
		if row := d.row(ada.id()); row.DeletedAt != nil || row.TokensValidAfter != nil {
			t.Errorf("stored: %v", row)
		}
		ada.must(deleteUser, vars{"id": ada.id()})
		eve := d.holder(d.signUp("eve"))
		eve.Stranger, eve.Issued = true, time.Now().Add(time.Second) // a token of a provider has no session here
		if got := d.as(eve).Do(deleteUser, vars{"id": (&ent.User{ID: eve.ID}).GlobalID().String()}); !got.OK() {
			t.Error(got)
		}
	})
}

// TestNothingHeldWhileEmailsAreCounted lets an API have one connection. Changes of an email are
// counted for all servers, because no unit of work holds the connection meanwhile. Mails that are
// asked for after another change are counted by this server, and do not wait for a connection.
func TestNothingHeldWhileEmailsAreCounted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		d := newMailAPI(t, address)
		log := new(bytes.Buffer)
		d.log = slog.New(slog.NewTextHandler(log, nil))
		d.sending(d.inbox)
		me := d.holder(d.signUp("ada"))
		d.db.SetMaxOpenConns(1)
		d.as(me).Must(`mutation($id: ID!, $e: String!) { updateUser(id: $id, input: {email: $e}) { user { email } } requestEmailVerification { ok } }`,
			vars{"id": d.id(me), "e": "ada@other.example"})
		if strings.Contains(log.String(), "this server alone") {
			t.Errorf("logged: %s", log)
		}
	})
}

// TestEraseDespiteDeferred has an account that a constraint keeps from being erased, which the
// database checks when the unit of work ends. Another account is erased all the same.
func TestEraseDespiteDeferred(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		log := new(bytes.Buffer)
		d.log = slog.New(slog.NewTextHandler(log, nil))
		d.sending(d.inbox)
		for _, statement := range []string{
			`CREATE UNIQUE INDEX named ON users (username)`,
			`CREATE TABLE keeps (username varchar(50) REFERENCES users (username) DEFERRABLE INITIALLY DEFERRED)`,
		} {
			if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			for i, name := range []string{"kept", "ada"} {
				c.User.Create().SetUsername(name).SetEraseAt(time.Now().Add(time.Duration(i-3) * time.Hour)).ExecX(ctx)
			}
		})
		if _, err := d.db.ExecContext(t.Context(), `INSERT INTO keeps VALUES ('kept')`); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			d.erased(0)
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			left := c.User.Query().Where(user.EraseAtNotNil()).Select(user.FieldUsername).StringsX(entity.WithDeleted(ctx))
			if !slices.Equal(left, []string{"kept"}) || c.User.Query().Where(user.Username("ada")).ExistX(entity.WithDeleted(ctx)) {
				t.Errorf("not erased: %v", left)
			}
		})
		if n := strings.Count(log.String(), "cannot be erased"); n != 1 {
			t.Errorf("logged %d times: %s", n, log)
		}
	})
}

// TestPasswordsAreNotGuessedByFingerprints has an administrator set a password under a key. What is
// stored of the request has the cost of a hash, and tells the same request from another one.
func TestPasswordsAreNotGuessedByFingerprints(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		a := newBareAPI(t, address)
		a.self = viewer.System
		cfg := usual()
		var texts []string
		cfg.Derive = func(ctx context.Context, text string, salt []byte) ([]byte, error) {
			texts = append(texts, text)
			return password.New(cheap, 0, 0).Derive(ctx, text, salt)
		}
		a.configure(cfg)
		create := func(key, secret string) gqltest.Answer {
			return a.With("Idempotency-Key", key).Do(`mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }`, vars{"i": vars{"username": "ada", "password": secret}})
		}
		made, again := create("k", secret), create("k", secret)
		if !made.OK() || made.Text("createUser.user.id") != again.Text("createUser.user.id") {
			t.Errorf("%s, again %s", made, again)
		}
		if got := create("k", "another horse"); got.Code() != "IDEMPOTENCY_CONFLICT" {
			t.Error(got)
		}
		a.With("Idempotency-Key", "other").Must(`mutation { createTeam(input: {name: "Red"}) { team { id } } }`, nil)
		if len(texts) != 3 {
			t.Errorf("%d texts were derived, want those of the requests with a password", len(texts))
		}
		a.stored(func(ctx context.Context, c *ent.Client) {
			for _, k := range c.IdempotencyKey.Query().AllX(ctx) {
				if slices.Contains(texts, k.Fingerprint) || len(k.Fingerprint) != 64 {
					t.Errorf("stored under %s: %s", k.Key, k.Fingerprint)
				}
			}
		})
	})
}
