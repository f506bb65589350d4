// Package limit names the limits that a request can pass, for those who count what was refused.
package limit

// Name names a limit. There are few, so that it can be a metric's label.
type Name string

// The limits.
const (
	Body       Name = "body"        // MAX_BODY_BYTES
	Tokens     Name = "tokens"      // MAX_TOKENS
	Depth      Name = "depth"       // MAX_DEPTH, and brackets inside each other
	Aliases    Name = "aliases"     // MAX_ALIASES
	RootFields Name = "root_fields" // MAX_ROOT_FIELDS
	Directives Name = "directives"  // MAX_DIRECTIVES
	Cost       Name = "cost"        // MAX_COST
	InFlight   Name = "in_flight"   // MAX_IN_FLIGHT and MAX_QUEUED
	Queue      Name = "queue"       // QUEUE_TIMEOUT
	Time       Name = "time"        // REQUEST_TIMEOUT
	Origin     Name = "origin"      // CORS_ORIGINS
)

// Names lists them.
var Names = []Name{Body, Tokens, Depth, Aliases, RootFields, Directives, Cost, InFlight, Queue, Time, Origin}

// Counter is told of each request that was refused, and by which limit. A nil one counts nothing.
type Counter func(Name)

// Count tells c of a refusal.
func (c Counter) Count(n Name) {
	if c != nil {
		c(n)
	}
}
