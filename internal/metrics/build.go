package metrics

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// BuildInfo adds a metric whose value is always 1. Its labels are the version of the release, the
// commit that the program was built from, if it is known, and the version of Go.
func (m *Metrics) BuildInfo(version string) {
	labels := prometheus.Labels{"version": version, "revision": "unknown", "goversion": "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		labels["goversion"] = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				labels["revision"] = s.Value
			}
		}
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "forge_build_info",
		Help:        "1, with the version, commit and Go version of the running binary.",
		ConstLabels: labels,
	}, func() float64 { return 1 }))
}
