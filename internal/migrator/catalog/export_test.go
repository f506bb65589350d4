package migrate

// Describe and DescribeAll are what the tests of describe compare.
var (
	Describe    = describe
	DescribeAll = describeAll
)

// Querier is what they read from.
type Querier = querier
