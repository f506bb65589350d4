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
)

// provider is where an OpenID Connect provider publishes its keys. They are fetched by one at a time.
type provider struct {
	url     string
	changed func(*keySet)
	log     *slog.Logger
	now     func() time.Time

	mu      sync.Mutex
	begun   time.Time // when the last fetch began
	running *fetching // nil if there is none
	failed  bool      // the last one failed, and that was logged
	text    [sha256.Size]byte
}

// fetching is a fetch that runs. Its error may be read once done is closed.
type fetching struct {
	done chan struct{}
	err  error
}

const (
	// often is how far apart fetches are that tokens ask for: whoever makes up key IDs would else have us fetch for each.
	often = 10 * time.Second
	// fetchTime is how long a fetch may take.
	fetchTime = 5 * time.Second
	// hourly is how far apart fetches are that nobody asked for.
	hourly = time.Hour
)

func newProvider(url string, changed func(*keySet), log *slog.Logger) *provider {
	return &provider{url: url, changed: changed, log: log, now: time.Now}
}

// fetch gets the keys, or waits for the fetch that runs already.
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

// again gets the keys because one was not among them, unless that was done lately.
func (p *provider) again() {
	p.mu.Lock()
	if p.running == nil && !p.begun.IsZero() && p.now().Sub(p.begun) < often {
		p.mu.Unlock()
		return
	}
	f := p.join()
	p.mu.Unlock()
	<-f.done // it takes fetchTime at most
}

// join returns the fetch that runs, or begins one. The caller holds the lock. Its time is its own: no request that waits for it can end it.
func (p *provider) join() *fetching {
	if p.running != nil {
		return p.running
	}
	f := &fetching{done: make(chan struct{})}
	p.running, p.begun = f, p.now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTime)
		defer cancel()
		text, err := get(ctx, p.url)
		p.mu.Lock()
		defer p.mu.Unlock()
		f.err = p.take(text, err)
		p.running = nil
		close(f.done)
	}()
	return f
}

// take replaces the keys if there are others, and logs when fetches begin to fail, and when they succeed again.
func (p *provider) take(text []byte, err error) error {
	sum := sha256.Sum256(text)
	if err == nil && sum != p.text {
		var keys *keySet
		var usable, all int
		if keys, usable, all, err = parsePublic(text); err == nil {
			p.text = sum
			p.changed(keys)
			p.log.Info("the provider's keys have been fetched", "keys", usable, "unusable", all-usable)
		}
	}
	switch {
	case err != nil && !p.failed:
		p.log.Warn("the provider's keys cannot be fetched; those that are there stay in use, and it is tried again", "error", err)
	case err == nil && p.failed:
		p.log.Info("the provider's keys can be fetched again")
	}
	p.failed = err != nil
	return err
}

// keepFresh fetches the keys every hour until ctx ends; while that fails, a second after the first failure, and up to a minute after later ones.
func (p *provider) keepFresh(ctx context.Context) {
	p.mu.Lock()
	failed := p.failed
	p.mu.Unlock()
	pause := hourly
	if failed {
		pause = time.Second
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		switch err := p.fetch(ctx); {
		case err == nil:
			pause = hourly
		case pause == hourly:
			pause = time.Second
		default:
			pause = min(2*pause, time.Minute)
		}
	}
}

// client follows no redirect: the address of keys is where they are.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// get returns what is at an address.
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

// CountKeys fetches a provider's keys, and returns how many can be used.
func CountKeys(ctx context.Context, url string) (int, error) {
	text, err := get(ctx, url)
	if err != nil {
		return 0, err
	}
	_, usable, _, err := parsePublic(text)
	return usable, err
}
