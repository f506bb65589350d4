package database

import "time"

// SetGiveUpTime changes how long a server may take to end a statement that was given up, and returns how to change it back.
func SetGiveUpTime(d time.Duration) func() {
	before := giveUpTime
	giveUpTime = d
	return func() { giveUpTime = before }
}

// KeyIn is keyIn, for tests.
var KeyIn = keyIn

// ReadAhead is how much is taken in at once.
const ReadAhead = readAhead

// Diverted reports whether a connection has rows taken out of what its server sends.
func Diverted(raw any) bool { return raw.(*conn).socket.conn.(*buffered).diversion != nil }
