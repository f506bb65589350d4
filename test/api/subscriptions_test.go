package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/gqlexec"
	"forge/internal/stream"
	"forge/internal/telemetry"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// newStreams returns an API that also runs subscriptions.
func newStreams(t testing.TB, url string) *api {
	t.Helper()
	a := newBareAPI(t, url)
	a.self = viewer.System
	a.configure(a.following())
	return a
}

// following returns a configuration whose server follows the log of changes until the test ends.
func (a *api) following() config {
	keeper := changes.NewKeeper(changes.New(a.db.DB, a.db.Dialect, ent.Entities), time.Hour, 10_000_000)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { keeper.Run(ctx, a.log) })
	a.t.Cleanup(func() { cancel(); running.Wait() })
	cfg := usual()
	cfg.Feed, cfg.Wrote = keeper.Feed(), keeper.Wrote
	a.feed = cfg.Feed
	return cfg
}

// caughtUp waits until the server has read all changes that were logged.
func (a *api) caughtUp() {
	a.t.Helper()
	a.tick()
	gqltest.Eventually(a.t, "the server has read the log", func() error {
		end, err := a.changesLog().End(a.t.Context())
		if err != nil {
			return err
		}
		if at, err := a.feed.End(a.t.Context()); err != nil || at != end {
			return fmt.Errorf("it is at %v of %v, %v", at, end, err)
		}
		return nil
	})
}

// subscriber is a client of one subscription.
type subscriber struct {
	t     testing.TB
	op    stream.Operation
	ctx   context.Context
	woken chan struct{}
	// cursor is that of the last answer.
	cursor string
}

// subscribe begins a subscription, which ends with the test.
func (a *api) subscribe(v viewer.Viewer, query string, with vars, after string) *subscriber {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := a.subscribeWith(ctx, v, query, with, after)
	a.t.Cleanup(func() { cancel(); s.op.Close() })
	return s
}

// subscribeWith is like subscribe. The caller ends the context, and closes the operation.
func (a *api) subscribeWith(ctx context.Context, v viewer.Viewer, query string, with vars, after string) *subscriber {
	a.t.Helper()
	ctx, _ = telemetry.NewContext(ctx, "")
	s := &subscriber{t: a.t, ctx: viewer.NewContext(ctx, v), woken: make(chan struct{}, 1)}
	text, err := json.Marshal(with)
	if err != nil {
		a.t.Fatal(err)
	}
	params := &graphql.RawParams{Query: query}
	if with != nil {
		if err := json.Unmarshal(text, &params.Variables); err != nil {
			a.t.Fatal(err)
		}
	}
	s.op = a.handler.(*gqlexec.Handler).Subscribe(s.ctx, params, after, func() {
		select {
		case s.woken <- struct{}{}:
		default:
		}
	})
	return s
}

// next waits for the next answer. It returns io.EOF after the last one.
func (s *subscriber) next() (gqltest.Answer, error) {
	s.t.Helper()
	limit := time.After(time.Minute)
	for {
		answer, err := s.op.Next(s.ctx)
		if err != nil {
			return gqltest.Answer{}, err
		}
		if answer == nil {
			select {
			case <-s.woken:
				continue
			case <-limit:
				s.t.Fatal("no answer within a minute")
			}
		}
		return s.read(answer), nil
	}
}

// read reads an answer.
func (s *subscriber) read(answer *stream.Answer) gqltest.Answer {
	s.t.Helper()
	s.cursor = answer.Cursor
	got := gqltest.Answer{Body: string(answer.Body)}
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		s.t.Fatalf("an answer is not JSON: %v: %s", err, answer.Body)
	}
	return got
}

// must returns the next answer, which has no errors.
func (s *subscriber) must() gqltest.Answer {
	s.t.Helper()
	got, err := s.next()
	if err != nil || !got.OK() {
		s.t.Fatalf("got %s, %v", got.Body, err)
	}
	return got
}

// none checks that there is no answer now.
func (s *subscriber) none() {
	s.t.Helper()
	if got, err := s.op.Next(s.ctx); got != nil || err != nil {
		s.t.Errorf("got an answer that was not due: %+v, %v", got, err)
	}
}

