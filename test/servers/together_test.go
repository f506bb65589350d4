package servers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/test/gqltest"
	"forge/test/process"
)

// signInTries has somebody guess on all servers, one after the other and at once. Together the
// servers allow as many guesses as one.
func (c *cluster) signInTries(t *testing.T) {
	c.user("ada", "")
	codes := map[string]int{}
	for range 15 {
		codes[c.signIn(c.balanced, "ada", "incorrect horse").Code()]++
	}
	if codes["UNAUTHENTICATED"] != 5 || codes["RATE_LIMITED"] != 10 {
		t.Errorf("15 guesses are answered %v, want 5 UNAUTHENTICATED and then RATE_LIMITED", codes)
	}
	for i := range c.servers {
		if got := c.signIn(c.at(i).With("X-Forwarded-For", "127.0.0.1"), "ada", password); got.Code() != "RATE_LIMITED" {
			t.Errorf("server %d: the right password afterwards: %s", i, got)
		}
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	atOnce := map[string]int{}
	for range 30 {
		all.Go(func() {
			code := c.signIn(c.balanced, "nobody", "incorrect horse").Code()
			mu.Lock()
			defer mu.Unlock()
			atOnce[code]++
		})
	}
	all.Wait()
	if n := atOnce["UNAUTHENTICATED"]; n != 5 || atOnce["RATE_LIMITED"] != 25 {
		t.Errorf("30 guesses at once are answered %v, want 5 UNAUTHENTICATED", atOnce)
	}
}

// revocations ends the tokens of a user on one server, and asks all others with one of them.
func (c *cluster) revocations(t *testing.T) {
	var known []time.Duration
	token := c.user("eve", "")
	before := password
	for round := range 3 {
		after := fmt.Sprintf("another password %d", round)
		got := c.at(round).As(token).Do(`mutation($i: ChangePasswordInput!) { changePassword(input: $i) { user { id } } }`,
			gqltest.Vars{"i": gqltest.Vars{"oldPassword": before, "newPassword": after}})
		if !got.OK() {
			t.Fatal(got)
		}
		start := time.Now()
		for i := range c.servers {
			gqltest.Eventually(t, fmt.Sprintf("server %d refuses the token", i), func() error {
				if got := c.at(i).As(token).Do(`{ viewer { user { id } } }`, nil); got.Code() != "UNAUTHENTICATED" {
					return fmt.Errorf("%s", got)
				}
				return nil
			})
			known = append(known, time.Since(start))
		}
		before = after
		token = c.signIn(c.balanced, "eve", after).Text("m.accessToken")
	}
	t.Logf("an ended token was refused by all servers within %v", slices.Max(known))
}

// pages are the names of teams on pages of two, each asked of the next server.
func pages(t *testing.T, ask func(page int) *gqltest.Client) (names []string) {
	t.Helper()
	after := any(nil)
	for page := 0; ; page++ {
		got := ask(page).Must(`query($after: Cursor) { teams(first: 2, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }`, gqltest.Vars{"after": after})
		for i := range got.Len("teams.nodes") {
			names = append(names, got.Text(fmt.Sprintf("teams.nodes.%d.name", i)))
		}
		if got.At("teams.pageInfo.hasNextPage") != true {
			return names
		}
		after = got.Text("teams.pageInfo.endCursor")
	}
}

// cursors reads pages from one server after the other: with a key that is made of AUTH_SECRET, and
// with one that the database keeps, also after a restart.
func (c *cluster) cursors(t *testing.T, admin string) {
	var want []string
	for i := range 9 {
		want = append(want, fmt.Sprintf("team %d", i))
		c.balanced.As(admin).Must(`mutation($n: String!) { createTeam(input: {name: $n, headquarters: "x"}) { team { id } } }`, gqltest.Vars{"n": want[i]})
	}
	got := pages(t, func(page int) *gqltest.Client { return c.at(page % 3) })
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("pages from three servers have %v", got)
	}
	withProvider := []string{"AUTH_SECRET=", "AUTH_JWKS_URL=" + provider(t), "AUTH_ISSUER=https://id.example.com", "AUTH_AUDIENCE=forge", "ADDR=127.0.0.1:0"}
	var servers []*process.Server
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 3 { // at once, so that all look for a key that is not there yet
		all.Go(func() {
			s := process.Start(t, c.command(process.Build(t), withProvider...))
			mu.Lock()
			defer mu.Unlock()
			servers = append(servers, s)
		})
	}
	all.Wait()
	got = pages(t, func(page int) *gqltest.Client {
		if page == 3 {
			servers[0].Stop()
			servers[0] = process.Start(t, c.command(process.Build(t), withProvider...))
		}
		return gqltest.New(t, servers[page%3].URL)
	})
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("pages from three servers without a secret have %v", got)
	}
	if log := servers[1].Log.String(); !strings.Contains(log, "the key of cursors is kept in the database") {
		t.Errorf("the start does not say where the key is:\n%s", log)
	}
	for _, s := range servers {
		s.Stop()
	}
}

