package faults

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load describes requests to a server, all for the nested page of bench/queries/w4.graphql.
type load struct {
	Address string // HOST:PORT
	Clients int    // each has one connection, and waits for each answer
	// PerSecond is the number of requests that are sent, as far as clients are free. With 0, each
	// client sends its next request after the last answer.
	PerSecond float64
	Heed      bool          // after a refusal, a client waits as long as Retry-After says
	Long      time.Duration // how long to measure, after a start of a quarter of this time
}

// maxWait bounds the waits for first answers: see send.
const maxWait = 30 * time.Second

// outcome counts the answers to a load.
type outcome struct {
	Good, Refused, Other int
	Unsent               int // requests that were due when no client was free
	Took                 time.Duration
	P50, P99             time.Duration // for good answers
	First                string        // the first error
}

func (o *outcome) goodput() float64 { return float64(o.Good) / o.Took.Seconds() }

func (o *outcome) String() string {
	per := func(n int) float64 { return float64(n) / o.Took.Seconds() }
	return fmt.Sprintf("%.0f/s good (p50 %s, p99 %s), %.0f/s turned away, %.0f/s not sent, %d other %s", o.goodput(),
		o.P50.Round(100*time.Microsecond), o.P99.Round(100*time.Microsecond), per(o.Refused), per(o.Unsent), o.Other, o.First)
}

// tally counts answers while they come.
type tally struct {
	all  atomic.Int64 // including those before the measurement
	good atomic.Int64 // during the measurement
}

// loadVariable makes the test binary send a load and exit. In a separate process, the CPU time of
// the load can be measured, and its garbage collector does not affect the tests.
const loadVariable = "FAULTS_LOAD"

// sendLoad sends the load and prints its outcome.
func sendLoad(text string) error {
	var l load
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return err
	}
	o, err := l.send()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

// sender is a cheap client. http.Client would need more CPU time than a server needs to refuse a
// request.
type sender struct {
	*load
	net.Conn
	request []byte
	answer  []byte
	counted *atomic.Bool
	answers *tally // for all clients
	outcome
	times []time.Duration
}

const nested = `{"query":"query W4 { users(first: 20) { edges { node { id orders(first: 5) { edges { node { id totalCents items { quantity product { name priceCents } } } } } } } } }"}`

func (l *load) send() (*outcome, error) {
	request := fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", l.Address, len(nested), nested)
	var counted atomic.Bool
	var answers tally
	senders := make([]*sender, l.Clients)
	for i := range senders {
		senders[i] = &sender{load: l, request: request, answer: make([]byte, 64<<10), counted: &counted, answers: &answers}
		if err := senders[i].dial(); err != nil {
			return nil, err
		}
	}
	due, total := make(chan struct{}, l.Clients), new(outcome)
	end := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range senders {
		wg.Go(func() { s.run(due, end) })
	}
	wg.Go(func() { l.pace(due, end, &counted, total) })
	time.Sleep(l.Long / 4)
	// The first request on a connection costs a server more than the next ones.
	wait(func() bool { return answers.all.Load() >= int64(l.Clients) })
	counted.Store(true)
	start := time.Now()
	time.Sleep(l.Long)
	// Under the race detector it may take longer.
	wait(func() bool { return answers.good.Load() > 0 })
	counted.Store(false) // later answers do not count
	total.Took = time.Since(start)
	close(end)
	wg.Wait()
	var times []time.Duration
	for _, s := range senders {
		_ = s.Close()
		total.Good, total.Refused, total.Other = total.Good+s.Good, total.Refused+s.Refused, total.Other+s.Other
		total.First = cmp.Or(total.First, s.First)
		times = append(times, s.times...)
	}
	if slices.Sort(times); len(times) > 0 {
		total.P50, total.P99 = times[len(times)/2], times[len(times)*99/100]
	}
	return total, nil
}

// wait returns when the condition is true, or after maxWait.
func wait(condition func() bool) {
	for start := time.Now(); !condition() && time.Since(start) < maxWait; {
		time.Sleep(10 * time.Millisecond)
	}
}

// pace releases one client each time that a request is due.
func (l *load) pace(due, end chan struct{}, counted *atomic.Bool, total *outcome) {
	if l.PerSecond == 0 {
		close(due)
		return
	}
	defer close(due)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	start, sent := time.Now(), 0
	for {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		for now := int(l.PerSecond * time.Since(start).Seconds()); sent < now; sent++ {
			select {
			case due <- struct{}{}:
			default:
				if counted.Load() {
					total.Unsent++
				}
			}
		}
	}
}

func (s *sender) dial() (err error) {
	s.Conn, err = net.Dial("tcp", s.Address)
	return err
}

// run sends a request each time that one is due, until the end.
func (s *sender) run(due, end chan struct{}) {
	for {
		<-due
		select {
		case <-end:
			return
		default:
		}
		start := time.Now()
		status, err := s.ask()
		s.count(status, time.Since(start), err)
		s.answers.all.Add(1)
		if err != nil {
			_ = s.Close()
			if err := s.dial(); err != nil {
				return
			}
		}
		if status == 503 && s.Heed {
			select {
			case <-end:
			case <-time.After(time.Second):
			}
		}
	}
}

func (s *sender) count(status int, took time.Duration, err error) {
	if err != nil { // errors count even before and after the measurement
		s.Other++
		s.First = cmp.Or(s.First, err.Error())
		return
	}
	switch {
	case !s.counted.Load():
	case status == 200:
		s.Good++
		s.answers.good.Add(1)
		s.times = append(s.times, took)
	default:
		s.Refused++
	}
}

var errAnswer = errors.New("an answer that is neither data nor to try again")

// ask sends a request and reads the answer. It returns an error unless the answer is data or a
// well-formed refusal.
func (s *sender) ask() (status int, err error) {
	if err := s.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if _, err := s.Write(s.request); err != nil {
		return 0, err
	}
	head, body, err := s.read()
	if err != nil {
		return 0, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) && bytes.HasPrefix(body, []byte(`{"data":{"users"`)):
		return 200, nil
	case bytes.HasPrefix(head, []byte("HTTP/1.1 503 ")) && bytes.Contains(head, []byte("\r\nRetry-After: 1\r\n")) && bytes.Contains(body, []byte(`"UNAVAILABLE"`)):
		return 503, nil
	}
	return 0, fmt.Errorf("%w: %s %s", errAnswer, head, body)
}

// read returns the head and the body of an answer. They are valid until the next call.
func (s *sender) read() (head, body []byte, err error) {
	n, whole := 0, -1
	for whole < 0 || n < whole {
		if n == len(s.answer) {
			return nil, nil, errAnswer
		}
		more, err := s.Read(s.answer[n:])
		if err != nil {
			return nil, nil, err
		}
		n += more
		if whole >= 0 {
			continue
		}
		if i := bytes.Index(s.answer[:n], []byte("\r\n\r\n")); i >= 0 {
			length, err := contentLength(s.answer[:i+2])
			if err != nil {
				return nil, nil, err
			}
			head, whole = s.answer[:i+2], i+4+length
		}
	}
	return head, s.answer[len(head)+2 : whole], nil
}

func contentLength(head []byte) (int, error) {
	_, rest, _ := bytes.Cut(head, []byte("\r\nContent-Length: "))
	digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return strconv.Atoi(string(digits))
}
