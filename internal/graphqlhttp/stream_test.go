package graphqlhttp_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"forge/internal/graphqlhttp"
)

// TestWantsEvents checks which Accept headers ask for server-sent events.
func TestWantsEvents(t *testing.T) {
	t.Parallel()
	const json, response, events = "application/json", "application/graphql-response+json", "text/event-stream"
	for accept, want := range map[string]bool{
		"":                             false,
		"*/*":                          false,
		"text/*":                       false,
		json:                           false,
		events:                         true,
		events + ";q=0":                false,
		events + ", multipart/mixed":   true, // urql, for subscriptions
		events + ", */*;q=0.1":         true,
		events + ", " + json:           true,
		json + ", " + events:           false, // urql, for queries
		json + ";q=0.5, " + events:     true,
		events + ";q=0.5, " + response: false,
		response + ";q=0, " + events:   true,
		"x " + events:                  false,
	} {
		r := httptest.NewRequest("POST", "/graphql", nil)
		r.Header.Set("Accept", accept)
		if got := graphqlhttp.WantsEvents(r); got != want {
			t.Errorf("Accept: %s: %t, want %t", accept, got, want)
		}
	}
}

// TestSubscriptionRefused sends a subscription as an ordinary request.
func TestSubscriptionRefused(t *testing.T) {
	t.Parallel()
	w := serve(newServer(hello), newPost(`{"query":"subscription { hello }"}`, ""))
	if body := w.Body.String(); w.Code != 400 || !strings.Contains(body, "graphql-transport-ws") || !strings.Contains(body, "text/event-stream") {
		t.Errorf("the answer is %d %s", w.Code, body)
	}
}
