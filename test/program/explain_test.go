package program

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestExplainFromElsewhere has a page of another origin ask for plans, and a server in production
// be asked for them by an administrator. Neither learns anything.
func TestExplainFromElsewhere(t *testing.T) {
	t.Parallel()
	ask := func(s *server, method string, headers ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/graphql", strings.NewReader(`{"query":"{ users { totalCount } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body) + answer.Header.Get("Access-Control-Allow-Headers")
	}
	development := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t))
	if status, body := ask(development, "POST", "Forge-Explain", "plan"); status != 200 || !strings.Contains(body, "SELECT") {
		t.Errorf("the server's own page: %d %s", status, body)
	}
	const elsewhere = "https://evil.example"
	if status, body := ask(development, "POST", "Forge-Explain", "plan", "Origin", elsewhere); status != 403 || strings.Contains(body, "SELECT") {
		t.Errorf("a page of another origin: %d %s", status, body)
	}
	preflight := []string{"Origin", elsewhere, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "forge-explain"}
	if status, body := ask(development, "OPTIONS", preflight...); status < 400 || strings.Contains(strings.ToLower(body), "forge-explain") {
		t.Errorf("its preflight: %d %s", status, body)
	}
	production := start(t, "FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+dbtest.EmptySQLite(t))
	for _, wish := range []string{"sql", "plan", "nonsense"} {
		if status, body := ask(production, "POST", "Forge-Explain", wish); status != 200 || strings.Contains(body, "SELECT") || strings.Contains(body, "extensions") {
			t.Errorf("in production, %s: %d %s", wish, status, body)
		}
	}
}