const heroChanges = `subscription($after: ChangeCursor, $ids: [ID!], $teams: [ID!]) { heroChanges(after: $after, ids: $ids, teamIds: $teams) { cursor changes { kind id hero { name } } } }`

// told returns what an answer tells of heroes.
func told(got gqltest.Answer) (list []string) {
	for i := range got.Len("heroChanges.changes") {
		at := fmt.Sprintf("heroChanges.changes.%d.", i)
		list = append(list, got.Text(at+"kind")+" "+got.Text(at+"hero.name"))
	}
	return list
}

// TestSubscription subscribes to the changes of heroes, leaves, and comes back with the cursor.
func TestSubscription(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newStreams(t, url)
		made := a.Must(`mutation { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: "B"}) { team { id } } }`, nil)
		first, second := made.Text("a.team.id"), made.Text("b.team.id")
		s := a.subscribe(viewer.Viewer{}, heroChanges, nil, "")
		if got := s.must(); told(got) != nil || got.Text("heroChanges.cursor") == "" || s.cursor != got.Text("heroChanges.cursor") || got.Extensions["cursor"] != s.cursor {
			t.Fatalf("the first answer is %s, with the cursor %q", got.Body, s.cursor)
		}
		ofTeam := a.subscribe(viewer.Viewer{}, heroChanges, vars{"teams": []string{second}}, "")
		ofTeam.must()
		hero := a.Must(`mutation($t: ID!) { createHero(input: {name: "H", teamId: $t}) { hero { id } } }`, vars{"t": first}).Text("createHero.hero.id")
		if got := told(s.must()); !slices.Equal(got, []string{"CREATED H"}) {
			t.Fatalf("got %q", got)
		}
		s.none()
		away := s.cursor
		a.Must(`mutation($h: ID!, $t: ID!) { updateHero(id: $h, input: {teamId: $t}) { hero { id } } }`, vars{"h": hero, "t": second})
		if got := told(ofTeam.must()); !slices.Equal(got, []string{"UPDATED H"}) {
			t.Errorf("who follows the new team got %q", got)
		}
		a.Must(`mutation($h: ID!) { deleteHero(id: $h) { deletedId } }`, vars{"h": hero})
		want := []string{"UPDATED ", "REMOVED "}
		for name, back := range map[string]*subscriber{
			"with the argument":   a.subscribe(viewer.Viewer{}, heroChanges, vars{"after": away}, ""),
			"beside the document": a.subscribe(viewer.Viewer{}, heroChanges, nil, away),
			"by ID":               a.subscribe(viewer.Viewer{}, heroChanges, vars{"after": away, "ids": []string{hero}}, ""),
		} {
			var got []string
			for len(got) < len(want) {
				got = append(got, told(back.must())...)
			}
			// A change that is read late shows the object as it is then, which is gone.
			if !slices.Equal(got, want) && !slices.Equal(got, []string{"UPDATED H", "REMOVED "}) {
				t.Errorf("%s: came back to %q, want %q", name, got, want)
			}
		}
	})
}

