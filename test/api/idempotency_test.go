package api_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/internal/apperr"
	"forge/internal/idempotency"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

const keyedMutation = `mutation($name: String!) { createTeam(input: {name: $name, headquarters: "<&> é"}) { team { id name headquarters createdAt } } }`

func TestIdempotency(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		first := a.under("k1", keyedMutation, vars{"name": "A"})
		if !strings.Contains(first, `"name":"A"`) {
			t.Fatalf("the first answer: %s", first)
		}
		if again := a.under("k1", keyedMutation, vars{"name": "A"}); again != first {
			t.Errorf("the repeat answers\n%s\nwant\n%s", again, first)
		}
		if other := a.under("k1", keyedMutation, vars{"name": "B"}); !strings.Contains(other, `"IDEMPOTENCY_CONFLICT"`) {
			t.Errorf("another request under the key: %s", other)
		}
		if other := a.under("k2", keyedMutation, vars{"name": "B"}); !strings.Contains(other, `"name":"B"`) {
			t.Errorf("another key: %s", other)
		}
		if n := a.Must(`{ teams { totalCount } }`, nil).Number("teams.totalCount"); n != 2 {
			t.Errorf("%d teams, want 2", n)
		}
	})
}

func TestIdempotencyKeyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		answers := make([]string, 10)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = a.under("k", keyedMutation, vars{"name": "A"}) })
		}
		wg.Wait()
		for _, answer := range answers {
			if answer != answers[0] || !strings.Contains(answer, `"name":"A"`) {
				t.Errorf("different answers:\n%s\n%s", answer, answers[0])
			}
		}
		if n := a.Must(`{ teams { totalCount } }`, nil).Number("teams.totalCount"); n != 1 {
			t.Errorf("%d teams, want 1", n)
		}
	})
}

// TestIdempotencyAfterFailure sends a failed request again. Its answer was not stored, so it is
// carried out again.
func TestIdempotencyAfterFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.Must(keyedMutation, vars{"name": "A"})
		if first := a.under("k", keyedMutation, vars{"name": "A"}); !strings.Contains(first, `"CONFLICT"`) {
			t.Fatalf("the first answer: %s", first)
		}
		id := a.Must(`{ teams { nodes { id } } }`, nil).Text("teams.nodes.0.id")
		a.Must(`mutation($id: ID!) { deleteTeam(id: $id) { deletedId } }`, vars{"id": id})
		if again := a.under("k", keyedMutation, vars{"name": "A"}); !strings.Contains(again, `"name":"A"`) {
			t.Errorf("the repeat, now that the name is free: %s", again)
		}
	})
}

// TestIdempotencyAfterRefusal sends a request again when its resolver refuses it before the first
// statement, as after a deadline of the application's. What was stored is still answered.
func TestIdempotencyAfterRefusal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		first := a.under("k", keyedMutation, vars{"name": "A"})
		resolved := 0
		a.around(func(ctx context.Context, next graphql.Resolver) (any, error) {
			if graphql.GetFieldContext(ctx).Path().String() != "createTeam" {
				return next(ctx)
			}
			resolved++
			return nil, apperr.BadInput("input", "it is too late to create teams")
		})
		if again := a.under("k", keyedMutation, vars{"name": "A"}); again != first || !strings.Contains(first, `"name":"A"`) {
			t.Errorf("the repeat answers\n%s\nwant\n%s", again, first)
		}
		resolved = 0
		if other := a.under("k2", keyedMutation, vars{"name": "B"}); !strings.Contains(other, "too late") || !strings.Contains(other, `"attempts":1`) || resolved > 2 {
			t.Errorf("a new key, resolved %d times: %s", resolved, other)
		}
		if keys, _ := a.kept(); keys != 1 {
			t.Errorf("%d keys are stored, want that of the first request", keys)
		}
	})
}

func TestIdempotencyKeyExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, key := range []string{"old", "swept"} {
			a.under(key, keyedMutation, vars{"name": key})
		}
		a.under("fresh", keyedMutation, vars{"name": "fresh"})
		a.stored(func(ctx context.Context, c *ent.Client) {
			_, err := c.IdempotencyKey.Update().Where().SetExpiresAt(time.Now().Add(-time.Second)).Save(ctx)
			if err != nil {
				t.Fatal(err)
			}
		})
		if other := a.under("old", keyedMutation, vars{"name": "new"}); !strings.Contains(other, `"name":"new"`) {
			t.Errorf("another request under a key that has expired: %s", other)
		}
		if n, err := idempotency.Sweep(t.Context(), a.db); n != 2 || err != nil {
			t.Errorf("Sweep removed %d keys (%v), want 2", n, err)
		}
		if again := a.under("old", keyedMutation, vars{"name": "new"}); !strings.Contains(again, `"name":"new"`) {
			t.Errorf("the repeat of the new request: %s", again)
		}
	})
}

func TestIdempotencyKeyRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, key := range []string{strings.Repeat("k", 256), "a\tb"} {
			if got := a.under(key, keyedMutation, vars{"name": "A"}); !strings.Contains(got, `"BAD_USER_INPUT"`) {
				t.Errorf("key %q: %s", key, got)
			}
		}
		if got := a.under(strings.Repeat("é", 255), keyedMutation, vars{"name": "A"}); !strings.Contains(got, `"name":"A"`) {
			t.Errorf("a key of 255 characters: %s", got)
		}
		if got := a.under("k", `{ teams { totalCount } }`, nil); !strings.Contains(got, `"totalCount":1`) {
			t.Errorf("a query under a key: %s", got)
		}
	})
}

// newKeyedAPI returns an API on the database at url, with limits on what is stored under keys, and
// a user.
func newKeyedAPI(t *testing.T, url string, limits idempotency.Limits) (*api, viewer.Viewer) {
	t.Helper()
	cfg := usual()
	cfg.Idempotency = limits
	a := newConfiguredAPI(t, url, cfg)
	me := viewer.Viewer{Role: viewer.User}
	a.stored(func(ctx context.Context, c *ent.Client) { me.ID = c.User.Create().SetUsername("me").SaveX(ctx).ID })
	return a, me
}

// create creates a hero as a user. If key is not "", the request has that idempotency key.
func (a *api) create(me viewer.Viewer, key, name, selection string) gqltest.Answer {
	a.t.Helper()
	return a.as(me).With(idempotency.Header, key).Do(`mutation($name: String!) { createHero(input: {name: $name}) { hero { `+selection+` } } }`, vars{"name": name})
}

// kept returns how many keys are stored, and how many bytes of answers.
func (a *api) kept() (keys, bytes int) {
	a.t.Helper()
	a.stored(func(ctx context.Context, c *ent.Client) {
		for _, k := range c.IdempotencyKey.Query().AllX(ctx) {
			keys++
			if k.Answer != nil {
				bytes += len(*k.Answer)
			}
		}
	})
	return keys, bytes
}

// TestIdempotencyAnswerBounded asks for an answer that is too large to be stored. The request is
// refused, nothing is stored, and the key can be used again.
func TestIdempotencyAnswerBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a, me := newKeyedAPI(t, url, idempotency.Limits{AnswerBytes: 1000})
		got := a.create(me, "k", "x", repeated("name", 100))
		if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != idempotency.Header || got.Data != nil || got.Status != 200 ||
			!strings.Contains(got.Errors[0].Message, "up to 1000 are kept") {
			t.Error(got)
		}
		if keys, _ := a.kept(); keys != 0 || a.Must(`{ heroes { totalCount } }`, nil).Number("heroes.totalCount") != 0 {
			t.Errorf("%d keys are kept, or a hero was stored", keys)
		}
		if got := a.create(me, "", "x", repeated("name", 100)); len(got.Errors) > 0 {
			t.Errorf("without a key: %s", got)
		}
		if got := a.create(me, "k", "y", "id"); len(got.Errors) > 0 {
			t.Errorf("the key again, for less: %s", got)
		}
	})
}

