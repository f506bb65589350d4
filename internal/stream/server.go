package stream

import (
	"container/list"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"forge/internal/clientip"
	"forge/internal/graphqlhttp"
	"forge/internal/metrics"
	"forge/internal/telemetry"
	"forge/internal/token"
	"forge/internal/viewer"
)

// Options are what a Server needs.
type Options struct {
	// Executor runs operations. If it is nil, there are no streams.
	Executor Executor
	// Max is how many streams may be open. A WebSocket counts as one with its first operation, and
	// each further operation as one more. If Max is 0, each stream is refused.
	Max int
	// MaxPerClient is how many of these a client may have open: a user, or an address of those who
	// have not signed in. 0 means no limit of its own.
	MaxPerClient int
	// Proxies are those that say truly which address a client has.
	Proxies []netip.Prefix
	// MaxBodyBytes bounds the body of a request, and a message on a WebSocket. 0 means no limit.
	MaxBodyBytes int64
	// MaxUnsentBytes bounds the memory of answers that wait for slow clients. 0 means no limit.
	MaxUnsentBytes int
	// Abort ends the connection of the request with a context, so that writes to it fail at once.
	Abort func(context.Context)
	// Tokens verifies bearer tokens. If it is nil, nobody has a token.
	Tokens  *token.Verifier
	Metrics *metrics.Metrics
	Log     *slog.Logger
}

// times are how long things may take.
type times struct {
	tick      time.Duration // between two looks at all streams
	init      time.Duration // until a client sends connection_init
	keepAlive time.Duration // between two pings or comments
	pong      time.Duration // until a client answers a ping
	read      time.Duration // from the first frame of a message to the end of its last
	write     time.Duration // of one message
}

var usualTimes = times{
	tick: time.Second, init: 10 * time.Second, keepAlive: 15 * time.Second,
	pong: 30 * time.Second, read: 30 * time.Second, write: 10 * time.Second,
}

// Server delivers streams. It is safe for concurrent use. A nil *Server delivers none.
type Server struct {
	Options
	times   times
	sockets *metrics.Streams
	events  *metrics.Streams
	unsent  unsent

	mu      sync.Mutex
	changed sync.Cond // a stream has ended; with mu
	open    list.List // of delivery: those that were not told to end by Drain, the oldest first
	all     map[delivery]*list.Element
	slots   int            // how many of Max are taken
	shares  map[string]int // of these, by client
	ticking bool           // whether the goroutine of watch runs
	ended   bool           // whether new streams are refused because the server ends
	refused int            // WebSockets that were refused with a close code, and have not closed yet
}

// A delivery is a stream as the Server sees it. Its methods do not block.
type delivery interface {
	// tick is called every second.
	tick(now time.Time)
	// end ends the stream, and tells the client why if the transport can. It does nothing if the
	// stream has ended.
	end(code websocket.StatusCode, reason string)
}

// New returns a server, or nil if there is no executor.
func New(o Options) *Server {
	if o.Executor == nil {
		return nil
	}
	s := &Server{Options: o, times: usualTimes, sockets: o.Metrics.WebSockets, events: o.Metrics.Events, all: map[delivery]*list.Element{}, shares: map[string]int{}}
	s.changed.L = &s.mu
	s.unsent.limit = int64(o.MaxUnsentBytes)
	return s
}

// IsUpgrade reports whether a request asks for a WebSocket.
func IsUpgrade(r *http.Request) bool {
	upgrade, ok := r.Header["Upgrade"]
	return ok && hasToken(upgrade, "websocket")
}

// Wants reports whether a request asks for a stream that s would deliver or refuse. If not, the
// request has to be answered in another way.
func (s *Server) Wants(r *http.Request) bool {
	return s != nil && (IsUpgrade(r) || graphqlhttp.WantsEvents(r))
}

// ServeHTTP delivers the stream that a request asks for. The viewer is on the request's context.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.Max == 0:
		graphqlhttp.RefuseStream(w, r, "this server delivers no streams: STREAMS is 0")
	case IsUpgrade(r):
		s.serveSocket(w, r)
	default:
		s.serveEvents(w, r)
	}
}

