package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/graph"
	"forge/internal/gqlexec"
	"forge/internal/persisted"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// newPersistedAPI returns an API that stores documents by their hashes.
func newPersistedAPI(t *testing.T) *api {
	t.Helper()
	return newConfiguredAPI(t, dbtest.SQLite(t), config{Options: gqlexec.Options{Documents: persisted.NewAutomatic(100, 1<<20), Limits: gqlexec.Limits{Tokens: 10_000}}})
}

// byHash returns the extensions of a request that names a document by its hash.
func byHash(document string) vars {
	sum := sha256.Sum256([]byte(document))
	return vars{"persistedQuery": vars{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}
}

// get sends a document, or its hash, by GET, and returns the body of the answer.
func (a *api) get(query string, extensions vars) string {
	a.t.Helper()
	values := url.Values{"query": {query}}
	if extensions != nil {
		text, err := json.Marshal(extensions)
		if err != nil {
			a.t.Fatal(err)
		}
		values.Set("extensions", string(text))
	}
	return a.Get("/graphql?" + values.Encode()).Body
}

// post sends a document, or its hash, by POST, and returns the body of the answer.
func (a *api) post(query string, extensions vars) string {
	return a.SendRequest(a.t.Context(), gqltest.Request{Query: query, Extensions: extensions}).Body
}

// tree returns a document that stands for 2^n times its size when its fragments are followed.
func tree(n int) string {
	document := "{ __schema { types { ...f0 } } }"
	for i := range n {
		document += strings.NewReplacer("#next", itoa(i+1), "#", itoa(i)).Replace(
			" fragment f# on __Type { ofType { ...f#next } a: ofType { ...f#next } }")
	}
	return document + " fragment f" + itoa(n) + " on __Type { name }"
}

func itoa(i int) string { return string(rune('0'+i/10)) + string(rune('0'+i%10)) }

// TestDocumentsUnsound sends documents whose fragments or operations are not valid. They are
// refused before anything follows their fragments, however they are sent, and are not stored under
// their hashes.
func TestDocumentsUnsound(t *testing.T) {
	t.Parallel()
	a := newPersistedAPI(t)
	for _, tt := range []struct{ name, document, want string }{
		{"a fragment twice", tree(60) + " fragment f00 on __Type { name }", `There can be only one fragment named \"f00\".","locations":[{"line":1,"column":34},{"line"`},
		{"a fragment twice, the second large", "{ viewer { ...f } } fragment f on User { id } fragment f on User { id ...f }", `There can be only one fragment named \"f\".","locations":[{"line":1,"column":21},{"line":1,"column":47}]`},
		{"an operation twice", "query a { viewer { id } } query a { viewer { id } }", `There can be only one operation named \"a\".","locations":[{"line":1,"column":1},{"line":1,"column":27}]`},
		{"unknown fragments", "{" + strings.Repeat("...a ", 4000) + "}", `Unknown fragment \"a\".","locations":[{"line":1,"column":5}]`},
		{"a fragment within itself", "{ ...f } fragment f on Query { ...g } fragment g on Query { ...f }", `Cannot spread fragment \"f\" within itself via \"g\".","locations":[{"line":1,"column":64}]`},
		{"a variable twice", "query($a: Int, $a: String) { users(first: $a) { totalCount } }", `There can be only one variable named \"$a\".`},
		{"an argument twice", "{ users(first: 1, first: 2) { totalCount } }", `There can be only one argument named \"first\".`},
		{"an input field twice", `{ users(where: {username: "a", username: "b"}) { totalCount } }`, `There can be only one input field named \"username\".`},
		{"a directive twice", "{ viewer @skip(if: true) @skip(if: false) { id } }", `The directive \"@skip\" can only be used once at this location.`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hash := byHash(tt.document)
			for name, got := range map[string]string{"GET": a.get(tt.document, nil), "POST": a.post(tt.document, nil),
				"GET with its hash": a.get(tt.document, hash), "POST with its hash": a.post(tt.document, hash)} {
				if !strings.Contains(got, tt.want) || !strings.Contains(got, `"GRAPHQL_VALIDATION_FAILED"`) {
					t.Errorf("%s: %.300s, want %s", name, got, tt.want)
				}
			}
			for name, got := range map[string]string{"GET": a.get("", hash), "POST": a.post("", hash)} {
				if !strings.Contains(got, `"PERSISTED_QUERY_NOT_FOUND"`) {
					t.Errorf("%s by hash: %.300s; it must not be kept", name, got)
				}
			}
			manifest, err := json.Marshal(map[string]string{"a": tt.document})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "manifest.json")
			if err := os.WriteFile(path, manifest, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := new(graph.Resolver).API().TrustedDocuments(path, 10_000); err == nil || !strings.Contains(err.Error(), "line 1, column ") {
				t.Errorf("in a manifest: %v", err)
			}
		})
	}
}