// TestSubscriptionRefused begins subscriptions that cannot be.
func TestSubscriptionRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newStreams(t, url)
		team := a.Must(`mutation { createTeam(input: {name: "A"}) { team { id } } }`, nil).Text("createTeam.team.id")
		for _, tt := range []struct {
			query, after string
			with         vars
			code         apperr.Code
		}{
			{query: heroChanges, after: "forged", code: apperr.CodeBadUserInput},
			{query: heroChanges, with: vars{"after": "forged"}, code: apperr.CodeBadUserInput},
			{query: heroChanges, with: vars{"ids": []string{team}}, code: apperr.CodeBadUserInput},
			{query: heroChanges, with: vars{"teams": []string{"nonsense"}}, code: apperr.CodeBadUserInput},
			{query: `subscription { live(every: 1) { heroes { totalCount } } }`, code: apperr.CodeBadUserInput},
			{query: `subscription { heroChanges { cursor } changes { cursor } }`, code: apperr.CodeValidationFailed},
			{query: `subscription { nothing }`, code: apperr.CodeValidationFailed},
			{query: `subscription {`, code: apperr.CodeParseFailed},
		} {
			s := a.subscribe(viewer.Viewer{}, tt.query, tt.with, tt.after)
			answer, err := s.op.Next(s.ctx)
			if err != nil || !answer.Refused || !strings.Contains(string(answer.Body), string(tt.code)) || strings.Contains(string(answer.Body), `"data"`) {
				t.Errorf("%s with %v, %q: got %+v, %v, want %s", tt.query, tt.with, tt.after, answer, err, tt.code)
				continue
			}
			if _, err := s.op.Next(s.ctx); !errors.Is(err, io.EOF) {
				t.Errorf("%s: after the refusal, got %v", tt.query, err)
			}
		}
	})
}

// TestSubscriptionLost comes back with a cursor that the log does not have.
func TestSubscriptionLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newStreams(t, url)
		made := func(name string) {
			a.Must(`mutation($n: String!) { createTeam(input: {name: $n}) { team { id } } }`, vars{"n": name})
		}
		made("A")
		s := a.subscribe(viewer.Viewer{}, `subscription { changes { cursor changes { kind } } }`, nil, "")
		s.must()
		old := s.cursor
		made("B")
		s.must()
		made("C")
		s.must()
		if _, err := a.changesLog().Sweep(t.Context(), -time.Hour, 1); err != nil {
			t.Fatal(err)
		}
		// The server that has it in memory goes on, and another one cannot.
		b := newStreams(t, url)
		back := b.subscribe(viewer.Viewer{}, `subscription { changes { cursor changes { kind } } }`, nil, old)
		got, err := back.next()
		if err != nil || len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != string(apperr.CodeCursorExpired) || got.Errors[0].Extensions["oldest"] == nil {
			t.Fatalf("got %s, %v", got.Body, err)
		}
		if _, err := back.next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the error, got %v", err)
		}
	})
}

// TestSubscriptionTooSlow subscribes to what takes too long each time.
func TestSubscriptionTooSlow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newBareAPI(t, url)
		a.self = viewer.System
		cfg := a.following()
		cfg.RequestTimeout = time.Nanosecond
		a.configure(cfg)
		for _, query := range []string{heroChanges, `subscription { live { heroes { totalCount } } }`} {
			s := a.subscribe(viewer.Viewer{}, query, nil, "")
			got, err := s.next()
			if err != nil || len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != string(apperr.CodeTimeout) || got.Data != nil {
				t.Errorf("%s: got %s, %v", query, got.Body, err)
			}
			if _, err := s.next(); !errors.Is(err, io.EOF) {
				t.Errorf("%s: after the error, got %v", query, err)
			}
		}
	})
}

// TestLive subscribes to the answer to a query.
func TestLive(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newStreams(t, url)
		team := a.Must(`mutation { createTeam(input: {name: "A"}) { team { id } } }`, nil).Text("createTeam.team.id")
		query := `subscription { now: live(every: 100) { teams { nodes { name heroes { totalCount nodes { name } } } } } }`
		s := a.subscribe(viewer.Viewer{}, query, nil, "")
		if got := s.must(); got.Text("now.teams.nodes.0.name") != "A" || got.Number("now.teams.nodes.0.heroes.totalCount") != 0 {
			t.Fatalf("the first answer is %s", got.Body)
		}
		other := a.subscribe(viewer.Viewer{}, query, nil, "")
		other.must()
		// Changes of products do not matter to it.
		a.Must(`mutation { createProduct(input: {sku: "s", name: "S", priceCents: 1, stock: 9}) { product { id } } }`, nil)
		a.Must(`mutation($t: ID!) { createHero(input: {name: "H", teamId: $t}) { hero { id } } }`, vars{"t": team})
		for _, s := range []*subscriber{s, other} {
			if got := s.must(); got.Text("now.teams.nodes.0.heroes.nodes.0.name") != "H" {
				t.Errorf("after a hero came, got %s", got.Body)
			}
		}
		s.none()
		// What the API does not log cannot be live.
		orders := a.subscribe(viewer.System, `subscription { live { viewer { id } orderItems { totalCount } } }`, nil, "")
		if got, err := orders.next(); err != nil || !got.OK() {
			t.Errorf("rows that count as others: %s, %v", got.Body, err)
		}
	})
}

