package database

import "time"

// SetGiveUpTime changes how long a server may take to end a statement that was given up, and returns how to change it back.
func SetGiveUpTime(d time.Duration) func() {
	before := giveUpTime
	giveUpTime = d
	return func() { giveUpTime = before }
}

// SetPatience changes how long a wire waits: without a word, for the host to answer, and past the limit of statements. It returns how to
// change it back.
func SetPatience(quiet, answer, past time.Duration) func() {
	a, b, c := quietTime, answerTime, pastStatementTimeout
	quietTime, answerTime, pastStatementTimeout = quiet, answer, past
	return func() { quietTime, answerTime, pastStatementTimeout = a, b, c }
}

// KeyIn is keyIn, for tests.
var KeyIn = keyIn

// ReadAhead is how much is taken in at once.
const ReadAhead = readAhead

// Diverted reports whether a connection has rows taken out of what its server sends.
func Diverted(raw any) bool { return raw.(*conn).socket.conn.(*buffered).diversion != nil }