// hasToken reports whether a list of tokens in a header has one, in any case.
func hasToken(values []string, name string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), name) {
				return true
			}
		}
	}
	return false
}

// These are shown to clients whose stream is refused because of Max or MaxPerClient.
const (
	errTooMany = "the server has as many streams open as it may; come back later"
	errShare   = "this client has as many streams open as one may; end some of them"
)

// client returns who shares the places of MaxPerClient: the viewer, or the address of one who has
// not signed in.
func (s *Server) client(ctx context.Context) string {
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil {
		return v.ID.String()
	}
	return clientip.Network(clientip.Address(ctx, s.Proxies)).String()
}

// acquire takes a place of Max for a client. It returns why there is none, or "".
func (s *Server) acquire(client string) (refused string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.slots >= s.Max:
		return errTooMany
	case s.MaxPerClient > 0 && s.shares[client] >= s.MaxPerClient:
		return errShare
	}
	s.slots++
	s.shares[client]++
	return ""
}

func (s *Server) release(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots--
	s.leave(client)
}

// leave takes a place from a client's share. The server is locked.
func (s *Server) leave(client string) {
	if s.shares[client]--; s.shares[client] == 0 {
		delete(s.shares, client)
	}
}

// move gives a place of one client to another one. It returns false if that has as many as it may.
func (s *Server) move(from, to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from != to && s.MaxPerClient > 0 && s.shares[to] >= s.MaxPerClient {
		return false
	}
	s.leave(from)
	s.shares[to]++
	return true
}

// add makes a stream known to tick and Drain. It returns false if the server ends.
func (s *Server) add(d delivery) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.all[d] = s.open.PushBack(d)
	if !s.ticking {
		s.ticking = true
		go s.watch()
	}
	return true
}

// remove forgets a stream that has ended.
func (s *Server) remove(d delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if element := s.all[d]; element != nil {
		s.open.Remove(element)
	}
	delete(s.all, d)
	s.changed.Broadcast()
}

// watch calls tick of all streams every second, until no stream is open.
func (s *Server) watch() {
	ticker := time.NewTicker(s.times.tick)
	defer ticker.Stop()
	var all []delivery
	for now := range ticker.C {
		all = s.list(all[:0])
		if len(all) == 0 {
			return
		}
		for _, d := range all {
			d.tick(now)
		}
		clear(all)
	}
}

// list appends all streams to an empty list. If there are none, watch has to end.
func (s *Server) list(all []delivery) []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.all {
		all = append(all, d)
	}
	s.ticking = len(all) > 0
	return all
}

// drainStep is the time between two groups of streams that Drain ends.
const drainStep = 10 * time.Millisecond

// ending is why Drain ends streams.
const ending = "the server ends; come back"

// Drain ends all streams evenly over a time, the oldest first, and refuses new ones afterwards. It
// returns when all have ended.
func (s *Server) Drain(over time.Duration) {
	if s == nil {
		return
	}
	for until := time.Now().Add(over); ; time.Sleep(drainStep) {
		left := time.Until(until)
		for _, d := range s.next(left) {
			d.end(websocket.StatusServiceRestart, ending)
		}
		if left <= 0 {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.all) > 0 {
		s.changed.Wait()
	}
}

// next returns the streams that Drain has to end now, if it has a time left to end all.
func (s *Server) next(left time.Duration) (due []delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.open.Len()
	if left <= 0 {
		s.ended = true
	} else if left > drainStep {
		n = (n*int(drainStep) + int(left) - 1) / int(left)
	}
	for range n {
		d := s.open.Remove(s.open.Front()).(delivery)
		s.all[d] = nil
		due = append(due, d)
	}
	return due
}

// tokenEnded returns why a token that was valid is not valid any more. It returns "" while it is
// valid, and while nobody knows.
func (s *Server) tokenEnded(text string) string {
	if text == "" || s.Tokens == nil {
		return ""
	}
	_, _, err := s.Tokens.Verify(text)
	if refusal, ok := err.(token.Refusal); ok {
		return refusal.Error()
	}
	return ""
}

// millis returns the time since a moment in milliseconds, as log lines have it.
func millis(since time.Time) slog.Attr {
	return slog.Float64("durationMs", telemetry.Millis(time.Since(since)))
}
