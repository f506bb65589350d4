// Package changes keeps a log of changes in the database: which rows of entities were created,
// changed and removed, in an order in which nothing is missed. Triggers write it, so it has the
// changes of every statement, whoever sent it. A change holds no values: whoever reads it reads the
// row as it is then, under the rules of then.
//
// A number that a sequence gives is not the order in which transactions commit: a reader who has
// seen number 8 may have missed number 7, which commits later. On PostgreSQL the log therefore has
// ticks. A tick is a snapshot of which transactions had ended. Between two ticks are the changes of
// those transactions that the second has and the first has not, in the order of their numbers. That
// is the algorithm of PgQ (https://github.com/pgq/pgq). It is right because a transaction becomes
// visible to snapshots before it releases its locks, and takes the number of a change while it
// holds the lock of the row: of two changes of a row, the later one has the higher number, and is
// in the same batch or in a later one. A transaction that runs for long holds up its own changes
// alone.
package changes

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/entity"
)

// Op is what a change has done.
type Op int

// These are the operations. Their numbers are stored.
const (
	Created Op = 1
	Updated Op = 2
	Removed Op = 3 // or was marked as deleted
	Many    Op = 9 // one statement changed too many rows to name them
)

// A Change is that of a row. It may come more than once.
type Change struct {
	Seq  int64
	Type string // the prefix of the entity's IDs
	Op   Op
	Key  string // of the row, as a text; a UUID may be without hyphens. "" if the operation is Many
	// Refs are the keys in the row's foreign keys, before and after the change, each after the name
	// of its column and an equals sign. It is nil if the log does not have them, as the change is one
	// of another row that counts as this one.
	Refs []string
	// At is the position after the change, if Read has returned it.
	At Position

	mark int32 // tells the change from another of the same number, on SQLite
}

// A Position is a place in the log: all changes before it were read.
type Position struct {
	Tick int64 // the last tick all of whose changes were read; 0 on SQLite
	// Mark tells the tick, or the change on SQLite, from another of the same number. After some of
	// the changes between two ticks, it is the mark of the second: in a database that was restored
	// to the first, other changes may have these numbers.
	Mark int32
	Seq  int64 // the last change that was read after the tick; 0 if there is none
}

// These are the reasons for which a position cannot be read on from.
var (
	// ErrExpired means that changes after the position were removed from the log, as they were old.
	ErrExpired = errors.New("the changes after this position are no longer kept")
	// ErrLost means that the position is not one of this database: it was restored, for example,
	// from a backup that is older.
	ErrLost = errors.New("the position is not one of this database")
)