// TestLiveOfOneRow checks that a query that looks a row up by its ID is not run again after a
// change of another row, unless it reads other rows of the type as well.
func TestLiveOfOneRow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newStreams(t, url)
		create := `mutation($n: String!) { createTeam(input: {name: $n}) { team { id } } }`
		own, other := a.Must(create, vars{"n": "A"}).Text("createTeam.team.id"), a.Must(create, vars{"n": "B"}).Text("createTeam.team.id")
		a.Must(`mutation($t: ID!) { createHero(input: {name: "H", teamId: $t}) { hero { id } } }`, vars{"t": own})
		rename := func(id, name string) {
			a.Must(`mutation($id: ID!, $n: String!) { updateTeam(id: $id, input: {name: $n}) { team { id } } }`, vars{"id": id, "n": name})
		}
		for query, wakes := range map[string]bool{
			`live(every: 100) { team(id: $id) { name } }`:                                    false,
			`live(every: 100) { team(id: $id) { name heroes { totalCount } } }`:              false,
			`live(every: 100) { node(id: $id) { ... on Team { name } } }`:                    false,
			`live(every: 100) { team(id: $id) { name } teams { totalCount } }`:               true,
			`live(every: 100) { team(id: $id) { name heroes { nodes { team { name } } } } }`: true,
			`live(every: 100) { a: team(id: $id) { name } b: team(id: $id) { id } }`:         true,
		} {
			s := a.subscribe(viewer.Viewer{}, `subscription($id: ID!) { `+query+` }`, vars{"id": own}, "")
			s.must()
			told := a.subscribe(viewer.Viewer{}, `subscription { teamChanges { changes { id } } }`, nil, "")
			told.must()
			for quiet := false; !quiet; { // the beginning of the feed and the first answer have woken it
				select {
				case <-s.woken:
					s.none()
				case <-time.After(300 * time.Millisecond):
					quiet = true
				}
			}
			rename(other, "other of "+query[len(query)-30:])
			told.must()
			select {
			case <-s.woken:
				if !wakes {
					t.Errorf("woken by another row: %s", query)
				}
			case <-time.After(map[bool]time.Duration{true: time.Minute, false: 300 * time.Millisecond}[wakes]):
				if wakes {
					t.Errorf("not woken: %s", query)
				}
			}
			s.none()
			rename(own, "own of "+query[len(query)-30:])
			s.must()
		}
	})
}

// TestLiveWakesAgain checks that a member of a group is woken after a new answer was made by
// another member. When it was woken before, it may have waited for an answer that was begun
// earlier.
func TestLiveWakesAgain(t *testing.T) {
	t.Parallel()
	a := newStreams(t, dbtest.SQLite(t))
	query := `subscription { live(every: 100) { teams { totalCount } } }`
	s, other := a.subscribe(viewer.Viewer{}, query, nil, ""), a.subscribe(viewer.Viewer{}, query, nil, "")
	s.must()
	other.must()
	s.none()
	for quiet := false; !quiet; { // the beginning of the feed and the first answer have woken it
		select {
		case <-s.woken:
			s.none()
		case <-time.After(500 * time.Millisecond):
			quiet = true
		}
	}
	a.Must(`mutation { createTeam(input: {name: "A"}) { team { id } } }`, nil)
	wait := func(what string) {
		select {
		case <-s.woken:
		case <-time.After(time.Minute):
			t.Fatalf("not woken %s", what)
		}
	}
	wait("by the change")
	other.must()
	wait("by the new answer")
	if got := s.must(); got.Number("live.teams.totalCount") != 1 {
		t.Errorf("got %s", got.Body)
	}
}
