package metrics

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
)

// page calls its handler for one request at a time. Requests that come meanwhile share the next
// rendering. That rendering begins after they came, so it shows everything that was counted before.
type page struct {
	handler http.Handler

	mu      sync.Mutex
	running bool
	next    *rendering // the next rendering, which has not begun; nil if no request waits for it
}

// rendering is an answer of the handler. It may be read after done is closed.
type rendering struct {
	done   chan struct{}
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header of the answer.
func (r *rendering) Header() http.Header { return r.header }

// WriteHeader sets the status of the answer.
func (r *rendering) WriteHeader(status int) { r.status = status }

// Write appends to the body of the answer.
func (r *rendering) Write(b []byte) (int, error) { return r.body.Write(b) }

// ServeHTTP answers with the next rendering. It returns without an answer if the request ends
// first.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	made := p.join()
	select {
	case <-made.done:
	case <-r.Context().Done():
		return
	}
	for name, values := range made.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(made.body.Len()))
	w.WriteHeader(made.status)
	_, _ = w.Write(made.body.Bytes())
}

// join returns the next rendering, and sees to it that it is made.
func (p *page) join() *rendering {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = &rendering{done: make(chan struct{}), header: http.Header{}, status: http.StatusOK}
	}
	if !p.running {
		p.running = true
		go p.run()
	}
	return p.next
}

// run makes renderings until no request waits for one.
func (p *page) run() {
	for r := p.begin(); r != nil; r = p.begin() {
		p.handler.ServeHTTP(r, &http.Request{Method: http.MethodGet, Header: http.Header{}})
		close(r.done)
	}
}

// begin returns the rendering to make next, or nil if no request waits for one.
func (p *page) begin() *rendering {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.next
	p.next = nil
	p.running = r != nil
	return r
}