// Rows runs a query and calls each with its rows.
type Rows func(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error

// Log is the log of a database.
type Log struct {
	// Turn is called before the log is written, if it is not nil. It returns a function that is
	// called afterwards. See database.DB.AwaitTurn.
	Turn func(context.Context) (done func(), err error)

	db      *sql.DB
	rows    Rows
	dialect string
	name    string
}

// New returns the log of a database. It returns nil if no entity is logged. Without a db, the log
// can only be used Through something else.
func New(db *sql.DB, name string, entities []*entity.Entity) *Log {
	objects := Objects(entities)(name)
	if objects == nil {
		return nil
	}
	l := &Log{db: db, dialect: name, name: objects[0].Name}
	l.rows = func(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return errors.Join(each(rows), rows.Err())
	}
	return l
}

// Through returns the same log, which is read by rows: within a transaction, for example.
func (l *Log) Through(rows Rows) *Log { return &Log{rows: rows, dialect: l.dialect, name: l.name} }

// maxBatches is how many batches Read goes through at most.
const maxBatches = 100

// Read returns the changes after a position, most of them at most, and the position after them. If
// types are given, it leaves out changes of other types. There may be more changes unless the
// position that it returns is the one given: on PostgreSQL, a change can be read after the next
// Tick. The error is ErrExpired or ErrLost if the log cannot be read on from the position.
func (l *Log) Read(ctx context.Context, after Position, most int, types ...string) (all []Change, next Position, err error) {
	if l.dialect == dialect.SQLite {
		return l.readSQLite(ctx, after, most, types)
	}
	for range maxBatches {
		list, next, err := l.readBatch(ctx, after, most-len(all), types)
		if err != nil && len(all) > 0 {
			break // whoever reads on gets the error
		}
		if err != nil || next == after {
			return all, after, err
		}
		if all, after = append(all, list...), next; len(all) == most {
			break
		}
	}
	return all, after, nil
}

// End returns the position after all changes that can be read.
func (l *Log) End(ctx context.Context) (Position, error) {
	query := "SELECT id, mark, 0 FROM %s_ticks ORDER BY id DESC LIMIT 1"
	if l.dialect == dialect.SQLite {
		query = "SELECT 0, mark, seq FROM %s ORDER BY seq DESC LIMIT 1"
	}
	return l.position(ctx, query)
}

// Oldest returns the first position from which the log can be read.
func (l *Log) Oldest(ctx context.Context) (Position, error) {
	query := "SELECT id, mark, 0 FROM %s_ticks ORDER BY id LIMIT 1"
	if l.dialect == dialect.SQLite {
		query = "SELECT 0, mark, seq FROM %s ORDER BY seq LIMIT 1"
	}
	return l.position(ctx, query)
}

// position returns the position that a query finds. On SQLite, nothing may have been logged yet.
func (l *Log) position(ctx context.Context, query string) (p Position, err error) {
	found := l.dialect == dialect.SQLite
	err = l.rows(ctx, func(rows *sql.Rows) error {
		if !rows.Next() {
			return rows.Err()
		}
		found = true
		return rows.Scan(&p.Tick, &p.Mark, &p.Seq)
	}, fmt.Sprintf(query, l.name))
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	if err != nil {
		return Position{}, fmt.Errorf("read a position of the log of changes: %w", err)
	}
	return p, nil
}

// Size returns how many changes the log has. On PostgreSQL it is an estimate.
func (l *Log) Size(ctx context.Context) (n int64, err error) {
	query := "SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM " + l.name
	if l.dialect != dialect.SQLite {
		query = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = '" + l.name + "'::regclass"
	}
	if err = l.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the size of the log of changes: %w", err)
	}
	return n, nil
}

// batch is what one statement has read: the places in the log that it found, and changes.
type batch struct {
	first, next place
	origin      int64 // the first tick of the server
	list        []Change
	last        sql.NullInt64 // the mark of the last change of the list, on SQLite
	end         place         // the last change of the log, on SQLite
}

// place is a tick, or on SQLite a change.
type place struct{ number, mark sql.NullInt64 }

func (p place) is(number int64, mark int32) bool {
	return p.number.Valid && p.number.Int64 == number && p.mark.Int64 == int64(mark)
}

// within reports whether a position is between the two ticks of a batch.
func (b *batch) within(p Position) bool {
	return b.first.number.Int64 == p.Tick && b.next.is(b.next.number.Int64, p.Mark)
}

// readBatch returns changes between the tick of a position and the next tick. It finds the ticks
// and the changes with one statement, so that Sweep cannot remove some in between.
func (l *Log) readBatch(ctx context.Context, after Position, most int, types []string) ([]Change, Position, error) {
	b, err := l.read(ctx, fmt.Sprintf(`WITH before AS (SELECT * FROM %[1]s_ticks WHERE id >= $1 ORDER BY id LIMIT 1),
  now AS (SELECT * FROM %[1]s_ticks WHERE id > $1 ORDER BY id LIMIT 1)
SELECT before.id, before.mark, before.origin, now.id, now.mark, c.seq, c.type, c.op, c.key, c.refs, 0, 0, 0
FROM before LEFT JOIN now ON true LEFT JOIN LATERAL (SELECT * FROM (
  SELECT * FROM %[1]s WHERE xid >= before.ended AND xid < now.ended AND xid <> ALL (now.running)
  UNION ALL SELECT * FROM %[1]s WHERE xid = ANY (before.running) AND xid <> ALL (now.running)
) b WHERE seq > $2 AND ($4::text[] IS NULL OR type = ANY ($4)) ORDER BY seq LIMIT $3) c ON true`, l.name),
		func(refs *[]string) any { return pq.Array(refs) }, after.Tick, after.Seq, most, pq.Array(types))
	switch {
	case err != nil:
		return nil, after, err
	case b.first.number.Int64 > after.Tick && after.Tick >= b.origin:
		return nil, after, ErrExpired
	case after.Seq == 0 && !b.first.is(after.Tick, after.Mark), after.Seq > 0 && !b.within(after):
		return nil, after, ErrLost
	case !b.next.number.Valid:
		return nil, after, nil
	}
	for i := range b.list {
		b.list[i].At = Position{Tick: after.Tick, Mark: int32(b.next.mark.Int64), Seq: b.list[i].Seq}
	}
	if len(b.list) < most {
		return b.list, Position{Tick: b.next.number.Int64, Mark: int32(b.next.mark.Int64)}, nil
	}
	return b.list, b.list[len(b.list)-1].At, nil
}

