package program

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/test/dbtest"
)

func hashOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// byHash returns the path of a GET request with the hash of an operation. If operation is not "",
// the path also has the operation.
func byHash(hash string, query ...string) string {
	values := url.Values{"extensions": {`{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`}, "query": query}
	return "/graphql?" + values.Encode()
}

// manifest writes documents with their IDs to a file, and returns the path of the file.
func manifest(t *testing.T, documents map[string]string) string {
	t.Helper()
	b, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "documents.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrustedDocuments(t *testing.T) {
	t.Parallel()
	path := manifest(t, map[string]string{"count": countUsers})
	s := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "TRUSTED_DOCUMENTS="+path)
	if strings.Contains(s.stdout, "Playground") {
		t.Errorf("a playground, where nothing new may run:\n%s", s.stdout)
	}
	for name, path := range map[string]string{"documentId": "/graphql?documentId=count", "a hash": byHash("count")} {
		if got := s.Get(path); got.Status != 200 || !strings.Contains(got.Body, `"totalCount":100`) {
			t.Errorf("by %s: %s", name, got)
		}
	}
	if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"totalCount":100`) {
		t.Errorf("in full: %s", body)
	}
	for _, query := range []string{`{ teams { totalCount } }`, `{ __schema { queryType { name } } }`} {
		if body := s.Do(query, nil).Body; !strings.Contains(body, "OPERATION_NOT_ALLOWED") || strings.Contains(body, `"data"`) {
			t.Errorf("%s: %s", query, body)
		}
		if body := s.Get(byHash(hashOf(query), query)).Body; !strings.Contains(body, "OPERATION_NOT_ALLOWED") {
			t.Errorf("%s to be kept: %s", query, body)
		}
	}

	if metrics := s.Get("/metrics").Body; !strings.Contains(metrics, `forge_refused_total{limit="untrusted"} 4`+"\n") {
		t.Error("the metrics are without the documents that were refused")
	}

	path = manifest(t, map[string]string{"a": countUsers, "b": "{ users { hashedPassword } }"})
	code, stdout, stderr := do(t, "DATABASE_URL=sqlite::memory:", "ADDR=127.0.0.1:0", "--trusted-documents="+path)
	want := `forge: --trusted-documents="` + path + `" is not allowed: entry "b": line 1, column 11: Cannot query field "hashedPassword" on type "UserConnection"; ` +
		`allowed: the path of a manifest that Relay, Apollo or GraphQL Code Generator wrote, or none`
	if code != 2 || stdout != "" || strings.TrimSpace(stderr) != want {
		t.Errorf("a document that is not valid: status %d, stdout %q, stderr %s, want %s", code, stdout, stderr, want)
	}
}

func TestAutomaticPersistedQueries(t *testing.T) {
	t.Parallel()
	hash := hashOf(countUsers)
	on := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "APQ_CACHE=1")
	off := start(t, "DATABASE_URL="+dbtest.SQLite(t), "--apq=off")
	for _, step := range []struct {
		s    *server
		path string
		want string
	}{
		{on, byHash(hash), `"message":"PersistedQueryNotFound"`},
		{on, byHash(hash, countUsers), `"totalCount":100`},
		{on, byHash(hash), `"totalCount":100`},
		{on, byHash(hashOf("{__typename}"), "{__typename}"), `"__typename":"Query"`},
		{on, byHash(hash), `"code":"PERSISTED_QUERY_NOT_FOUND"`},
		{off, byHash(hash), `"message":"PersistedQueryNotSupported"`},
		{off, byHash(hash, countUsers), `"totalCount":100`},
		{off, byHash(hash), `"code":"PERSISTED_QUERY_NOT_SUPPORTED"`},
	} {
		if got := step.s.Get(step.path); got.Status != 200 || !strings.Contains(got.Body, step.want) {
			t.Errorf("%s: %s, want %s", step.path, got, step.want)
		}
	}
	metrics := on.Get("/metrics").Body
	for result, n := range map[string]string{"hit": "1", "miss": "2"} {
		if !strings.Contains(metrics, `forge_cache_requests_total{cache="persisted",result="`+result+`"} `+n+"\n") {
			t.Errorf("the metrics are without %s look-ups with %s", n, result)
		}
	}
}

// TestLongDocumentsAreNotKept sends a document that is one long comment, twice.
func TestLongDocumentsAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=off")
	long := countUsers + "#" + strings.Repeat("x", 65<<10)
	for range 2 {
		if body := s.Do(long, nil).Body; !strings.Contains(body, `"totalCount":0`) {
			t.Errorf("%.300s", body)
		}
	}
	metrics := s.Get("/metrics").Body
	for result, n := range map[string]string{"hit": "0", "miss": "2"} {
		if !strings.Contains(metrics, `forge_cache_requests_total{cache="documents",result="`+result+`"} `+n+"\n") {
			t.Errorf("the metrics are without %s look-ups with %s", n, result)
		}
	}
}
