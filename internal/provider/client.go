package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// These limits bound what a provider can cost this server.
const (
	requestTime = 10 * time.Second // for one request to a provider
	maxAnswer   = 1 << 20          // the bytes of one answer
	maxRunning  = 32               // how many browsers may wait for one provider at once
)

var errTooLong = errors.New("the provider's answer is too long")

// newClient returns a client for requests to providers, each of which has a time limit. It follows
// no redirects: a provider has none at the addresses that servers use.
func newClient(limit time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.MaxConnsPerHost = 2 * maxRunning
	return &http.Client{
		Timeout:       limit,
		Transport:     bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded is a transport whose answers end with an error after maxAnswer bytes.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{answer.Body, maxAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// through returns a context with which go-oidc and oauth2 use the client.
func through(ctx context.Context, client *http.Client) context.Context {
	return oidc.ClientContext(ctx, client)
}
