package program

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/urfave/cli/v3"
	"go.uber.org/goleak"

	"forge/internal/bootstrap"
	"forge/internal/cursorcipher"
	"forge/internal/database"
	"forge/internal/httpserver"
	"forge/internal/ids"
	forgeserver "forge/internal/server"
	"forge/internal/settings"
	"forge/internal/viewer"
	"forge/seed"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// Each fuzz target changes one part of a request to the whole server, on a SQLite database with
// demo data. The viewer is an administrator, a user or a guest. Whatever the request is, the answer
// is GraphQL without an internal error, and the server frees all that the request took. make test
// sends the seeds, and make fuzz a million requests.

// victim is the server that gets the requests.
type victim struct {
	handler http.Handler
	db      *database.DB
	// before are the goroutines before the first request. Package testing starts some until then.
	before  goleak.Option
	viewers []viewer.Viewer // the first prepares a target, and the others send requests
	sent    int
}

// whoSends returns the viewer of a request: the same one each time that it is sent.
func (v *victim) whoSends(r *http.Request, body string) viewer.Viewer {
	h := fnv.New32a()
	_, _ = io.WriteString(h, r.Method+r.URL.RawQuery+r.Header.Get("Accept")+body)
	return v.viewers[h.Sum32()%uint32(len(v.viewers))]
}

func newVictim(f *testing.F) *victim {
	f.Helper()
	environ := []string{"DATABASE_URL=" + dbtest.SQLite(f), "LOG_LEVEL=error"}
	s, err := settings.Load(&cli.Command{Flags: settings.Flags()}, environ)
	if err != nil {
		f.Fatal(err)
	}
	srv := forgeserver.New(app, s, nil, io.Discard, slog.New(slog.DiscardHandler))
	db, err := bootstrap.Open(f.Context(), s)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	if err := seed.Run(f.Context(), db, 1); err != nil {
		f.Fatal(err)
	}
	documents, err := srv.Documents()
	if err != nil {
		f.Fatal(err)
	}
	v := &victim{handler: httpserver.Routes(srv.Parts(f.Context(), forgeserver.Pools{Requests: db, Monitor: db}, documents, nil, &forgeserver.Identity{}, nil, nil)), db: db}
	// Everybody with AUTH=off, and those without a token.
	v.viewers = []viewer.Viewer{viewer.System, {}}
	id, err := ids.Parse(everyValue(f, v.post(f, `{"query":"{ users(first: 1) { nodes { id } } }"}`), "id")[0])
	if err != nil {
		f.Fatal(err)
	}
	v.viewers = append(v.viewers, viewer.Viewer{ID: id.UUID, Role: viewer.User, Issued: time.Now().UTC()})
	f.Cleanup(func() { v.leakless(f) })
	return v
}

// post sends the body of a POST.
func (v *victim) post(t testing.TB, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	return v.send(t, r, body)
}

// operation sends a document with a value for its only variable.
func (v *victim) operation(t testing.TB, query string, variable any) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"v": variable}})
	if err != nil {
		t.Fatal(err)
	}
	return v.post(t, string(body))
}

// send sends a request, checks the answer, and checks that the server has released everything.
func (v *victim) send(t testing.TB, r *http.Request, sent string) *httptest.ResponseRecorder {
	t.Helper()
	who := v.viewers[0]
	if _, preparing := t.(*testing.F); !preparing {
		who = v.whoSends(r, sent)
		if v.before == nil {
			v.before = goleak.IgnoreCurrent()
		}
	}
	r.Host = "localhost"
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), who)))
	body := plain(t, w.Header(), w.Body.Bytes())
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Data == nil && len(answer.Errors) == 0 {
		t.Fatalf("status %d, and this is no GraphQL response: %v\n%s", w.Code, err, body)
	}
	if w.Code >= 500 {
		t.Errorf("status %d: %s", w.Code, body)
	}
	for _, wrong := range answer.Errors {
		switch wrong.Extensions.Code {
		case "", "INTERNAL", "TIMEOUT", "UNAVAILABLE":
			t.Errorf("code %q: %s", wrong.Extensions.Code, body)
		}
	}
	v.idle(t)
	if v.sent++; v.sent%5000 == 0 {
		v.leakless(t)
	}
	return w
}

// idle checks that no connection is in use. A connection that database/sql is closing because of
// its age counts as in use until it is closed.
func (v *victim) idle(t testing.TB) {
	t.Helper()
	gqltest.Eventually(t, "all connections come back", func() error {
		if n := v.db.Stats().InUse; n != 0 {
			return fmt.Errorf("%d are in use", n)
		}
		return nil
	})
}

