package metrics

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
)

// page has one rendering of a page be made at a time, however many ask for it: all who ask while one is made share the next.
// Theirs begins after they asked, so it has all that was counted before.
type page struct {
	render http.Handler

	mu      sync.Mutex
	running bool
	next    *rendering // that has not begun; nil if nobody waits for it
}

// rendering is an answer of the page. It may be read once done is closed.
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

// ServeHTTP answers with the next rendering.
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

// run makes renderings until nobody waits for one.
func (p *page) run() {
	for r := p.begin(); r != nil; r = p.begin() {
		p.render.ServeHTTP(r, &http.Request{Method: http.MethodGet, Header: http.Header{}})
		close(r.done)
	}
}

// begin returns the rendering to make, nil if there is none.
func (p *page) begin() *rendering {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.next
	p.next = nil
	p.running = r != nil
	return r
}