// persistedDocuments sends a document once, and its hash to all servers.
func (c *cluster) persistedDocuments(t *testing.T) {
	const document = "query Persisted { teams(first: 1) { nodes { name } } }"
	sum := sha256.Sum256([]byte(document))
	extensions := `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hex.EncodeToString(sum[:]) + `"}}`
	if got := c.balanced.SendBody(t.Context(), []byte(`{`+extensions+`}`)); got.Code() != "PERSISTED_QUERY_NOT_FOUND" {
		t.Fatalf("before it was sent: %s", got)
	}
	if got := c.balanced.SendBody(t.Context(), []byte(`{"query":`+strconv.Quote(document)+`,`+extensions+`}`)); !got.OK() {
		t.Fatal(got)
	}
	for range 6 {
		if got := c.balanced.SendBody(t.Context(), []byte(`{`+extensions+`}`)); !got.OK() {
			t.Errorf("its hash alone: %s", got)
		}
	}
}

// idempotencyKeys sends one mutation many times at once to all servers. It is run once.
func (c *cluster) idempotencyKeys(t *testing.T, admin string) {
	var mu sync.Mutex
	var all sync.WaitGroup
	made := map[string]int{}
	for range 12 {
		all.Go(func() {
			var got gqltest.Answer
			gqltest.Eventually(t, "the mutation is answered", func() error {
				got = c.balanced.As(admin).With("Idempotency-Key", "once").Do(`mutation { createTeam(input: {name: "once"}) { team { id } } }`, nil)
				if got.Code() == "CONFLICT" || got.Code() == "UNAVAILABLE" { // another request with the key is running
					return fmt.Errorf("%s", got)
				}
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			made[cmp.Or(got.Text("createTeam.team.id"), got.String())]++
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Errorf("12 requests with one key are answered %v", made)
	}
}

// event is one answer of a stream.
type event struct {
	id, data string
}

// eventsOf reads the answers of a stream from its lines.
func eventsOf(lines func() (string, bool), each func(event)) {
	var e event
	for line, ok := lines(); ok; line, ok = lines() {
		switch field, value, _ := strings.Cut(line, ": "); {
		case field == "id":
			e.id = value
		case field == "data":
			e.data = value
		case line == "" && e.data != "":
			each(e)
			e = event{}
		}
	}
}

// namesIn returns the names of the heroes in an answer of heroChanges.
func namesIn(data string) (names []string) {
	var answer struct {
		Data struct {
			HeroChanges struct {
				Changes []struct{ Hero *struct{ Name string } }
			}
		}
	}
	_ = json.Unmarshal([]byte(data), &answer)
	for _, change := range answer.Data.HeroChanges.Changes {
		if change.Hero != nil {
			names = append(names, change.Hero.Name)
		}
	}
	return names
}
