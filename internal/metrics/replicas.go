package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"forge/internal/replica"
)

// replicas are the metrics of a set of replicas, which are read when the page is made.
type replicas struct {
	set                          *replica.Set
	usable, lag, reads, repeated *prometheus.Desc
}

// Replicas adds metrics: whether each replica is read from, how far it is behind, and how many
// queries each host has answered. It must be called at most once, before the first request.
func (m *Metrics) Replicas(set *replica.Set) {
	set.Observe()
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	m.registry.MustRegister(&replicas{set,
		desc("forge_replica_usable", "1 if queries are read from a replica, 0 if it is left out; the log says why.", "host"),
		desc("forge_replica_lag_seconds", "How far a replica is behind the primary at most. There is none if it has never caught up since the start.", "host"),
		desc("forge_host_reads_total", "Queries by the host that answered them: a replica, or primary.", "host"),
		desc("forge_replica_repeated_total", "Queries that failed on a replica and were repeated on the primary."),
	})
}

// Describe implements prometheus.Collector.
func (r *replicas) Describe(all chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{r.usable, r.lag, r.reads, r.repeated} {
		all <- desc
	}
}

// Collect implements prometheus.Collector.
func (r *replicas) Collect(all chan<- prometheus.Metric) {
	hosts, repeated := r.set.Status()
	for _, h := range hosts {
		all <- prometheus.MustNewConstMetric(r.reads, prometheus.CounterValue, float64(h.Reads), h.Name)
		if !h.Replica {
			continue
		}
		usable := 0.0
		if h.Reason == "" {
			usable = 1
		}
		all <- prometheus.MustNewConstMetric(r.usable, prometheus.GaugeValue, usable, h.Name)
		if h.Known {
			all <- prometheus.MustNewConstMetric(r.lag, prometheus.GaugeValue, h.Lag.Seconds(), h.Name)
		}
	}
	all <- prometheus.MustNewConstMetric(r.repeated, prometheus.CounterValue, float64(repeated))
}