// TestIdempotencyKeysBounded sends requests under more keys than a viewer may have, and with more
// bytes of answers. The requests above the bounds are refused and store nothing. Stored answers are
// still returned. Administrators have no bounds.
func TestIdempotencyKeysBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		for name, tt := range map[string]struct {
			limits    idempotency.Limits
			selection string
			want      string
		}{
			"keys":  {idempotency.Limits{Keys: 3}, "id", "up to 3 keys are allowed"},
			"bytes": {idempotency.Limits{Keys: 100, Bytes: 4000}, repeated("name", 50), "up to 100 keys and 4000 bytes of answers are allowed"},
		} {
			a, me := newKeyedAPI(t, url, tt.limits)
			done, statements := 0, 0
			a.db.Watch = func(context.Context, string, time.Duration, error) { statements++ }
			var first, refused gqltest.Answer
			a.create(me, "", "without a key", tt.selection)
			without := statements
			a.stored(func(ctx context.Context, c *ent.Client) { c.Hero.Delete().ExecX(ctx) })
			for i := range 10 {
				statements = 0
				got := a.create(me, fmt.Sprint("k", i), "heroine", tt.selection)
				if len(got.Errors) > 0 {
					refused = got
					if after, _ := strconv.Atoi(got.Header.Get("Retry-After")); got.Status != 429 || after < 3000 || after > 3600 {
						t.Errorf("%s: status %d, Retry-After %d", name, got.Status, after)
					}
					continue
				}
				done++
				if i == 0 {
					first = got
					own := 2
					if a.db.Pipelined() {
						own = 0 // they are sent with others
					}
					if statements != without+own {
						t.Errorf("%s: a request under a key took %d statements, want %d for the work, and %d", name, statements, without, own)
					}
				}
			}
			if refused.Code() != "RATE_LIMITED" || !strings.Contains(refused.Body, tt.want) {
				t.Errorf("%s: %s", name, refused)
			}
			keys, bytes := a.kept()
			heroes := a.Must(`{ heroes { totalCount } }`, nil).Number("heroes.totalCount")
			if done == 0 || keys != done || heroes != done || keys > tt.limits.Keys || tt.limits.Bytes > 0 && bytes > tt.limits.Bytes {
				t.Errorf("%s: %d were carried out, %d keys are kept with %d bytes, and there are %d heroes", name, done, keys, bytes, heroes)
			}
			if again := a.create(me, "k0", "heroine", tt.selection); again.RawData() != first.RawData() {
				t.Errorf("%s: the first again: %s", name, again)
			}
			for i := range tt.limits.Keys + 1 {
				if got := a.under(fmt.Sprint("k", i), keyedMutation, vars{"name": fmt.Sprint(name, i)}); !strings.Contains(got, `"team":{`) {
					t.Fatalf("%s: an administrator: %s", name, got)
				}
			}
			a.stored(func(ctx context.Context, c *ent.Client) {
				c.IdempotencyKey.Delete().ExecX(ctx)
				c.Hero.Delete().ExecX(ctx)
				c.User.UpdateOneID(me.ID).SetUsername("former " + name).ExecX(ctx)
			})
		}
	})
}

// TestIdempotencyKeysBoundedAtOnce sends many requests at once. Requests at the same moment do not
// see each other's keys, so a few keys too many may be stored, but only once.
func TestIdempotencyKeysBoundedAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		const limit, atOnce = 4, 8
		a, me := newKeyedAPI(t, url, idempotency.Limits{Keys: limit})
		for round := range 4 {
			var group sync.WaitGroup
			for i := range atOnce {
				group.Go(func() {
					if got := a.create(me, fmt.Sprint("k", round, " ", i), "x", "id"); len(got.Errors) > 0 && got.Code() != "RATE_LIMITED" {
						t.Errorf("%s", got)
					}
				})
			}
			group.Wait()
		}
		if keys, _ := a.kept(); keys < limit || keys >= limit+atOnce {
			t.Errorf("%d keys are kept, want %d, and less than %d more", keys, limit, atOnce)
		}
	})
}

// TestIdempotencyKeysAtOnceSerializable sends requests of one viewer at once, with serializable
// mutations. Storing keys at the same time makes none of them fail, because they are run again.
func TestIdempotencyKeysAtOnceSerializable(t *testing.T) {
	t.Parallel()
	a, me := newKeyedAPI(t, dbtest.Postgres(t), idempotency.Limits{Keys: 100, Bytes: 1 << 20})
	a.db.Options.Serializable = true
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 3 {
				if got := a.create(me, fmt.Sprint("k", i, " ", j), "x", "id"); len(got.Errors) > 0 {
					t.Errorf("%s", got)
				}
			}
		})
	}
	group.Wait()
	if keys, _ := a.kept(); keys != 24 {
		t.Errorf("%d keys are kept, want 24", keys)
	}
}
