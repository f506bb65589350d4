package seed

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/brianvoe/gofakeit/v7/data"
	"github.com/google/uuid"
)

// All demo data are from one year. The year is fixed, so that the same scale always results in the
// same rows.
var (
	yearStart = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	lastDays  = yearStart.AddDate(0, 0, 350)
	yearEnd   = yearStart.AddDate(1, 0, 0)
)

// maker makes the rows of one table. Each maker has its own random numbers, so that a change to one
// table does not change the others.
type maker struct {
	*rand.Rand
	lastMilli int64
	inMilli   uint64
}

func newMaker(stream uint64) *maker {
	return &maker{Rand: rand.New(rand.NewPCG(20250101, stream))}
}

// row has the columns that most tables have.
type row struct {
	id               uuid.UUID
	created, updated time.Time
	version          int
}

// row returns the columns of a row that was created at a time and has not been changed.
func (m *maker) row(created time.Time) row {
	return row{id: m.key(created), created: created, updated: created, version: 1}
}

// changed changes the row once, at a time after its creation but not later than within after it.
func (r *row) changed(m *maker, within time.Duration) {
	latest := r.created.Add(within)
	if latest.After(yearEnd) {
		latest = yearEnd
	}
	r.updated, r.version = m.between(r.created, latest), 2
}

// key returns a UUID of version 7 (RFC 9562) for a time. If at never decreases, the keys sort in
// the order in which they were made.
func (m *maker) key(at time.Time) uuid.UUID {
	milli := at.UnixMilli()
	if milli != m.lastMilli {
		m.lastMilli, m.inMilli = milli, 0
	}
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], uint64(milli)<<16|7<<12|m.inMilli&0xfff)
	binary.BigEndian.PutUint64(u[8:], 1<<63|m.Uint64()>>2)
	m.inMilli++
	return u
}

// between returns a time from start to before end. It is in whole milliseconds, because a key
// stores no fractions of them.
func (m *maker) between(start, end time.Time) time.Time {
	return start.Add(time.Duration(m.IntN(int(end.Sub(start).Milliseconds()))) * time.Millisecond)
}

// nth returns the ith of n times that are spread over the time from start to end. A later one is
// never before an earlier one, and the first is start.
func (m *maker) nth(i, n int, start, end time.Time) time.Time {
	step := end.Sub(start) / time.Duration(n)
	from := start.Add(time.Duration(i) * step).Truncate(time.Millisecond)
	if i == 0 {
		return from
	}
	return m.between(from, from.Add(step))
}

// Names are those of gofakeit, without its makers of much else.

func (m *maker) firstName() string { return pick(m, data.Person["first"]) }
func (m *maker) lastName() string  { return pick(m, data.Person["last"]) }

// oneIn returns true in one of n cases, at random.
func (m *maker) oneIn(n int) bool { return m.IntN(n) == 0 }

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }
