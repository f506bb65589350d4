package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// duration are the bounds of histograms of times that a client waits, in seconds.
var duration = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// requests measures HTTP requests.
type requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	known    series[request, answered]
}

type request struct {
	route  string
	status int
}

type answered struct {
	total    prometheus.Counter
	duration prometheus.Observer
}

func (s *requests) init(r *prometheus.Registry) {
	s.total = counter(r, "forge_http_requests_total", "HTTP requests that were answered, by route and status code.", "route", "code")
	s.duration = histogram(r, "forge_http_request_duration_seconds",
		"Time from the headers of an HTTP request to the end of its answer, by route and status code.", duration, "route", "code")
}

func (s *requests) count(route string, status int, took time.Duration) {
	key := request{route, status}
	a, ok := s.known.find(key)
	if !ok {
		a = s.known.add(key, func(int) answered {
			code := strconv.Itoa(status)
			return answered{s.total.WithLabelValues(route, code), s.duration.WithLabelValues(route, code)}
		})
	}
	a.total.Inc()
	a.duration.Observe(took.Seconds())
}
