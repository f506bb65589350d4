package program

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"forge/internal/mail"
	"forge/test/gqltest"
)

// TestInbox signs up on a server in development, and follows the link of the mail in its inbox.
// Other names than this machine's own are refused. A server without mails has no inbox.
func TestInbox(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		s := start(t, "AUTH=on", "AUTH_SECRET="+authSecret, "ACCOUNT_URL=https://app.example/", "DATABASE_URL="+address, "serve", "--migrate", "--demo=off")
		token := s.Must(`mutation { signUp(input: {username: "ada", email: "ada@example.com", password: "correct horse"}) { accessToken } }`, nil).Text("signUp.accessToken")
		s.As(token).Must(`mutation { requestEmailVerification { ok } }`, nil)
		var mails []mail.Received
		gqltest.Eventually(t, "the mail is in the inbox", func() error {
			if err := json.Unmarshal([]byte(body(t, s.url+"/inbox.json", "")), &mails); err != nil || len(mails) == 1 {
				return err
			}
			return io.ErrUnexpectedEOF
		})
		link := regexp.MustCompile(`https://app\.example/#verify=(\S+)`).FindStringSubmatch(mails[0].Text)
		if link == nil {
			t.Fatalf("the mail: %+v", mails[0])
		}
		s.As(token).Must(`mutation($t: String!) { verifyEmail(token: $t) { ok } }`, gqltest.Vars{"t": link[1]})
		if page := body(t, s.url+"/inbox", ""); !strings.Contains(page, mails[0].Subject) {
			t.Errorf("the page: %s", page)
		}
		if got := body(t, s.url+"/inbox.json", "evil.example"); strings.Contains(got, "ada") {
			t.Errorf("by another name: %s", got)
		}
	})
	off := start(t, "FORGE_ENV=production", "AUTH_SECRET="+authSecret, "DATABASE_URL=sqlite::memory:", "serve", "--migrate")
	if got := body(t, off.url+"/inbox.json", ""); strings.HasPrefix(got, "[") {
		t.Errorf("in production: %s", got)
	}
	off.WantCode("FORBIDDEN", `mutation { requestPasswordReset(email: "ada@example.com") { ok } }`, nil)
}

// body returns the body of an answer. The request has the Host that is given, unless it is "".
func body(t *testing.T, url, host string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
