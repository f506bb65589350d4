// Package gqltest is the GraphQL client for all tests. It sends operations to a server at a URL, or
// to a handler in this process, and parses the answers. It imports no other package of Forge.
package gqltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Vars holds the variables of an operation, or the fields of an object in them.
type Vars = map[string]any

// Request is the JSON body of a request.
type Request struct {
	Query         string `json:"query,omitempty"`
	OperationName string `json:"operationName,omitempty"`
	Variables     any    `json:"variables,omitempty"` // Vars, or a json.RawMessage
	Extensions    Vars   `json:"extensions,omitempty"`
	DocumentID    string `json:"documentId,omitempty"`
}

// Client sends operations. It is safe for concurrent use.
type Client struct {
	t       testing.TB
	url     string
	client  *http.Client
	headers http.Header
}

// overNetwork is the HTTP client that New uses. It keeps enough connections for many requests at
// once.
var overNetwork = &http.Client{
	Transport: &http.Transport{MaxIdleConns: 200, MaxIdleConnsPerHost: 200},
	Timeout:   time.Minute,
}

// New returns a client for the server at a URL such as http://127.0.0.1:8080.
func New(t testing.TB, serverURL string) *Client {
	return &Client{t: t, url: serverURL, client: overNetwork}
}

// NewHandler returns a client for a handler. It calls the handler directly, without a network.
func NewHandler(t testing.TB, handler http.Handler) *Client {
	return &Client{t: t, client: &http.Client{Transport: inProcess{handler}}}
}

// inProcess is an HTTP transport that calls a handler instead of using the network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	received := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
	received.Header, received.ContentLength = r.Header, r.ContentLength
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, received)
	return w.Result(), nil
}

// Through returns a copy of the client that uses another HTTP client, such as one with a shorter
// timeout.
func (c *Client) Through(client *http.Client) *Client {
	other := *c
	other.client = client
	return &other
}

// With returns a copy of the client that sends further headers with each request. headers are names
// and values in turn. A header with the value "" is no longer sent.
func (c *Client) With(headers ...string) *Client {
	other := *c
	other.headers = c.headers.Clone()
	if other.headers == nil {
		other.headers = http.Header{}
	}
	for i := 0; i < len(headers); i += 2 {
		if other.headers.Del(headers[i]); headers[i+1] != "" {
			other.headers.Set(headers[i], headers[i+1])
		}
	}
	return &other
}

// As returns a copy of the client that sends an access token with each request.
func (c *Client) As(token string) *Client { return c.With("Authorization", "Bearer "+token) }

// HTTP returns the HTTP client that sends the requests.
func (c *Client) HTTP() *http.Client { return c.client }

// Send sends an operation once. It gives up when ctx ends, and never fails the test. If there is no
// answer, the result's Err says why.
func (c *Client) Send(ctx context.Context, query string, variables Vars) Answer {
	return c.SendRequest(ctx, Request{Query: query, Variables: variables})
}

// SendRequest does the same as Send, for a request that has more than a query and variables.
func (c *Client) SendRequest(ctx context.Context, request Request) Answer {
	body, err := json.Marshal(request)
	if err != nil {
		return Answer{Err: err}
	}
	return c.SendBody(ctx, body)
}

// SendBody does the same as Send, with a given request body.
func (c *Client) SendBody(ctx context.Context, body []byte) Answer {
	a := c.exchange(ctx, http.MethodPost, "/graphql", body)
	if a.Err != nil {
		return a
	}
	if err := json.Unmarshal([]byte(a.Body), &a); err != nil {
		a.Err = fmt.Errorf("the answer is not JSON: %w: %s", err, a.Body)
	}
	return a
}

// exchange sends an HTTP request once and returns the answer. It does not fill in Data and Errors.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte) Answer {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return Answer{Err: err}
	}
	// Without GetBody, net/http does not send a request again if the connection breaks.
	r.GetBody = nil
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range c.headers {
		r.Header[name] = values
	}
	response, err := c.client.Do(r)
	if err != nil {
		return Answer{Err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return Answer{Err: err, Status: response.StatusCode, Header: response.Header, Body: string(text)}
}

// Get sends a GET for a page of the server, such as /metrics, and returns the answer without
// parsing its body. If there is no answer, the test stops.
func (c *Client) Get(path string) Answer {
	c.t.Helper()
	got := c.exchange(context.Background(), http.MethodGet, path, nil)
	if got.Err != nil {
		c.t.Fatalf("%s: %v", path, got.Err)
	}
	return got
}

// Do sends an operation and returns the answer, even if it has errors. If there is no answer, the
// test fails but goes on.
func (c *Client) Do(query string, variables Vars) Answer {
	c.t.Helper()
	// A test's clean-up may call Do, and the test's own context has ended by then.
	got := c.Send(context.Background(), query, variables)
	if got.Err != nil {
		c.t.Errorf("%s: %v", query, got.Err)
	}
	return got
}

// Must sends an operation and returns the answer. The test stops if the answer has errors.
func (c *Client) Must(query string, variables Vars) Answer {
	c.t.Helper()
	got := c.Do(query, variables)
	if !got.OK() {
		c.t.Fatalf("%s with %v: %s", query, variables, got)
	}
	return got
}

// WantCode sends an operation and returns the answer. The test fails if the first error has another
// code. With code "", the test fails if there is an error.
func (c *Client) WantCode(code, query string, variables Vars) Answer {
	c.t.Helper()
	got := c.Do(query, variables)
	if got.Code() != code {
		c.t.Errorf("%s with %v: code %q, want %q: %s", query, variables, got.Code(), code, got)
	}
	return got
}

// Statements sends an operation and returns the number of SQL statements that it ran. The test
// stops if the operation fails.
func (c *Client) Statements(query string, variables Vars) int {
	c.t.Helper()
	return c.Must(query, variables).Statements()
}

// WantStatements sends an operation and returns the answer. The test stops if the operation fails,
// and fails if the number of SQL statements is not want.
func (c *Client) WantStatements(want int, query string, variables Vars) Answer {
	c.t.Helper()
	got := c.Must(query, variables)
	if n := got.Statements(); n != want {
		c.t.Errorf("%s with %v: %d statements, want %d", query, variables, n, want)
	}
	return got
}
