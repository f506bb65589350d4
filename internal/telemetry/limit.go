package telemetry

// Limit is the name of a limit that a request exceeded, for metrics and log lines.
type Limit string

// These are all limits. Metrics have a series for each of them.
const (
	Body        Limit = "body"    // the size of the body
	Header      Limit = "header"  // the size or the number of headers
	Batch       Limit = "batch"   // one operation for each request
	Tokens      Limit = "tokens"  // the tokens of the document
	Nesting     Limit = "nesting" // how deep brackets stand inside each other in the document
	Depth       Limit = "depth"   // fields inside each other
	Aliases     Limit = "aliases"
	RootFields  Limit = "root_fields"
	Directives  Limit = "directives"
	Cost        Limit = "cost"
	PlanCost    Limit = "plan_cost"    // what PostgreSQL expects a query to cost
	Answer      Limit = "answer"       // the size of the answer
	SlowReader  Limit = "slow_reader"  // the client does not read its answer
	KeptAnswer  Limit = "kept_answer"  // the size of an answer stored under an idempotency key
	KeptKeys    Limit = "kept_keys"    // the number and size of answers stored for a viewer
	Overload    Limit = "overload"     // how many operations run and wait
	Deadline    Limit = "deadline"     // the time for a request
	Origin      Limit = "origin"       // a page of another origin sent the request
	Host        Limit = "host"         // the Host is not a name of this machine
	Untrusted   Limit = "untrusted"    // the document is not in the manifest
	PoolTimeout Limit = "pool_timeout" // no database connection became free in time
	Guessing    Limit = "guessing"     // wrong passwords for one login from one network
	OpenStreams Limit = "open_streams" // how many streams are open
)

// Limits holds all limits. It must not be changed.
var Limits = []Limit{
	Body, Header, Batch, Tokens, Nesting, Depth, Aliases, RootFields, Directives, Cost, PlanCost, Answer,
	SlowReader, KeptAnswer, KeptKeys, Overload, Deadline, Origin, Host, Untrusted, PoolTimeout, Guessing, OpenStreams,
}