// plain returns the body of an answer, decompressed as its header says.
func plain(t testing.TB, header http.Header, body []byte) []byte {
	t.Helper()
	var err error
	switch header.Get("Content-Encoding") {
	case "zstd":
		body, err = decoder.DecodeAll(body, nil)
	case "gzip":
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(r)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// decoder decompresses zstd. It has no goroutines, and many may use it.
var decoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))

// leakless checks that no more goroutines run than at the start.
func (v *victim) leakless(t testing.TB) {
	t.Helper()
	if v.before == nil || t.Failed() {
		return
	}
	if err := goleak.Find(v.before); err != nil {
		t.Error(err)
	}
}

// operations are valid documents with a variable and a value for it.
var operations = []struct{ query, variables string }{
	{`query($v: Int) { users(first: $v, orderBy: [{field: USERNAME, direction: DESC}]) { totalCount pageInfo { hasNextPage endCursor } nodes { id username email role } } }`, `{"v":3}`},
	{`query($v: UserWhereInput) { users(where: $v) { nodes { id heroes(first: 2) { nodes { name age team { name } } } } } }`,
		`{"v":{"or":[{"usernameHasPrefix":"a"},{"not":{"emailIsNil":true}}],"createdAtGT":"2020-01-01T00:00:00Z","hasHeroesWith":[{"nameHasPrefix":"A"}]}}`},
	{`query($v: [HeroOrder!]) { heroes(orderBy: $v, last: 3) { edges { cursor node { name owner { username } } } } }`, `{"v":[{"field":"AGE","direction":"DESC"},{"field":"NAME"}]}`},
	{`query($v: Boolean!) { orders(first: 2) { nodes { status totalCents items @include(if: $v) { quantity unitPriceCents product { sku } } user @skip(if: $v) { id } } } }`, `{"v":true}`},
	{`query($v: [ID!]!) { nodes(ids: $v) { __typename id ... on Product { sku stock } ... on Hero { name } } }`, `{"v":["user_00000000000000000000000000","hero_7zzzzzzzzzzzzzzzzzzzzzzzzz"]}`},
	{`mutation($v: CreateHeroInput!) { createHero(input: $v) { hero { id name age version createdAt } } }`, `{"v":{"name":"Ada","secretName":"x","age":36}}`},
	{`mutation($v: [CreateHeroInput!]!) { createHeroes(input: $v, onError: SKIP) { heroes { id } errors { index code message field } } }`, `{"v":[{"name":"a"},{"name":"","age":-1},{"name":"c","teamId":"team_00000000000000000000000000"}]}`},
	{`mutation($v: CreateUserInput!) { createUser(input: $v) { user { id username email isActive } } }`, `{"v":{"username":"ada","email":"ada@example.com","isActive":false}}`},
	{`mutation($v: CreateProductInput!) { createProduct(input: $v) { product { id sku priceCents stock } } }`, `{"v":{"sku":"A-1","name":"n","priceCents":100}}`},
	{`mutation($v: CreateOrderInput!) { createOrder(input: $v) { order { id totalCents items { quantity } } } }`, `{"v":{"userId":"user_00000000000000000000000000","items":[{"productId":"product_00000000000000000000000000","quantity":1}]}}`},
}