// TestDocumentsCached checks that valid documents are still found by their hashes.
func TestDocumentsCached(t *testing.T) {
	t.Parallel()
	a := newPersistedAPI(t)
	const document = `query($n: Int) { users(first: $n) { totalCount } }`
	send := func(query string, n any) gqltest.Answer {
		return a.SendRequest(t.Context(), gqltest.Request{Query: query, Variables: vars{"n": n}, Extensions: byHash(document)})
	}
	if got := send(document, "x"); got.Code() != "BAD_USER_INPUT" {
		t.Errorf("%s, want BAD_USER_INPUT", got)
	}
	for _, query := range []string{document, ""} {
		if got := send(query, 1); !got.OK() {
			t.Errorf("query %q: %s", query, got)
		}
	}
}

// TestValidationEndsWithTheRequest validates a document for a client that has hung up.
func TestValidationEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	a := newPersistedAPI(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	document := "{" + strings.Repeat(" __typename", 5000) + "}"
	if got := a.Send(ctx, document, nil); got.Code() != "TIMEOUT" {
		t.Errorf("%s, want TIMEOUT", got)
	}
}

// TestRequestsLarge sends requests of about a megabyte that consist of as many parts as possible,
// and documents that use such a part again and again.
func TestRequestsLarge(t *testing.T) {
	a := newPersistedAPI(t)
	list := func(n int, element string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"
	}
	times := func(n int, part string) string { return strings.Repeat(part, n) }
	const where = `query($v: [UserWhereInput!]) { users(where: {or: $v}) { totalCount } }`
	for _, tt := range []struct{ name, query, variables, want string }{
		{"empty objects", where, `{"v":` + list(340_000, "{}") + `}`, `"limit":20000`},
		{"as many as may be", where, `{"v":` + list(9_990, `{}`) + `}`, `"`},
		{"empty lists", where, `{"v":` + list(340_000, "[]") + `}`, `"limit":20000`},
		{"small objects", where, `{"v":` + list(90_000, `{"id":"x"}`) + `}`, `"limit":20000`},
		{"members of other names", where, `{"v":{` + strings.TrimSuffix(times(100_000, `"a":"",`), ",") + `}}`, `"limit":20000`},
		{"numbers", `query($v: [ID!]!) { nodes(ids: $v) { id } }`, `{"v":` + list(500_000, "1") + `}`, `"limit":20000`},
		{"a long text", `query($v: ID!) { node(id: $v) { id } }`, `{"v":"` + times(1_000_000, "x") + `"}`, "BAD_USER_INPUT"},
		{"a long text for an enum", `query($v: OrderDirection!) { users(orderBy: {field: USERNAME, direction: $v}) { totalCount } }`, `{"v":"` + times(1_000_000, "x") + `"}`, "BAD_USER_INPUT"},
		{"a long number", `query($v: Int) { users(first: $v) { totalCount } }`, `{"v":` + times(1_000_000, "1") + `}`, "BAD_USER_INPUT"},
		{"a long text in many places", `query($v: String!) { users(where: {or: [` + times(1500, `{username: $v} `) + `]}) { totalCount } }`, `{"v":"` + times(900_000, "x") + `"}`, `"limit":20000`},
		{"a large value in many places", `query($v: UserWhereInput!) { users(where: {or: [` + times(4000, "$v ") + `]}) { totalCount } }`,
			`{"v":{"or":` + list(4000, `{"username":"x"}`) + `}}`, `"limit":20000`},
		{"many members of one name", `{ users(where: {or: [{` + times(3000, `username: "x" `) + `}]}) { totalCount } }`, `null`, "GRAPHQL_VALIDATION_FAILED"},
		{"many fields with long texts", "{ node(id: \"user_01h455vb4pex5vsknk084sn02q\") { ... on User {" + aliased(97, func(i int) string {
			return fmt.Sprintf(`heroes(where: {name: "%s%d"}) { totalCount }`, times(2400, "\u0080\u0080"), i)
		}) + "} } }", `null`, `{"data":`},
		{"a long password", `mutation($v: String!) { createUser(input: {username: "ada", password: $v}) { user { id } } }`,
			`{"v":"` + times(330_000, "\ufdfa") + `"}`, "BAD_USER_INPUT"},
		{"a long email to look for", `query($v: String!) { users(where: {email: $v}) { totalCount } }`, `{"v":"` + times(330_000, "\ufdfa") + `"}`, `{"data":`},
		{"one field many times", "{" + times(1400, "users { nodes { id } } ") + "}", `null`, `{"data":`},
		{"one field many times below", "{ users { nodes {" + times(2400, "heroes { totalCount } ") + "} } }", `null`, `{"data":`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, bytes := a.measure(gqltest.Request{Query: tt.query, Variables: json.RawMessage(tt.variables)})
			if bytes > slowed*64<<20 || !strings.Contains(got.Body, tt.want) {
				t.Errorf("%d MiB, want 64 at most: %.300s, want %s", bytes>>20, got, tt.want)
			}
			t.Logf("%d MiB: %.200s", bytes>>20, got)
		})
	}
}

// aliased returns n fields with different names in the answer.
func aliased(n int, field func(i int) string) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "a%d: %s ", i, field(i))
	}
	return all.String()
}
