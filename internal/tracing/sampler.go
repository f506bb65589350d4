package tracing

import "go.opentelemetry.io/otel/sdk/trace"

// Samplers holds the values of OTEL_TRACES_SAMPLER that OpenTelemetry's specification defines. It
// must not be changed.
var Samplers = []string{
	"always_on", "always_off", "traceidratio",
	"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
}

// sampler returns the sampler that the options name. It decides which requests are traced.
func (o Options) sampler() trace.Sampler {
	switch o.Sampler {
	case "always_on":
		return trace.AlwaysSample()
	case "always_off":
		return trace.NeverSample()
	case "traceidratio":
		return trace.TraceIDRatioBased(o.Ratio)
	case "parentbased_always_off":
		return trace.ParentBased(trace.NeverSample())
	case "parentbased_traceidratio":
		return trace.ParentBased(trace.TraceIDRatioBased(o.Ratio))
	default:
		return trace.ParentBased(trace.AlwaysSample())
	}
}
