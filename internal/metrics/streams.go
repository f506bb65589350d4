package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"forge/internal/telemetry"
)

// Streams are the measurements of streams with one transport.
type Streams struct {
	all     *Metrics
	open    prometheus.Gauge
	answers prometheus.Counter
	bytes   prometheus.Counter
	closes  *prometheus.CounterVec
}

// initStreams adds the metrics of streams.
func (m *Metrics) initStreams() {
	open := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "forge_streams_open",
		Help: "Streams that are open, by transport: WebSockets, and responses with server-sent events.",
	}, []string{"transport"})
	m.registry.MustRegister(open)
	answers := counter(m.registry, "forge_stream_answers_total", "Answers that were sent on streams, by transport.", "transport")
	sent := counter(m.registry, "forge_stream_bytes_total", "Bytes of those answers, by transport.", "transport")
	closes := counter(m.registry, "forge_stream_closes_total", "Streams that ended, by transport and close code. "+
		"Those of server-sent events are counted by the code that a WebSocket would have had.", "transport", "code")
	of := func(transport string) *Streams {
		s := &Streams{all: m, open: open.WithLabelValues(transport), answers: answers.WithLabelValues(transport),
			bytes: sent.WithLabelValues(transport), closes: closes.MustCurryWith(prometheus.Labels{"transport": transport})}
		for _, code := range []int{1000, 1001, 1012, 1013, 4403} { // others appear with the first stream
			s.closes.WithLabelValues(codeLabel(code))
		}
		return s
	}
	m.WebSockets, m.Events = of("websocket"), of("sse")
}

// Opened counts a stream that begins.
func (s *Streams) Opened() { s.open.Inc() }

// Sent counts an answer with a number of bytes.
func (s *Streams) Sent(bytes int) {
	s.answers.Inc()
	s.bytes.Add(float64(bytes))
}

// Closed counts a stream that ended with a code. A code from 3000 to 4999 that the server does not
// use itself was chosen by the client, and counts as "other".
func (s *Streams) Closed(code int) {
	s.open.Dec()
	s.closes.WithLabelValues(codeLabel(code)).Inc()
}

func codeLabel(code int) string {
	switch {
	case code < 3000, code == 4400, code == 4401, code == 4403, code == 4408, code == 4409, code == 4429:
		return strconv.Itoa(code)
	default:
		return "other"
	}
}

// Refused counts a stream that was refused because of a limit.
func (s *Streams) Refused(limit telemetry.Limit) { s.all.Refused(limit) }
