package api_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/gqlexec"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestSessionEndedWhileBeginning signs in and refreshes while the password is changed. Whichever
// comes first, no session outlives the change.
func TestSessionEndedWhileBeginning(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		id := d.signUp("ada").Text("m.user.id")
		word := secret
		for round := range 20 {
			token := d.signIn("ada", word).Text("m.refreshToken")
			if token == "" {
				t.Fatal("cannot sign in")
			}
			next := fmt.Sprint("horse number ", round)
			var in, refreshed gqltest.Answer
			var wg sync.WaitGroup
			wg.Go(func() { in = d.signIn("ada", word) })
			wg.Go(func() { refreshed = d.refresh(token) })
			wg.Go(func() {
				if got := d.rule(`mutation($id: ID!, $p: String!) { updateUser(id: $id, input: {password: $p}) { user { id } } }`, vars{"id": id, "p": next}); len(got.Errors) > 0 {
					t.Error(got)
				}
			})
			wg.Wait()
			for _, got := range []gqltest.Answer{in, refreshed} {
				if token := got.Text("m.refreshToken"); token != "" && d.refresh(token).Code() != "UNAUTHENTICATED" {
					t.Errorf("round %d: a session goes on: %s", round, got)
				}
				if code := got.Code(); code != "" && code != "UNAUTHENTICATED" {
					t.Errorf("round %d: %s", round, got)
				}
			}
			if n := d.sessions(); n != 0 {
				t.Errorf("round %d: %d sessions are left", round, n)
			}
			word = next
		}
	})
}

// TestRefreshDuringReplay sends a used token again while its successor is refreshed. Whichever
// comes first, the family has ended afterwards.
func TestRefreshDuringReplay(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		for round := range 50 {
			stolen := d.signIn("ada", secret).Text("m.refreshToken")
			next := d.refresh(stolen).Text("m.refreshToken")
			var last gqltest.Answer
			var wg sync.WaitGroup
			wg.Go(func() { last = d.refresh(next) })
			wg.Go(func() {
				if got := d.refresh(stolen); got.Code() != "UNAUTHENTICATED" {
					t.Errorf("round %d: the replay: %s", round, got)
				}
			})
			wg.Wait()
			if token := last.Text("m.refreshToken"); token != "" && d.refresh(token).Code() != "UNAUTHENTICATED" {
				t.Errorf("round %d: the family goes on", round)
			}
		}
	})
}

// TestSessionFamilyEndedWhileRefreshing ends a family on PostgreSQL while its next token is stored
// but not committed. The end waits for the commit.
func TestSessionFamilyEndedWhileRefreshing(t *testing.T) {
	t.Parallel()
	d := newSessionAPI(t, dbtest.Postgres(t))
	up := d.signUp("ada")
	making := unit.New(d.db, unit.Write)
	defer making.Rollback()
	if _, err := making.Exec(t.Context(), "SELECT 1 FROM users FOR NO KEY UPDATE"); err != nil { // as Refresh does
		t.Fatal(err)
	}
	if n, err := making.Exec(t.Context(), "INSERT INTO sessions (id, family, token_hash, created_at, expires_at, user_id) "+
		"SELECT gen_random_uuid(), family, 'next', now(), expires_at, user_id FROM sessions"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	var ended sync.WaitGroup
	var over atomic.Bool
	ended.Go(func() {
		d.Do(signOut, vars{"t": up.Text("m.refreshToken")})
		over.Store(true)
	})
	gqltest.Eventually(t, "the end waits, or has come", func() error {
		var waits int
		err := d.db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waits)
		if err == nil && waits == 0 && !over.Load() {
			err = errors.New("neither")
		}
		return err
	})
	if err := making.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended.Wait()
	if n := d.sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// TestSessionSecretsNotLogged runs all that can succeed and fail, and searches the log, and answers
// that must not have them, for passwords, hashes and tokens.
func TestSessionSecretsNotLogged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newSessionAPI(t, url)
		var log process.Output
		d.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		d.configure(config{Options: gqlexec.Options{HeldTooLong: time.Nanosecond}, Resolver: d.sessionResolver(session.Lifetimes{Token: time.Hour})})
		up := d.signUp("ada")
		hash := *d.row(up.Text("m.user.id")).HashedPassword
		next := d.refresh(up.Text("m.refreshToken"))
		secrets := []string{secret, "incorrect", hash, up.Text("m.refreshToken"), next.Text("m.refreshToken"), up.Text("m.accessToken")}
		quiet := func(got gqltest.Answer) {
			t.Helper()
			for _, s := range secrets {
				if s == "" || strings.Contains(got.Body, s) {
					t.Errorf("the answer tells %q: %s", s, got)
				}
			}
		}
		quiet(d.signIn("ada", "incorrect"))
		quiet(d.refresh(up.Text("m.refreshToken")))
		quiet(d.refresh(next.Text("m.refreshToken")))
		holder := d.holder(up)
		quiet(d.as(holder).Do(changePassword, vars{"i": vars{"oldPassword": "incorrect", "newPassword": secret}}))
		if _, err := d.db.ExecContext(t.Context(), "ALTER TABLE sessions RENAME COLUMN token_hash TO gone"); err != nil {
			t.Fatal(err)
		}
		quiet(d.signIn("ada", secret))
		quiet(d.refresh(next.Text("m.refreshToken")))
		if _, err := d.db.ExecContext(t.Context(), "ALTER TABLE users RENAME COLUMN hashed_password TO gone"); err != nil {
			t.Fatal(err)
		}
		quiet(d.signIn("ada", secret))
		if !strings.Contains(log.String(), "request failed") {
			t.Error("nothing was logged, so this shows nothing")
		}
		for _, s := range secrets {
			if strings.Contains(log.String(), s) {
				t.Errorf("the log tells %q:\n%s", s, log.String())
			}
		}
	})
}
