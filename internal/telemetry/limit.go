package telemetry

// Limit names a limit that a request passed, in metrics and log lines.
type Limit string

// The limits. Metrics have a series for each, so the set is fixed here.
const (
	Body        Limit = "body"    // the size of the body
	Header      Limit = "header"  // the size or number of headers
	Batch       Limit = "batch"   // more than one operation at once
	Tokens      Limit = "tokens"  // of the document
	Nesting     Limit = "nesting" // of the document's text
	Depth       Limit = "depth"   // fields inside each other
	Aliases     Limit = "aliases"
	RootFields  Limit = "root_fields"
	Directives  Limit = "directives"
	Cost        Limit = "cost"
	Answer      Limit = "answer"       // the size of the answer
	SlowReader  Limit = "slow_reader"  // a client did not read its answer
	KeptAnswer  Limit = "kept_answer"  // the size of an answer under an idempotency key
	KeptKeys    Limit = "kept_keys"    // the idempotency keys of a viewer, and their answers
	Overload    Limit = "overload"     // requests in flight and waiting
	Deadline    Limit = "deadline"     // the time for a request
	Origin      Limit = "origin"       // another site sent it
	Host        Limit = "host"         // it is for a name that is none of this machine's own
	Untrusted   Limit = "untrusted"    // the document is not in the manifest
	PoolTimeout Limit = "pool_timeout" // no database connection came free in time
	Guessing    Limit = "guessing"     // passwords of one login, from one address
)

// Limits lists them.
var Limits = []Limit{
	Body, Header, Batch, Tokens, Nesting, Depth, Aliases, RootFields, Directives,
	Cost, Answer, SlowReader, KeptAnswer, KeptKeys, Overload, Deadline, Origin, Host, Untrusted, PoolTimeout, Guessing,
}
