package program

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"forge/internal/ids"
	"forge/test/gqltest"
	"forge/test/proxies"
)

// TestSharedCache asks as several viewers through a shared cache. Each gets the answer that the
// server itself gives to them, and answers that are for everybody alone are kept.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		documents := map[string]string{
			"teams":  `{ teams(orderBy: [{field: NAME}]) { nodes { id name } totalCount } }`,
			"team":   `query($id: ID!) { team(id: $id) { name } }`,
			"heroes": `{ teams { nodes { heroes { totalCount } } } }`, // heroes declare no age
			"mine":   `{ viewer { username } teams { totalCount } }`,
			"emails": `{ users(first: 100) { nodes { email } } }`,
			"users":  `{ users(first: 1) { nodes { id } } }`,
			"orders": `{ orders { totalCount } }`,
			"hidden": `{ teams { totalCount } users(deleted: true) { totalCount } }`,
		}
		s := start(t, "FORGE_ENV=production", "AUTH_SECRET="+authSecret, "DATABASE_URL="+address, "TRUSTED_DOCUMENTS="+manifest(t, documents), "serve", "--migrate", "--demo")
		config := proxies.Block(t, "../../docs/caching.md", "nginx")
		cache := gqltest.New(t, "http://"+proxies.Nginx(t, config, strings.TrimPrefix(s.url, "http://")))
		users := s.Get("/graphql?documentId=users")
		id, err := ids.Parse(regexp.MustCompile(`user_\w+`).FindString(users.Body))
		if err != nil {
			t.Fatal(users, err)
		}
		viewers := []string{"", "", "Bearer " + issue(t, id.UUID), "Bearer nonsense"}
		kept := map[string]bool{}
		names := slices.Sorted(maps.Keys(documents))
		for range 300 {
			name, who := names[rand.IntN(len(names))], viewers[rand.IntN(len(viewers))]
			path := "/graphql?documentId=" + name
			direct, got := s.With("Authorization", who).Get(path), cache.With("Authorization", who).Get(path)
			hit := got.Header.Get("X-Cache") == "HIT"
			if kept[name] = kept[name] || hit; got.Body != direct.Body && (!hit || who != viewers[3]) {
				t.Errorf("%s as %q: %s\nwithout the cache %s", name, who, got, direct)
			}
			public := direct.Header.Get("Cache-Control") == "public, max-age=60"
			if want := name == "teams" && who == ""; public != want || !want && direct.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s as %q: %v", name, who, direct.Header)
			}
		}
		if len(kept) != len(names) || !kept["teams"] {
			t.Errorf("the cache never had the teams: %v", kept)
		}
		delete(kept, "teams")
		for name, hit := range kept {
			if hit {
				t.Errorf("%s was in the cache", name)
			}
		}
	})
}

// TestKeptAnswers asks again for an answer that the client has, before and after a change.
func TestKeptAnswers(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		s := start(t, "DATABASE_URL="+address, "serve", "--migrate", "--demo")
		const query = `{ teams(where: {name: "The Agency"}) { totalCount } }`
		path := byHash(hashOf(query))
		if first := s.Get(byHash(hashOf(query), query)); first.Status != 200 || first.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("with its text: %s, %v", first, first.Header)
		}
		got := s.Get(path)
		tag := got.Header.Get("ETag")
		if got.Header.Get("Cache-Control") != "public, max-age=60" || !strings.HasPrefix(tag, `W/"`) || !slices.Contains(got.Header.Values("Vary"), "Accept") {
			t.Fatalf("by its hash: %s, %v", got, got.Header)
		}
		for match, status := range map[string]int{tag: 304, tag[2:]: 304, `"a", ` + tag: 304, "*": 304, `"a"`: 200, tag[:len(tag)-2] + `"`: 200, "": 200} {
			again := s.With("If-None-Match", match).Get(path)
			if again.Status != status || again.Header.Get("ETag") != tag || status == 304 && again.Body != "" {
				t.Errorf("If-None-Match: %s: %s, %v", match, again, again.Header)
			}
		}
		for name, value := range map[string]string{"Cookie": "a=b", "Authorization": "Bearer a"} {
			if other := s.With(name, value, "If-None-Match", tag).Get(path); other.Status == 304 || other.Header.Get("Cache-Control") != "no-store" || other.Header.Get("ETag") != "" {
				t.Errorf("with %s: %s, %v", name, other, other.Header)
			}
		}
		s.Must(`mutation { createTeam(input: {name: "The Agency"}) { team { id } } }`, nil)
		if changed := s.With("If-None-Match", tag).Get(path); changed.Status != 200 || changed.Header.Get("ETag") == tag || !strings.Contains(changed.Body, `"totalCount":1`) {
			t.Errorf("after a change: %s, %v", changed, changed.Header)
		}
	})
}
