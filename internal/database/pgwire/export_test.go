package pgwire

// ReadAhead is readAhead, for tests of other packages.
const ReadAhead = readAhead
