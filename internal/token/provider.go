package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"forge/internal/retry"
)

// provider fetches the keys of an OpenID Connect provider. At most one fetch runs at a time.
type provider struct {
	url     string
	changed func(*keySet) // called with the new keys when they have changed
	log     *slog.Logger
	now     func() time.Time

	mu      sync.Mutex
	started time.Time         // when the last fetch began
	running *fetch            // nil if none runs
	failed  bool              // whether the last fetch failed, so that the failure has been logged
	sum     [sha256.Size]byte // of the last key set
}

// fetch is a running fetch. Its error may be read after done is closed.
type fetch struct {
	done chan struct{}
	err  error
}

const (
	// minInterval is the shortest time between two fetches because of unknown keys. Without this
	// limit, a client could invent key IDs, and cause a fetch with each of them.
	minInterval = 10 * time.Second
	// fetchTime is how long a fetch may take.
	fetchTime = 5 * time.Second
	// refreshInterval is the time between fetches in keepFresh.
	refreshInterval = time.Hour
)

func newProvider(url string, changed func(*keySet), log *slog.Logger) *provider {
	return &provider{url: url, changed: changed, log: log, now: time.Now}
}

// fetch fetches the keys. If a fetch is running already, it waits for that one instead.
func (p *provider) fetch(ctx context.Context) error {
	p.mu.Lock()
	f := p.join()
	p.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fetchAgain fetches the keys because a token names an unknown one. It does nothing if the last
// fetch began less than minInterval ago.
func (p *provider) fetchAgain() {
	p.mu.Lock()
	if p.running == nil && !p.started.IsZero() && p.now().Sub(p.started) < minInterval {
		p.mu.Unlock()
		return
	}
	f := p.join()
	p.mu.Unlock()
	<-f.done // a fetch ends after fetchTime at the latest
}

// join returns the running fetch, or starts one. The caller holds mu. The fetch has a context of
// its own, so it goes on even if the request that started it ends.
func (p *provider) join() *fetch {
	if p.running != nil {
		return p.running
	}
	f := &fetch{done: make(chan struct{})}
	p.running, p.started = f, p.now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTime)
		defer cancel()
		text, err := get(ctx, p.url)
		p.mu.Lock()
		defer p.mu.Unlock()
		f.err = p.finish(text, err)
		p.running = nil
		close(f.done)
	}()
	return f
}

// finish ends a fetch. If the keys have changed, it replaces them. It logs the first failure after
// a success, and the first success after a failure. The caller holds mu.
func (p *provider) finish(text []byte, err error) error {
	sum := sha256.Sum256(text)
	if err == nil && sum != p.sum {
		var keys *keySet
		var usable, all int
		if keys, usable, all, err = parsePublic(text); err == nil {
			p.sum = sum
			p.changed(keys)
			p.log.Info("the provider's keys have been fetched", "keys", usable, "unusable", all-usable)
		}
	}
	switch {
	case err != nil && !p.failed:
		p.log.Warn("the provider's keys cannot be fetched; the last ones stay in use, retrying", "error", err)
	case err == nil && p.failed:
		p.log.Info("the provider's keys can be fetched again")
	}
	p.failed = err != nil
	return err
}

// keepFresh fetches the keys every hour until ctx ends. After a failure, it fetches again after a
// second; while failures continue, the pauses grow to a minute.
func (p *provider) keepFresh(ctx context.Context) {
	p.mu.Lock()
	failed := p.failed
	p.mu.Unlock()
	fresh := retry.Backoff{First: refreshInterval}
	failing := retry.Backoff{First: time.Second, Max: time.Minute}
	for failures := 0; ; {
		pause := fresh
		if failed {
			failures++
			pause = failing
		} else {
			failures = 0
		}
		if pause.Wait(ctx, failures) != nil {
			return
		}
		failed = p.fetch(ctx) != nil
	}
}

// client does not follow redirects: the keys must be at the address in the settings.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// get returns the body of the answer from an address. It returns an error if the status is not 200,
// or if the body is empty.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxSet+1))
	if err == nil && len(text) == 0 {
		err = errors.New("it answers with nothing")
	}
	return text, err
}

// CountKeys fetches a provider's keys. It returns how many of them can verify tokens.
func CountKeys(ctx context.Context, url string) (int, error) {
	text, err := get(ctx, url)
	if err != nil {
		return 0, err
	}
	_, usable, _, err := parsePublic(text)
	return usable, err
}
