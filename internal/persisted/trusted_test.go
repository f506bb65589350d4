package persisted_test

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"forge/internal/persisted"
)

// mustWrite writes a manifest to a new file.
func mustWrite(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	greet  = "query Greet($name: String) {\n  hello(name: $name)\n}"
	leave  = "query Leave { bye }"
	change = "mutation Change { hello }"
)

// manifests returns the same documents in the format of each tool, with the ID of the document
// greet.
func manifests(t *testing.T) map[string]struct{ content, id string } {
	t.Helper()
	plain := func(hash func(string) string) string {
		b, err := json.MarshalIndent(map[string]string{hash(greet): greet, hash(leave): leave, hash(change): change}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	md5Of := func(text string) string { sum := md5.Sum([]byte(text)); return hex.EncodeToString(sum[:]) }
	sha1Of := func(text string) string { sum := sha1.Sum([]byte(text)); return hex.EncodeToString(sum[:]) }
	prefixed := func(text string) string { return "sha256:" + hashOf(text) }
	operation := func(id, name, kind, body string) string {
		return `{"id":` + quoted(id) + `,"name":"` + name + `","type":"` + kind + `","body":` + quoted(body) + `}`
	}
	apolloManifest := func(id func(string) string) string {
		return `{"format":"apollo-persisted-query-manifest","version":1,"operations":[` + strings.Join([]string{
			operation(id(greet), "Greet", "query", greet), operation(id(leave), "Leave", "query", leave),
			operation(id(change), "Change", "mutation", change)}, ",") + `]}`
	}
	return map[string]struct{ content, id string }{
		"Relay":                  {plain(md5Of), md5Of(greet)},
		"GraphQL Code Generator": {plain(sha1Of), sha1Of(greet)},
		"prefixed":               {plain(prefixed), prefixed(greet)},
		"Apollo":                 {apolloManifest(hashOf), hashOf(greet)},
		"Apollo with own IDs":    {apolloManifest(func(text string) string { return "v1/" + text[:8] }), "v1/" + greet[:8]},
	}
}

// prepare accepts documents of at most 50 tokens that are valid for the schema.
func prepare(text string) (*ast.QueryDocument, gqlerror.List) {
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, 50)
	if err != nil {
		return nil, gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
	}
	return document, validator.ValidateWithRules(schema, document, nil)
}

// TestTrusted sends documents that are in a manifest, and others.
func TestTrusted(t *testing.T) {
	t.Parallel()
	for name, m := range manifests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifest, err := persisted.Load(mustWrite(t, m.content), prepare)
			if err != nil {
				t.Fatal(err)
			}
			if manifest.Len() != 3 {
				t.Errorf("%d documents, want 3", manifest.Len())
			}
			const other = `{ bye }`
			srv := newServer(persisted.Trusted{Manifest: manifest})
			refused := func(name, body, message string) exchange {
				return exchange{name: name, body: body, code: "OPERATION_NOT_ALLOWED", message: message, status: 403}
			}
			for _, e := range []exchange{
				{name: "by Apollo's extension", body: `{"extensions":` + apollo(m.id) + `}`, ran: greet},
				{name: "by documentId", body: `{"documentId":` + quoted(m.id) + `,"variables":{"name":"x"}}`, ran: greet},
				{name: "by the SHA-256, whatever the ID is", body: `{"documentId":"sha256:` + hashOf(leave) + `"}`, ran: leave},
				{name: "by GET", url: url.Values{"documentId": {m.id}}.Encode(), ran: greet},
				{name: "in full", body: `{"query":` + quoted(greet) + `}`, ran: greet},
				{name: "in full with its ID", body: `{"query":` + quoted(greet) + `,"documentId":` + quoted(m.id) + `}`, ran: greet},
				{name: "a mutation by GET", url: "documentId=sha256:" + hashOf(change), code: bad, message: "GET runs queries only", always: 405},
				refused("another", `{"query":`+quoted(other)+`}`, "the query is none of them"),
				refused("one with another space", `{"query":`+quoted(leave+" ")+`}`, "the query is none of them"),
				refused("one under another's ID", `{"query":`+quoted(leave)+`,"documentId":`+quoted(m.id)+`}`, "is not the one that documentId names"),
				refused("introspection", `{"query":"{ __schema { types { name } } }"}`, "the query is none of them"),
				refused("a new document", `{"query":`+quoted(other)+`,"extensions":`+apollo(hashOf(other))+`}`, "names none of them"),
				refused("and it is not", `{"extensions":`+apollo(hashOf(other))+`}`, "extensions.persistedQuery.sha256Hash names none of them"),
				refused("an unknown ID", `{"documentId":"nothing"}`, "documentId names none of them"),
				{name: "version 2", body: `{"extensions":{"persistedQuery":{"version":2,"sha256Hash":` + quoted(m.id) + `}}}`,
					code: bad, field: "extensions.persistedQuery.version", message: "must be the number 1", status: 400},
			} {
				e.check(t, srv)
			}
		})
	}
}