// readSQLite returns changes after a position. The change at the position must still be there, and
// be the same. So the log keeps its last change whatever its age.
func (l *Log) readSQLite(ctx context.Context, after Position, most int, types []string) ([]Change, Position, error) {
	only, err := json.Marshal(types)
	if err != nil {
		return nil, after, err
	}
	b, err := l.read(ctx, fmt.Sprintf(`SELECT (SELECT min(seq) FROM %[1]s), 0, 0, at.seq, at.mark, c.seq, c.type, c.op, c.key, c.refs, c.mark, last.seq, last.mark
FROM (SELECT 1) LEFT JOIN %[1]s at ON at.seq = ?1 LEFT JOIN (SELECT * FROM %[1]s ORDER BY seq DESC LIMIT 1) last
LEFT JOIN (SELECT * FROM %[1]s WHERE seq > ?1 AND (?3 = 'null' OR type IN (SELECT value FROM json_each(?3))) ORDER BY seq LIMIT ?2) c`, l.name),
		func(refs *[]string) any { return (*jsonList)(refs) }, after.Seq, most, string(only))
	if err != nil {
		return nil, after, err
	}
	first := b.first.number
	switch begins := after.Seq == 0 && (!first.Valid || first.Int64 == 1); {
	case begins, b.next.is(after.Seq, after.Mark):
	case !b.next.number.Valid && first.Valid && after.Seq < first.Int64:
		return nil, after, ErrExpired
	default:
		return nil, after, ErrLost
	}
	for i := range b.list {
		b.list[i].At = Position{Seq: b.list[i].Seq, Mark: b.list[i].mark}
	}
	if len(b.list) == most && most > 0 {
		return b.list, Position{Seq: b.list[len(b.list)-1].Seq, Mark: int32(b.last.Int64)}, nil
	}
	return b.list, Position{Seq: b.end.number.Int64, Mark: int32(b.end.mark.Int64)}, nil
}

// read runs a statement whose rows have two places each, and a change or NULLs. refs returns what a
// list of references is read into.
func (l *Log) read(ctx context.Context, query string, refs func(*[]string) any, args ...any) (b batch, err error) {
	err = l.rows(ctx, func(rows *sql.Rows) error {
		for rows.Next() {
			var c Change
			var seq, op sql.NullInt64
			var entity, key sql.NullString
			if err := rows.Scan(&b.first.number, &b.first.mark, &b.origin, &b.next.number, &b.next.mark,
				&seq, &entity, &op, &key, refs(&c.Refs), &b.last, &b.end.number, &b.end.mark); err != nil {
				return err
			}
			if seq.Valid {
				c.Seq, c.Type, c.Op, c.Key, c.mark = seq.Int64, entity.String, Op(op.Int64), key.String, int32(b.last.Int64)
				b.list = append(b.list, c)
			}
		}
		return rows.Err()
	}, query, args...)
	if err != nil {
		return b, fmt.Errorf("read the log of changes: %w", err)
	}
	return b, nil
}

// jsonList reads a list of texts from JSON, without those that are null.
type jsonList []string

// Scan implements sql.Scanner.
func (l *jsonList) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return nil // NULL
	}
	var list []*string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return err
	}
	*l = jsonList{}
	for _, s := range list {
		if s != nil {
			*l = append(*l, *s)
		}
	}
	return nil
}
