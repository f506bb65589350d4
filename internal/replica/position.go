package replica

import (
	"encoding/binary"
	"math"
	"strings"

	"forge/internal/apperr"
	"forge/internal/cursorcipher"
)

// Header is the header in which answers carry a position, and in which clients send positions back.
const Header = "Forge-Read-After"

// Extension is the entry of an answer's extensions that holds the same position. A request without
// headers of its own, as on a WebSocket, may have positions in this entry of its extensions.
const Extension = "readAfter"

// Position is a place in the log of a database. A state of the database that is at or past the
// position has everything that was stored before.
type Position struct {
	System   uint64 // PostgreSQL's identifier of the cluster
	Database uint32 // the OID of the database
	Timeline uint32
	LSN      uint64
}

// latest is the LSN of a position that only the primary has.
const latest = math.MaxUint64

// comparable reports whether the LSNs of two positions can be compared.
func (p Position) comparable(other Position) bool {
	return p.System == other.System && p.Database == other.Database && p.Timeline == other.Timeline
}

const (
	purpose       = 0x72656164 // tells positions from other texts that are encrypted with the same key
	positionBytes = 24
	// maxPositions is how many positions a request may have: as many as it has requests in flight.
	maxPositions = 100
)

// The log is a series of files. They have pages, each with a header. That of a file's first page is
// longer.
const (
	pageBytes        = 8192
	headerBytes      = 24
	firstHeaderBytes = 40
)

// endOf returns where the last record ends if the next one is inserted at an LSN, in a log with
// files of a number of bytes. Between the two may be the header of a page, and a standby never gets
// past that while nothing else is written. If the number is 0, it is not known.
func endOf(insert, file uint64) uint64 {
	switch {
	case insert%pageBytes == headerBytes:
		return insert - headerBytes
	case file > 0 && insert%file == firstHeaderBytes:
		return insert - firstHeaderBytes
	}
	return insert
}

// seal returns the text of a position.
func (p Position) seal(c *cursorcipher.Cipher) string {
	b := make([]byte, 0, positionBytes)
	b = binary.BigEndian.AppendUint64(b, p.System)
	b = binary.BigEndian.AppendUint32(b, p.Database)
	b = binary.BigEndian.AppendUint32(b, p.Timeline)
	b = binary.BigEndian.AppendUint64(b, p.LSN)
	return string(c.Append(nil, purpose, b))
}

// open returns the position of a text, and false if the text is not one of a position.
func open(c *cursorcipher.Cipher, text string) (p Position, ok bool) {
	b, err := c.Open(text, purpose)
	if err != nil || len(b) != positionBytes {
		return p, false
	}
	return Position{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint64(b[16:])}, true
}

// Need is what a query must not be older than. The zero value is any state.
type Need struct {
	at    Position
	given bool       // there is a position
	mixed []Position // others that cannot be compared with it
}

// Need returns what a query needs that was sent with positions. Each text holds any number of them,
// separated by commas. It returns a BAD_USER_INPUT error if one of them was not made by this API,
// or if there are more than 100.
func (s *Set) Need(texts ...string) (n Need, err error) {
	count := 0
	for _, text := range texts {
		for one := range strings.SplitSeq(text, ",") {
			if one = strings.TrimSpace(one); one == "" {
				continue
			}
			p, ok := open(s.cipher, one)
			if count++; !ok || count > maxPositions {
				return Need{}, apperr.BadInput(Header, "%s holds something else than the positions of this API's latest answers, separated by commas, %d at most; "+
					"leave it out, and take what the next answer has", Header, maxPositions)
			}
			n.add(p)
		}
	}
	return n, nil
}

func (n *Need) add(p Position) {
	switch {
	case !n.given:
		*n = Need{at: p, given: true}
	case !n.at.comparable(p):
		n.mixed = append(n.mixed, p)
	case p.LSN > n.at.LSN:
		n.at = p
	}
}

// in reports whether a host whose last sample is at a position has what the query needs.
func (n Need) in(host Position) bool {
	return !n.given || n.mixed == nil && n.at.comparable(host) && n.at.LSN <= host.LSN
}
