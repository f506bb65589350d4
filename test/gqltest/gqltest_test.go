package gqltest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// echo is a handler that answers with the request that it received, in the form of a GraphQL
// server.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Authorization") != "Bearer t" || r.URL.Path != "/graphql" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}], "data": null}`)
		return
	}
	fmt.Fprintf(w, `{"data": {"length": %d, "sent": [%s]}, "extensions": {"sql": {"statements": 3}}}`, r.ContentLength, body)
})

func TestClientAsksServerAndHandlerAlike(t *testing.T) {
	server := httptest.NewServer(echo)
	defer server.Close()
	for name, guest := range map[string]*Client{"server": New(t, server.URL), "handler": NewHandler(t, echo)} {
		if got := guest.WantCode("UNAUTHENTICATED", "{ a }", nil); got.OK() || got.Status != http.StatusUnauthorized {
			t.Errorf("%s: without a token: %s", name, got)
		}
		if got := guest.As("t").With("Authorization", "").Do("{ a }", nil); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: without a token again: %s", name, got)
		}
		if got := guest.As("t").Get("/graphql"); got.Status != http.StatusOK || !strings.Contains(got.Body, `"sent": []`) {
			t.Errorf("%s: a page: %s", name, got)
		}
		got := guest.As("t").WantStatements(3, "{ a }", Vars{"v": 7})
		if got.Text("sent.0.query") != "{ a }" || got.Number("sent.0.variables.v") != 7 || got.Len("sent") != 1 {
			t.Errorf("%s: the server got %s", name, got)
		}
		if want := len(`{"query":"{ a }","variables":{"v":7}}`); got.Number("length") != want {
			t.Errorf("%s: Content-Length %d, want %d", name, got.Number("length"), want)
		}
		if got.At("sent.1") != nil || got.Text("none.0") != "" || got.Number("sent") != -1 || got.Len("length") != -1 {
			t.Errorf("%s: a path that leads nowhere leads to something in %s", name, got)
		}
	}
}

func TestClientSendSaysWhyThereIsNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	got := New(t, server.URL).Send(t.Context(), "", nil)
	if got.Code() != NoAnswer || got.Status != http.StatusNotFound {
		t.Errorf("text in the place of JSON: code %q, status %d", got.Code(), got.Status)
	}
	server.Close()
	if got := New(t, server.URL).Send(t.Context(), "", nil); got.Err == nil || got.OK() {
		t.Errorf("nobody listens, and the answer is %s", got)
	}
}

func TestEventuallyCallsUntilThereIsNoError(t *testing.T) {
	calls := 0
	Eventually(t, "the third call succeeds", func() error {
		if calls++; calls < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
}
