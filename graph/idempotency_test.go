package graph_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/dbtest"
	"forge/internal/idempotency"
)

// under posts a mutation under an idempotency key and returns the body of the answer.
func (a *api) under(key, query string, v vars) string {
	a.t.Helper()
	body, err := json.Marshal(vars{"query": query, "variables": v})
	if err != nil {
		a.t.Error(err)
	}
	r := httptest.NewRequest("POST", "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(idempotency.Header, key)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w.Body.String()
}

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
		if n := a.mustDo(`{ teams { totalCount } }`, nil).number("teams.totalCount"); n != 2 {
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
		if n := a.mustDo(`{ teams { totalCount } }`, nil).number("teams.totalCount"); n != 1 {
			t.Errorf("%d teams, want 1", n)
		}
	})
}

// TestIdempotencyAfterFailure sends a request again that failed: nothing was stored, so it is tried again.
func TestIdempotencyAfterFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.mustDo(keyedMutation, vars{"name": "A"})
		if first := a.under("k", keyedMutation, vars{"name": "A"}); !strings.Contains(first, `"CONFLICT"`) {
			t.Fatalf("the first answer: %s", first)
		}
		id := a.mustDo(`{ teams { nodes { id } } }`, nil).text("teams.nodes.0.id")
		a.mustDo(`mutation($id: ID!) { deleteTeam(id: $id) { deletedId } }`, vars{"id": id})
		if again := a.under("k", keyedMutation, vars{"name": "A"}); !strings.Contains(again, `"name":"A"`) {
			t.Errorf("the repeat, now that the name is free: %s", again)
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
