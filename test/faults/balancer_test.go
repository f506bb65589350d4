package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"forge/test/gqltest"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A balancer sends requests in turn to the backends whose /readyz is 200, over connections that it
// keeps open. If a backend refuses a connection, nothing has been sent, so another backend gets the
// request. After any other failure, the client gets the status 502.
type balancer struct {
	url       string
	backends  []*backend
	transport *http.Transport
	turn      atomic.Int64
	refused   atomic.Int64 // connections
	broken    atomic.Int64 // requests that were sent and not answered
}

type backend struct {
	addr     string
	ready    atomic.Bool
	answered atomic.Int64
}

// probeEvery is a short interval for a balancer, which keeps the servers' SHUTDOWN_DELAY short.
const probeEvery = 100 * time.Millisecond

// balance starts a balancer, which runs until the test ends.
func balance(t *testing.T, addrs []string) *balancer {
	t.Helper()
	b := &balancer{transport: &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}}
	ctx, cancel := context.WithCancel(background)
	var probes sync.WaitGroup
	for _, addr := range addrs {
		s := &backend{addr: addr}
		b.backends = append(b.backends, s)
		probes.Go(func() { s.probe(ctx) })
	}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetXForwarded() },
		Transport: b,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	})
	t.Cleanup(func() {
		front.Close()
		cancel()
		probes.Wait()
		b.transport.CloseIdleConnections()
	})
	b.url = front.URL
	return b
}

// probe asks again and again whether the backend is ready.
func (s *backend) probe(ctx context.Context) {
	for ctx.Err() == nil {
		response, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			response.Body.Close()
		}
		s.ready.Store(err == nil && response.StatusCode == http.StatusOK)
		select {
		case <-ctx.Done():
		case <-time.After(probeEvery):
		}
	}
}

// RoundTrip sends a request to the next backend. If that one refuses the connection, it tries the
// others.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	err = errors.New("no backend is ready")
	start := int(b.turn.Add(1))
	for i := range b.backends {
		s := b.backends[(start+i)%len(b.backends)]
		if !s.ready.Load() {
			continue
		}
		sent := r.Clone(r.Context())
		sent.URL.Scheme, sent.URL.Host = "http", s.addr
		sent.Body, sent.GetBody = io.NopCloser(bytes.NewReader(body)), nil
		var response *http.Response
		if response, err = b.transport.RoundTrip(sent); err == nil {
			s.answered.Add(1)
			return response, nil
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			b.broken.Add(1)
			return nil, fmt.Errorf("%s: %w", s.addr, err)
		}
		b.refused.Add(1)
	}
	return nil, err
}

// mustServe waits until a backend is ready and has answered some more requests.
func (s *backend) mustServe(t *testing.T) {
	t.Helper()
	from := s.answered.Load()
	gqltest.Eventually(t, s.addr+" answers", func() error {
		if n := s.answered.Load() - from; n < 20 {
			return fmt.Errorf("it has answered %d requests", n)
		}
		return nil
	})
}
