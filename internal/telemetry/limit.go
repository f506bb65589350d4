package telemetry

// Limit names a limit that a request exceeded, in metrics and log lines.
type Limit string

// These are the limits. Metrics have a series for each of them, so there are no others.
const (
	Body        Limit = "body"    // the size of the body
	Header      Limit = "header"  // the size or the number of headers
	Batch       Limit = "batch"   // one operation in a request
	Tokens      Limit = "tokens"  // the tokens of the document
	Nesting     Limit = "nesting" // brackets in one another in the text of the document
	Depth       Limit = "depth"   // fields inside each other
	Aliases     Limit = "aliases"
	RootFields  Limit = "root_fields"
	Directives  Limit = "directives"
	Cost        Limit = "cost"
	Answer      Limit = "answer"       // the size of the answer
	SlowReader  Limit = "slow_reader"  // the client does not read its answer
	KeptAnswer  Limit = "kept_answer"  // the size of an answer under an idempotency key
	KeptKeys    Limit = "kept_keys"    // the idempotency keys of a viewer, and their answers
	Overload    Limit = "overload"     // operations that run and wait
	Deadline    Limit = "deadline"     // the time for a request
	Origin      Limit = "origin"       // a page of another site sent it
	Host        Limit = "host"         // its Host is no name of this machine
	Untrusted   Limit = "untrusted"    // the document is not in the manifest
	PoolTimeout Limit = "pool_timeout" // no database connection became free in time
	Guessing    Limit = "guessing"     // passwords tried for one login from one address
)

// Limits has all limits. It must not be changed.
var Limits = []Limit{
	Body, Header, Batch, Tokens, Nesting, Depth, Aliases, RootFields, Directives, Cost, Answer, SlowReader,
	KeptAnswer, KeptKeys, Overload, Deadline, Origin, Host, Untrusted, PoolTimeout, Guessing,
}