// FuzzBody changes the body of a POST.
func FuzzBody(f *testing.F) {
	for _, o := range operations {
		body, err := json.Marshal(map[string]any{"query": o.query, "variables": json.RawMessage(o.variables), "operationName": nil, "extensions": map[string]any{}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	for _, body := range []string{
		`{"query":"{ users { totalCount } }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hashOf(`{ users { totalCount } }`) + `"}}}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hashOf(`{ users { totalCount } }`) + `"}}}`,
		`{"documentId":"sha256:` + hashOf(`{ users { totalCount } }`) + `"}`,
		`{"query":"query A { viewer { id } } mutation B { createTeam(input: {name: \"t\"}) { team { id } } }","operationName":"B"}`,
		`[{"query":"{ viewer { id } }"}]`, `{"query":7}`, `{"\u0071uery":"\ud800"}`, "\xff", "",
	} {
		f.Add(body)
	}
	v := newVictim(f)
	f.Fuzz(func(t *testing.T, body string) { v.post(t, body) })
}

// FuzzDocument changes the document.
func FuzzDocument(f *testing.F) {
	for _, o := range operations {
		f.Add(o.query)
	}
	for _, query := range []string{
		`{ __schema { queryType { name } types { name fields(includeDeprecated: true) { name args { name defaultValue } } } } }`,
		`{ a: users(first: 1) { ...f } b: users(last: 1, where: {and: [], or: []}) { ...f } } fragment f on UserConnection { edges { node { ...g } } } fragment g on Node { id }`,
		`query($a: Int = 2, $b: Boolean! = true) { heroes(first: $a, offset: 1) { nodes @include(if: $b) { ... { age } ... on Hero @skip(if: $b) { name } } } }`,
		`mutation { createTeam(input: {name: """ block "quoted" """}) { team { id name version } } }`,
		`{ users(first: 100) { nodes { orders(first: 100) { nodes { items { product { name } } } } } } }`,
		"#comment\n\ufeff{viewer{id,,,}}", `subscription { x }`, `{ users @defer { totalCount } }`,
	} {
		f.Add(query)
	}
	v := newVictim(f)
	f.Fuzz(func(t *testing.T, query string) { v.operation(t, query, nil) })
}

// FuzzVariables changes the JSON of the variables of valid documents.
func FuzzVariables(f *testing.F) {
	for i, o := range operations {
		f.Add(uint8(i), o.variables)
		f.Add(uint8(i), `{"v":[{"v":null}],"w":1e400}`)
		f.Add(uint8(i), `{"v":"\ud83d\u0000\\"}`)
		f.Add(uint8(i), `{"v":-2147483649}`)
	}
	v := newVictim(f)
	f.Fuzz(func(t *testing.T, i uint8, variables string) {
		query, err := json.Marshal(operations[int(i)%len(operations)].query)
		if err != nil {
			t.Fatal(err)
		}
		v.post(t, `{"query":`+string(query)+`,"variables":`+variables+`}`)
	})
}

// takeID are documents that take an ID.
var takeID = []string{
	`query($v: ID!) { node(id: $v) { __typename id ... on Order { items { id } } } }`,
	`query($v: ID!) { nodes(ids: [$v, $v]) { id } }`,
	`query($v: ID!) { user(id: $v) { id orders(first: 1) { nodes { id } } } }`,
	`query($v: ID!) { product(id: $v) { sku } }`,
	`query($v: ID!) { order(id: $v) { user { id } } }`,
	`query($v: ID!) { heroes(where: {or: [{id: $v}, {idIn: [$v]}]}) { totalCount } }`,
	`mutation($v: ID!) { updateHero(id: $v, input: {name: "n", ownerId: $v}, expectedVersion: 1) { hero { id } } }`,
	`mutation($v: ID!) { deleteTeam(id: $v) { deletedId } }`,
	`mutation($v: ID!) { restoreUser(id: $v) { user { id } } }`,
	`mutation($v: ID!) { adjustStock(productId: $v, delta: -1) { product { stock } } }`,
	`mutation($v: ID!) { deleteProduct(id: $v) { deletedId } }`,
	`mutation($v: ID!) { payOrder(id: $v) { order { status } } }`,
	`mutation($v: ID!) { cancelOrder(id: $v) { order { status } } }`,
	`mutation($v: ID!) { createOrder(input: {userId: $v, items: [{productId: $v, quantity: 1}]}) { order { id } } }`,
}

// FuzzID changes IDs.
func FuzzID(f *testing.F) {
	v := newVictim(f)
	for i, query := range []string{`{ users(first: 1) { nodes { id } } }`, `{ heroes(first: 1) { nodes { id } } }`, `{ products(first: 1) { nodes { id } } }`,
		`{ orders(first: 1) { nodes { id items { id } } } }`, `{ teams(first: 1) { nodes { id } } }`} {
		ids := everyValue(f, v.post(f, `{"query":"`+query+`"}`), "id")
		for j := range takeID {
			f.Add(uint8(j), ids[i%len(ids)])
		}
	}
	for _, id := range []string{"", "user_", "user_00000000000000000000000000", "USER_00000000000000000000000000", "item_8zzzzzzzzzzzzzzzzzzzzzzzzz", "1", "\x00", "héro_é"} {
		f.Add(uint8(0), id)
	}
	f.Fuzz(func(t *testing.T, i uint8, id string) { v.operation(t, takeID[int(i)%len(takeID)], id) })
}

// takeCursor are lists in several orders, after or before a cursor, with the fingerprint of the
// order.
var takeCursor = []struct{ query, order string }{
	{`query($v: Cursor) { x: users(after: $v, first: 3) { edges { cursor node { id } } } }`, "User|idfalse"},
	{`query($v: Cursor) { x: users(before: $v, last: 3, orderBy: [{field: USERNAME}]) { edges { cursor } pageInfo { hasPreviousPage } } }`, "User|usernamefalse|idfalse"},
	{`query($v: Cursor) { x: heroes(after: $v, orderBy: [{field: AGE, direction: DESC}, {field: NAME}]) { edges { cursor } } }`, "Hero|agetrue|namefalse|idfalse"},
	{`query($v: Cursor) { x: products(before: $v, orderBy: [{field: CREATED_AT}]) { totalCount edges { cursor } } }`, "Product|created_atfalse|idfalse"},
	{`query($v: Cursor) { x: teams(after: $v, first: 1) { edges { cursor node { heroes(after: $v, first: 1) { edges { cursor } } } } } }`, "Team|idfalse"},
}

// FuzzCursor changes cursors, as text and before they are encrypted, so that their content is
// checked as well.
func FuzzCursor(f *testing.F) {
	v, sealed := newVictim(f), cursorcipher.New(nil)
	prints := make([]uint32, len(takeCursor))
	for i, list := range takeCursor {
		h := fnv.New32a()
		_, _ = h.Write([]byte(list.order))
		prints[i] = h.Sum32()
		cursors := everyValue(f, v.operation(f, list.query, nil), "cursor")
		for _, cursor := range cursors[:min(len(cursors), 3)] {
			f.Add(uint8(i), false, []byte(cursor))
			// The cursors of a nested list come first in an answer, and belong to another order.
			if plain, err := sealed.Open(cursor, prints[i]); err == nil {
				f.Add(uint8(i), true, plain)
			} else if i != len(takeCursor)-1 {
				f.Fatalf("%s has a cursor that does not open: %v", list.query, err)
			}
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, inside bool, value []byte) {
		list := int(i) % len(takeCursor)
		cursor := string(value)
		if inside {
			cursor = string(sealed.Append(nil, prints[list], value))
		}
		v.operation(t, takeCursor[list].query, cursor)
	})
}

// everyValue returns all texts under a name in an answer.
func everyValue(t testing.TB, w *httptest.ResponseRecorder, name string) (found []string) {
	t.Helper()
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			if text, ok := value[name].(string); ok {
				found = append(found, text)
			}
			for _, inner := range value {
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	var answer any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if walk(answer); len(found) == 0 {
		t.Fatalf("there is no %s in %s", name, w.Body)
	}
	return found
}

// FuzzHeaders changes the request around the body: method, query string and headers.
func FuzzHeaders(f *testing.F) {
	get := url.Values{"query": {`query($v: Int) { users(first: $v) { nodes { username } } }`}, "variables": {`{"v":1}`}, "operationName": {""}}
	f.Add("GET", get.Encode(), "", "*/*", "gzip;q=0.5, zstd", "", "")
	f.Add("GET", url.Values{"query": {`{ users(first: 20) { nodes { id username email createdAt } } }`}}.Encode(), "", "", "gzip", "", "")
	f.Add("GET", "documentId=sha256:00&extensions={}", "", "", "", "", "")
	f.Add("GET", byHash(hashOf("{__typename}"), "{__typename}")[len("/graphql?"):], "", "application/json;q=0.1", "identity;q=0", "", "")
	f.Add("POST", "", "application/json; charset=utf-8", "application/graphql-response+json;q=1, application/json;q=0.9", "*", "key-1", "same-origin")
	f.Add("POST", "a=%zz", "text/plain", "text/html", "gzip", "key-2", "cross-site")
	f.Add("OPTIONS", "", "", "", "", "", "")
	const body = `{"query":"mutation { createTeam(input: {name: \"t\"}) { team { id } } }"}`
	v := newVictim(f)
	f.Fuzz(func(t *testing.T, method, query, contentType, accept, acceptEncoding, key, site string) {
		r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
		r.Method, r.URL.RawQuery = method, query
		for name, value := range map[string]string{"Content-Type": contentType, "Accept": accept, "Idempotency-Key": key,
			"X-Request-Id": key, "Sec-Fetch-Site": site, "Origin": site, "Accept-Encoding": acceptEncoding, "Traceparent": key} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		v.send(t, r, body)
	})
}

// TestWhoSends checks that each viewer sends some of the seeds, and that each seed always has the
// same viewer.
func TestWhoSends(t *testing.T) {
	t.Parallel()
	v := victim{viewers: []viewer.Viewer{viewer.System, {}, {Role: viewer.User}}}
	seen := map[viewer.Role]bool{}
	for _, o := range operations {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		who := v.whoSends(r, o.query+o.variables)
		if again := v.whoSends(r, o.query+o.variables); again != who {
			t.Errorf("%s: %v, and then %v", o.query, who, again)
		}
		seen[who.Role] = true
	}
	if len(seen) != len(v.viewers) {
		t.Errorf("only %v send anything", seen)
	}
}