// TestLoadBadManifest checks the errors of manifests that are not valid.
func TestLoadBadManifest(t *testing.T) {
	t.Parallel()
	manifest := func(operations string) string {
		return `{"format":"apollo-persisted-query-manifest","version":1,"operations":[` + operations + `]}`
	}
	for _, tt := range []struct{ name, content, want string }{
		{"empty file", "", "it is not valid JSON, at byte 0: EOF"},
		{"a list", `[]`, "a manifest is a JSON object"},
		{"no documents", `{}`, "there are no documents in it"},
		{"no operations", manifest(""), "there are no documents in it"},
		{"cut off", `{"a": "{ bye }"`, "it is not valid JSON, at byte 15"},
		{"something behind it", `{"a": "{ bye }"} {}`, "something follows the JSON object at byte"},
		{"not a text", `{"a": "{ bye }", "b": {"c": 1}}`, `entry "b" must be the text of a document`},
		{"null", `{"a": null}`, `entry "a" must be the text of a document`},
		{"twice", `{"a": "{ bye }", "a": "{ bye }"}`, `entry "a" is there twice`},
		{"no ID", `{"": "{ bye }"}`, `entry "": the ID is empty`},
		{"does not parse", `{"a": "{ bye }", "b": "{\n  bye("}`, `entry "b": line 2, column 7: Expected Name, found <EOF>`},
		{"not in the schema", `{"a": "{ hi }"}`, `entry "a": line 1, column 3: Cannot query field "hi" on type "Query"`},
		{"variables not in the schema", `{"a": "query($a: Nothing) { hello(name: $a) }"}`, `entry "a": line 1, column`},
		{"a fragment only", `{"a": "fragment F on Query { bye }"}`, `entry "a": line 1, column 1: Fragment "F" is never used.`},
		{"too long", `{"a": "{ bye ` + strings.Repeat("bye ", 100) + `}"}`, `entry "a": exceeded token limit`},
		{"a hash of something else", `{"sha256:00": "{ bye }"}`, `entry "sha256:00": the ID is not the SHA-256 of the document`},
		{"another format", `{"format":"mine","version":1,"operations":[]}`, `its format is "mine" in version "1"; known is "apollo-persisted-query-manifest" in version 1`},
		{"another version", `{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}`, `in version "2"; known is`},
		{"an operation that is none", manifest(`7`), "operations must not be a JSON number"},
		{"another name", manifest(`{"id":"a","name":"Hi","type":"query","body":"query Ho { bye }"}`), `entry "a": there is no operation "Hi" in its body`},
		{"another type", manifest(`{"id":"a","name":"Hi","type":"mutation","body":"query Hi { bye }"}`), `entry "a": its type is "mutation", and "Hi" is a query`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := persisted.Load(mustWrite(t, tt.content), prepare)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	if _, err := persisted.Load(filepath.Join(t.TempDir(), "none.json"), prepare); err == nil || err.Error() != "no such file or directory" {
		t.Errorf("a file that is not there: %v", err)
	}
}
